/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/guard-marker.c: the marker is where the hook looks, and comes and goes whole. */
#include "config.h"

#include "base/error.h"
#include "cycle/guard-marker.h"

#include <glib/gstdio.h>
#include <string.h>

#define UUID "11111111-2222-3333-4444-555555555555"

static void
test_come_and_go(void)
{
    g_autofree char *dir = g_dir_make_tmp("fsn-marker-XXXXXX", NULL);
    g_autofree char *folder = g_build_filename(dir, "guard", NULL);
    g_autofree char *path = g_build_filename(folder, UUID, NULL);
    g_autofree char *text = NULL;

    g_assert_true(fsn_guard_marker_remove(dir, UUID, NULL));
    g_assert_true(fsn_guard_marker_write(dir, UUID, "old", "id", NULL));
    g_assert_true(fsn_guard_marker_write(dir, UUID, "a vm", "0123", NULL));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "0123\na vm\n");
    g_assert_true(fsn_guard_marker_remove(dir, UUID, NULL));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_cmpint(g_rmdir(folder), ==, 0);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void
test_no_folder(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(fsn_guard_marker_write("/dev/null/state", UUID, "vm", "0123", &error));
    g_assert_nonnull(strstr(error->message, "cannot mark domain 'vm'"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guard-marker/come-and-go", test_come_and_go);
    g_test_add_func("/guard-marker/no-folder", test_no_folder);
    return g_test_run();
}
