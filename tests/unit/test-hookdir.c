/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hookdir: what is run, in which order, with what, and what a veto, a flood, one that hangs and
 * files of other people do. */
#include "config.h"

#include "base/error.h"
#include "hookdir/hookdir.h"
#include "hookdir/process.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMIT_US ((int64_t)120 * G_USEC_PER_SEC)

typedef struct {
    char *base;
    GPtrArray *lines;
    GPtrArray *warnings;
} Fixture;

static void
set_up(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    f->base = g_dir_make_tmp("fsn-hooks-XXXXXX", NULL);
    f->lines = g_ptr_array_new_with_free_func(g_free);
    f->warnings = g_ptr_array_new_with_free_func(g_free);
}

static void
tear_down(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", f->base);

    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    g_free(f->base);
    g_ptr_array_unref(f->lines);
    g_ptr_array_unref(f->warnings);
}

/* Puts a script at "pre-suspend.d/NAME"; the caller frees its path. */
static char *
script(Fixture *f, const char *name, mode_t mode, const char *text)
{
    char *path = g_build_filename(f->base, name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *full = g_strconcat("#!/bin/sh\n", text, "\n", NULL);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
    g_assert_true(g_file_set_contents(path, full, -1, NULL));
    g_assert_cmpint(chmod(path, mode), ==, 0);
    return path;
}

static void
add(Fixture *f, const char *name, const char *text)
{
    g_autofree char *path = script(f, name, 0755, text);
}

static const FsnHookEvent event = { .operation = "suspend",
                                    .target = "web",
                                    .domain = "web \"one\"\n",
                                    .uuid = "1234",
                                    .repo = "/repo" };

static bool
pre(Fixture *f, int64_t limit_us, GError **error)
{
    return fsn_hookdir_pre(f->base, &event, limit_us, f->lines, error);
}

static char *
lines_text(GPtrArray *lines)
{
    g_ptr_array_add(lines, NULL);
    return g_strjoinv("|", (char **)lines->pdata);
}

static void
test_none(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    g_assert_false(fsn_hookdir_any(f->base, "suspend"));
    g_assert_true(pre(f, LIMIT_US, NULL));
    g_assert_cmpuint(f->lines->len, ==, 0);
}

static void
test_order(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    g_autofree char *plain = script(f, "pre-suspend.d/15-plain", 0644, "echo no");
    g_autofree char *text = NULL;

    add(f, "pre-suspend.d/20-b", "echo two");
    add(f, "pre-suspend.d/10-a", "echo one; echo and more >&2");
    add(f, "pre-suspend.d/30-c~", "echo no");
    add(f, "pre-suspend.d/.hidden", "echo no");
    add(f, "pre-suspend.d/40.dpkg-old", "echo no");
    add(f, "pre-resume.d/10-a", "echo no");
    g_assert_true(fsn_hookdir_any(f->base, "suspend"));
    g_assert_false(fsn_hookdir_any(f->base, "restore"));
    g_assert_true(pre(f, LIMIT_US, NULL));
    text = lines_text(f->lines);
    g_assert_cmpstr(text, ==,
                    "pre-suspend.d/10-a: one|pre-suspend.d/10-a: and more|"
                    "pre-suspend.d/20-b: two");
}

/* The environment and the document on standard input say the same. */
static void
test_told(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    const FsnHookEnd end = { .snapshot = "abc", .error = "no room" };
    g_autofree char *text = NULL;

    add(f, "pre-suspend.d/a",
        "echo $FORESNAP_OPERATION $FORESNAP_PHASE $FORESNAP_UUID $FORESNAP_REPO "
        "$FORESNAP_IN_HOOK \"${FORESNAP_RESULT-none}\"; grep -c '\"uuid\" : \"1234\"'");
    add(f, "post-suspend.d/a",
        "echo $FORESNAP_PHASE $FORESNAP_RESULT $FORESNAP_SNAPSHOT $FORESNAP_ERROR; "
        "grep -c '\"error\" : \"no room\"'");
    g_setenv("FORESNAP_RESULT", "of another", TRUE);
    g_assert_true(pre(f, LIMIT_US, NULL));
    fsn_hookdir_post(f->base, &event, &end, LIMIT_US, f->lines, f->warnings);
    text = lines_text(f->lines);
    g_assert_cmpstr(text, ==,
                    "pre-suspend.d/a: suspend pre 1234 /repo 1 none|pre-suspend.d/a: 1|"
                    "post-suspend.d/a: post failed abc no room|post-suspend.d/a: 1");
    g_assert_cmpuint(f->warnings->len, ==, 0);
}

/* One vetoes: the next is not asked. After the operation all are run. */
static void
test_veto(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    const FsnHookEnd end = { .done = true };
    g_autoptr(GError) error = NULL;

    add(f, "pre-suspend.d/10-no", "echo because; echo I say so; exit 3");
    add(f, "pre-suspend.d/20-b", "echo two");
    add(f, "post-suspend.d/10-no", "exit 4");
    add(f, "post-suspend.d/20-b", "kill -9 $$");
    g_assert_false(pre(f, LIMIT_US, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_STATE);
    g_assert_cmpstr(error->message, ==,
                    "hook 'pre-suspend.d/10-no' ended with status 3: I say so");
    g_assert_cmpuint(f->lines->len, ==, 2);
    fsn_hookdir_post(f->base, &event, &end, LIMIT_US, f->lines, f->warnings);
    g_assert_cmpuint(f->warnings->len, ==, 2);
    g_assert_cmpstr(f->warnings->pdata[1], ==,
                    "hook 'post-suspend.d/20-b' was ended by a signal");
}

/* One that hangs, and its children that do not listen, are ended. */
static void
test_hangs(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *pids = g_build_filename(f->base, "pids", NULL);
    g_autofree char *text =
        g_strdup_printf("trap '' TERM\n(trap '' TERM; while :; do sleep 1000; done) &\n"
                        "echo $! $$ >%s\nwait\nwhile :; do sleep 1000; done",
                        pids);
    g_autofree char *read = NULL;
    g_auto(GStrv) numbers = NULL;

    add(f, "pre-suspend.d/a", text);
    g_assert_false(pre(f, G_USEC_PER_SEC, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_STATE);
    g_assert_nonnull(strstr(error->message, "took longer than 1 s and was ended"));
    if (!g_file_get_contents(pids, &read, NULL, NULL)) {
        g_test_skip("it was too slow to begin"); /* it was ended all the same */
        return;
    }
    numbers = g_strsplit(g_strchomp(read), " ", -1);
    for (char **number = numbers; *number; number++) {
        pid_t pid = (pid_t)atoi(*number);

        for (int i = 0; i < 6000 && kill(pid, 0) == 0; i++) {
            g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid);
            g_autofree char *stat = NULL;

            /* nobody may be there to reap it */
            if (!g_file_get_contents(path, &stat, NULL, NULL) || strstr(stat, ") Z")) {
                break;
            }
            g_assert_cmpint(i, <, 5999);
            g_usleep(10000);
        }
    }
}

static void
test_flood(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    g_auto(FsnHookProcess) process = { 0 };
    g_autofree char *path =
        script(f, "flood", 0755, "head -c 3000000 /dev/zero; printf '\\377'; exit 5");
    char *none[] = { NULL };

    g_assert_true(fsn_hook_process_run(path, none, "", LIMIT_US, &process, NULL));
    g_assert_cmpint(process.code, ==, 5);
    g_assert_false(process.timed_out);
    g_assert_true(g_utf8_validate(process.output, -1, NULL));
}

/* What it leaves in the background, with the output in its hands, is not waited for. */
static void
test_background(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    g_auto(FsnHookProcess) process = { 0 };
    g_autofree char *pid = g_build_filename(f->base, "pid", NULL);
    g_autofree char *text =
        g_strdup_printf("sleep 1000 & echo $! >'%s'; echo begun", pid);
    g_autofree char *path = script(f, "background", 0755, text);
    g_autofree char *read = NULL;
    char *none[] = { NULL };

    g_assert_true(fsn_hook_process_run(path, none, "", LIMIT_US, &process, NULL));
    g_assert_cmpint(process.code, ==, 0);
    g_assert_cmpstr(process.output, ==, "begun");
    g_assert_true(g_file_get_contents(pid, &read, NULL, NULL));
    g_assert_cmpint(kill((pid_t)atoi(read), SIGKILL), ==, 0);
}

/* What somebody else could have put there is not run, and vetoes. */
static void
test_others(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    g_autofree char *path = script(f, "pre-suspend.d/a", 0775, "echo no");
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *link = g_build_filename(folder, "b", NULL);

    for (int i = 0; i < 5; i++) {
        g_autoptr(GError) error = NULL;

        switch (i) {
        case 1:
            g_assert_cmpint(chmod(path, 0757), ==, 0);
            break;
        case 2:
            g_assert_cmpint(chmod(path, 0755), ==, 0);
            g_assert_cmpint(chmod(folder, 0777), ==, 0);
            break;
        case 3:
            g_assert_cmpint(chmod(folder, 0755), ==, 0);
            g_assert_cmpint(chmod(f->base, 0775), ==, 0);
            break;
        case 4:
            g_assert_cmpint(chmod(f->base, 0755), ==, 0);
            g_assert_cmpint(rename(path, link), ==, 0);
            g_assert_cmpint(symlink(link, path), ==, 0);
            break;
        default:
            break;
        }
        g_assert_false(pre(f, LIMIT_US, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_STATE);
        g_assert_nonnull(strstr(error->message, "hooks are not run: "));
    }
    g_assert_cmpuint(f->lines->len, ==, 0);
    if (geteuid() == 0) {
        g_autoptr(GError) error = NULL;

        g_assert_cmpint(unlink(path), ==, 0);
        g_assert_cmpint(chown(link, 12345, 0), ==, 0);
        g_assert_false(pre(f, LIMIT_US, &error));
        g_assert_nonnull(strstr(error->message, "belongs to another user"));
    }
}

static void
test_cannot_run(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = script(f, "pre-suspend.d/a", 0755, "");

    g_assert_true(g_file_set_contents(path, "#!/no/such/thing\n", -1, NULL));
    g_assert_cmpint(chmod(path, 0755), ==, 0);
    g_assert_false(pre(f, LIMIT_US, &error));
    g_assert_nonnull(strstr(error->message, "hook 'pre-suspend.d/a' cannot be run: "));
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(Fixture *, gconstpointer);
    } tests[] = {
        { "/hookdir/none", test_none },
        { "/hookdir/order", test_order },
        { "/hookdir/told", test_told },
        { "/hookdir/veto", test_veto },
        { "/hookdir/hangs", test_hangs },
        { "/hookdir/flood", test_flood },
        { "/hookdir/background", test_background },
        { "/hookdir/others", test_others },
        { "/hookdir/cannot-run", test_cannot_run },
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
    }
    return g_test_run();
}
