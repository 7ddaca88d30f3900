/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/virt/lock-daemon.c: daemons are found by their names, and what is not known counts. */
#include "config.h"

#include "virt/lock-daemon.h"

#include <glib/gstdio.h>

static void
add_process(const char *proc, const char *pid, const char *comm)
{
    g_autofree char *dir = g_build_filename(proc, pid, NULL);
    g_autofree char *path = g_build_filename(dir, "comm", NULL);

    g_assert_cmpint(g_mkdir(dir, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, comm, -1, NULL));
}

static void
remove_process(const char *proc, const char *pid)
{
    g_autofree char *dir = g_build_filename(proc, pid, NULL);
    g_autofree char *path = g_build_filename(dir, "comm", NULL);

    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void
test_names(void)
{
    static const struct {
        const char *pid;
        const char *comm;
        bool runs;
    } cases[] = {
        { "1", "init\n", false },        { "20", "virtlogd\n", false },
        { "30", "virtlockd\n", true },   { "31", "sanlock\n", true },
        { "32", "virtlockd2\n", false }, { "self", "virtlockd\n", false },
    };

    g_autofree char *proc = g_dir_make_tmp("foresnap-test-XXXXXX", NULL);

    g_assert_false(fsn_virt_lock_daemon_runs(proc));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        add_process(proc, cases[i].pid, cases[i].comm);
        g_assert_cmpint(fsn_virt_lock_daemon_runs(proc), ==, cases[i].runs);
        remove_process(proc, cases[i].pid);
    }
    g_assert_cmpint(g_rmdir(proc), ==, 0);
    g_assert_true(fsn_virt_lock_daemon_runs(proc));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lock-daemon/names", test_names);
    return g_test_run();
}
