/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/base/files.c: replaced files are whole, exclusive ones are created once. */
#include "config.h"

#include "base/error.h"
#include "base/files.h"

#include <glib/gstdio.h>

typedef struct {
    char *dir;
    char *path;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    f->dir = g_dir_make_tmp("fsn-files-XXXXXX", NULL);
    g_assert_nonnull(f->dir);
    f->path = g_build_filename(f->dir, "object", NULL);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    g_unlink(f->path);
    /* fails, and the test with it, if a temporary file was left behind */
    g_assert_cmpint(g_rmdir(f->dir), ==, 0);
    g_free(f->dir);
    g_free(f->path);
}

static void
test_replace(Fixture *f, gconstpointer data)
{
    g_autoptr(GBytes) bytes = NULL;
    GError *error = NULL;

    g_assert_true(fsn_file_replace(f->path, "one", 3, 0600, &error));
    g_assert_true(fsn_file_replace(f->path, "three", 5, 0600, &error));
    g_assert_no_error(error);
    g_assert_true(fsn_file_read(f->path, 5, &bytes, &error));
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), "three", 5);
}

static void
test_exclusive(Fixture *f, gconstpointer data)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_file_create_exclusive(f->path, "a", 1, 0600, NULL));
    g_assert_false(fsn_file_create_exclusive(f->path, "b", 1, 0600, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_EXISTS);
    g_assert_true(fsn_file_read(f->path, 1, &bytes, NULL));
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), 1, "a", 1);
}

static void
test_limits(Fixture *f, gconstpointer data)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) missing = NULL;

    g_assert_true(fsn_file_replace(f->path, "12345", 5, 0600, NULL));
    g_assert_false(fsn_file_read(f->path, 4, &bytes, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    g_assert_true(fsn_file_remove_durable(f->path, NULL));
    g_assert_true(fsn_file_remove_durable(f->path, NULL));
    g_assert_false(fsn_file_read(f->path, 4, &bytes, &missing));
    g_assert_error(missing, FSN_ERROR, FSN_ERROR_NOT_FOUND);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/files/replace", Fixture, NULL, set_up, test_replace, tear_down);
    g_test_add("/files/exclusive", Fixture, NULL, set_up, test_exclusive, tear_down);
    g_test_add("/files/limits", Fixture, NULL, set_up, test_limits, tear_down);
    return g_test_run();
}
