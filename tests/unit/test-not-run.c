/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/memory/not-run.c: the note vouches for one snapshot in one boot, and when in doubt for
 * nothing. */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "memory/not-run.h"

#include <glib/gstdio.h>
#include <string.h>

#define ONE "0123456789abcdef0123456789abcdef"
#define TWO "0123456789abcdef0123456789abcdee"

typedef struct {
    char *folder;
    char *path;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    f->folder = g_dir_make_tmp("not-run-XXXXXX", NULL);
    g_assert_nonnull(f->folder);
    f->path = g_build_filename(f->folder, "note", NULL);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    (void)g_unlink(f->path); /* most tests leave none */
    g_assert_cmpint(g_rmdir(f->folder), ==, 0);
    g_free(f->path);
    g_free(f->folder);
}

static void
test_life(Fixture *f, gconstpointer data)
{
    g_assert_false(fsn_not_run_holds(f->path, ONE));
    g_assert_true(fsn_not_run_remove(f->path, NULL));
    g_assert_true(fsn_not_run_write(f->path, TWO, NULL));
    g_assert_true(fsn_not_run_write(f->path, ONE, NULL));
    g_assert_true(fsn_not_run_holds(f->path, ONE));
    g_assert_false(fsn_not_run_holds(f->path, TWO));
    g_assert_true(fsn_not_run_remove(f->path, NULL));
    g_assert_false(fsn_not_run_holds(f->path, ONE));
}

/* Cut anywhere, longer, or of another boot: it says nothing. */
static void
test_doubt(Fixture *f, gconstpointer data)
{
    g_autofree char *boot = fsn_boot_id();
    g_autofree char *text = NULL;
    g_autofree char *other = NULL;
    gsize len;

    g_assert_true(fsn_not_run_write(f->path, ONE, NULL));
    g_assert_true(g_file_get_contents(f->path, &text, &len, NULL));
    for (gsize cut = 0; cut < len; cut++) {
        g_assert_true(g_file_set_contents(f->path, text, (gssize)cut, NULL));
        g_assert_false(fsn_not_run_holds(f->path, ONE));
    }
    other = g_strconcat(text, "x", NULL);
    g_assert_true(g_file_set_contents(f->path, other, -1, NULL));
    g_assert_false(fsn_not_run_holds(f->path, ONE));
    g_assert_nonnull(boot);
    *strstr(text, boot) = *boot == '0' ? '1' : '0';
    g_assert_true(g_file_set_contents(f->path, text, -1, NULL));
    g_assert_false(fsn_not_run_holds(f->path, ONE));
}

static void
test_failures(Fixture *f, gconstpointer data)
{
    g_autofree char *below = g_build_filename(f->path, "note", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(f->path, "", 0, NULL));
    g_assert_false(fsn_not_run_write(below, ONE, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    g_assert_false(fsn_not_run_remove(below, &error)); /* ENOTDIR: who knows */
    g_assert_nonnull(error);
    g_assert_false(fsn_not_run_holds(below, ONE));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/not-run/life", Fixture, NULL, set_up, test_life, tear_down);
    g_test_add("/not-run/doubt", Fixture, NULL, set_up, test_doubt, tear_down);
    g_test_add("/not-run/failures", Fixture, NULL, set_up, test_failures, tear_down);
    return g_test_run();
}
