/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/blob: the same promises from every store. */
#include "config.h"

#include "base/error.h"
#include "blob/blob.h"
#include "blob/fault-blob.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *dir;
    FsnBlobStore *store;
    FsnBlobStore *inner;
} Fixture;

static void
set_up(Fixture *f, gconstpointer kind)
{
    static const FsnBlobFaults none;

    if (g_str_equal(kind, "folder")) {
        f->dir = g_dir_make_tmp("fsn-blob-XXXXXX", NULL);
        f->store = fsn_blob_store_new_folder(f->dir, false, NULL);
    } else if (g_str_equal(kind, "memory")) {
        f->store = fsn_blob_store_new_memory();
    } else {
        f->inner = fsn_blob_store_new_memory();
        f->store = fsn_blob_store_new_fault(f->inner, &none);
    }
    g_assert_nonnull(f->store);
}

static void
tear_down(Fixture *f, gconstpointer kind)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", f->dir ? f->dir : "");

    fsn_blob_store_free(f->store);
    fsn_blob_store_free(f->inner);
    if (f->dir) {
        g_assert_cmpint(system(command), ==, 0);
    }
    g_free(f->dir);
}

static void
test_put(Fixture *f, gconstpointer kind)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;
    uint64_t size;

    g_assert_false(fsn_blob_get(f->store, "a/b", 10, &bytes, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_true(fsn_blob_put(f->store, "a/b", "one", 3, FSN_BLOB_CREATE, NULL));
    g_assert_false(fsn_blob_put(f->store, "a/b", "two", 3, FSN_BLOB_CREATE, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_EXISTS);
    g_clear_error(&error);
    g_assert_true(fsn_blob_put(f->store, "a/b", "three", 5, FSN_BLOB_VOLATILE, NULL));
    g_assert_true(fsn_blob_size(f->store, "a/b", &size, NULL));
    g_assert_cmpint(size, ==, 5);
    g_assert_false(fsn_blob_get(f->store, "a/b", 4, &bytes, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    g_clear_error(&error);
    g_assert_true(fsn_blob_get(f->store, "a/b", 5, &bytes, NULL));
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), 5, "three", 5);
    g_assert_true(fsn_blob_rename(f->store, "a/b", "x/y/z", NULL));
    g_assert_false(fsn_blob_rename(f->store, "a/b", "x/y", &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_true(fsn_blob_remove(f->store, "x/y/z", true, NULL));
    g_assert_true(fsn_blob_remove(f->store, "x/y/z", true, NULL));
    g_assert_false(fsn_blob_size(f->store, "x/y/z", &size, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
}

static void
test_stream(Fixture *f, gconstpointer kind)
{
    g_autoptr(FsnBlobWriter) writer = fsn_blob_create(f->store, "packs/ab/x", NULL);
    g_autoptr(FsnBlobWriter) dropped = fsn_blob_create(f->store, "packs/ab/y", NULL);
    g_autoptr(FsnBlob) blob = NULL;
    g_autoptr(GPtrArray) keys = NULL;
    g_autoptr(GError) error = NULL;
    char data[6] = { 0 };
    uint64_t size;

    g_assert_true(fsn_blob_append(writer, "hello ", 6, NULL));
    g_assert_true(fsn_blob_append(dropped, "hello ", 6, NULL));
    g_assert_false(fsn_blob_size(f->store, "packs/ab/x", &size, NULL));
    g_assert_true(fsn_blob_append(writer, "world", 5, NULL));
    g_assert_true(fsn_blob_commit(writer, NULL));
    g_clear_pointer(&dropped, fsn_blob_writer_free);
    g_assert_true(fsn_blob_list(f->store, "packs", &keys, NULL));
    g_assert_cmpint(keys->len, ==, 1);
    g_assert_cmpstr(g_ptr_array_index(keys, 0), ==, "packs/ab/x");
    blob = fsn_blob_open(f->store, "packs/ab/x", NULL);
    g_assert_cmpint(fsn_blob_length(blob), ==, 11);
    g_assert_true(fsn_blob_pread(blob, data, 5, 6, NULL));
    g_assert_cmpstr(data, ==, "world");
    g_assert_false(fsn_blob_pread(blob, data, 6, 6, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_CORRUPT);
    g_clear_error(&error);
    g_assert_false(fsn_blob_pread(blob, data, 1, G_MAXUINT64, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_CORRUPT);
    g_assert_cmpmem(fsn_blob_map(blob, NULL), 11, "hello world", 11);
    fsn_blob_trim(blob);
    g_assert_cmpmem(fsn_blob_map(blob, NULL), 11, "hello world", 11);
}

static void
test_keys(Fixture *f, gconstpointer kind)
{
    const char *bad[] = {
        "",     "/",   "/a",     "a/",   "a//b",          ".",  "..",  "a/.",
        "a/..", "a b", "a/../b", "a\\b", "a/b/c/d/e/f/g", "-a", "a\n", "\xc3"
    };
    g_autofree char *lengthy = g_strnfill(300, 'x');

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_blob_put(f->store, bad[i], "x", 1, 0, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
        g_assert_null(fsn_blob_open(f->store, bad[i], NULL));
        g_assert_null(fsn_blob_create(f->store, bad[i], NULL));
        g_assert_false(fsn_blob_remove(f->store, bad[i], false, NULL));
    }
    g_assert_false(fsn_blob_put(f->store, lengthy, "x", 1, 0, NULL));
}

/* A temporary file whose writer lives is not stale; one that was left is. */
static void
test_stale(void)
{
    g_autofree char *dir = g_dir_make_tmp("fsn-blob-XXXXXX", NULL);
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", dir);
    g_autofree char *path = g_build_filename(dir, "tmp", "left", NULL);
    g_autoptr(FsnBlobStore) store = fsn_blob_store_new_folder(dir, false, NULL);
    g_autoptr(FsnBlobWriter) writer = fsn_blob_create(store, "packs/x", NULL);
    g_autoptr(GPtrArray) keys = NULL;
    struct stat st;

    g_assert_true(g_file_set_contents(path, "x", 1, NULL));
    g_assert_true(fsn_blob_list_stale(store, &keys, NULL));
    g_assert_cmpint(keys->len, ==, 1);
    g_assert_cmpstr(g_ptr_array_index(keys, 0), ==, "tmp/left");
    g_assert_true(fsn_blob_remove_stale(store, "tmp/left", NULL));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_true(fsn_blob_append(writer, "x", 1, NULL));
    g_assert_true(fsn_blob_commit(writer, NULL));
    g_clear_pointer(&writer, fsn_blob_writer_free);
    g_free(path);
    path = g_build_filename(dir, "packs", "x", NULL);
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    g_assert_cmpint(system(command), ==, 0);
}

int
main(int argc, char **argv)
{
    const char *kinds[] = { "folder", "memory", "fault" };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *put = g_strdup_printf("/blob/%s/put", kinds[i]);
        g_autofree char *stream = g_strdup_printf("/blob/%s/stream", kinds[i]);
        g_autofree char *keys = g_strdup_printf("/blob/%s/keys", kinds[i]);

        g_test_add(put, Fixture, kinds[i], set_up, test_put, tear_down);
        g_test_add(stream, Fixture, kinds[i], set_up, test_stream, tear_down);
        g_test_add(keys, Fixture, kinds[i], set_up, test_keys, tear_down);
    }
    g_test_add_func("/blob/stale", test_stale);
    return g_test_run();
}
