/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/repo/repo.c, objects.c, manifests.c, marks.c on a real folder. */
#include "config.h"

#include "repo-common.h"

#include "base/files.h"
#include "base/id.h"
#include "repo/marks.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

#define ID_A "aaaa0000000000000000000000000001"
#define ID_B "aaab0000000000000000000000000002"

typedef struct {
    char *dir;
    FsnRepo *repo;
} Fixture;

static void
set_up(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;

    f->dir = g_dir_make_tmp("fsn-repo-XXXXXX", NULL);
    path = g_build_filename(f->dir, "deep", "repo", NULL);
    f->repo = fsn_repo_open(path, FSN_REPO_CREATE, &error);
    g_assert_no_error(error);
}

static void
remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        remove_tree(child);
    }
    (void)g_remove(path);
}

static void
tear_down(Fixture *f, gconstpointer unused)
{
    fsn_repo_free(f->repo);
    remove_tree(f->dir);
    g_free(f->dir);
}

static void
test_open(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnRepo) again = NULL;
    g_autofree char *sha = NULL;
    uint64_t space;
    struct stat st;

    g_assert_cmpint(stat(fsn_repo_location(f->repo), &st), ==, 0);
    g_assert_cmpint(st.st_mode & 0777, ==, 0700);
    g_assert_true(fsn_repo_space(f->repo, &space, NULL));
    g_assert_null(fsn_repo_open(f->dir, 0, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_clear_error(&error);
    again = fsn_repo_open(fsn_repo_location(f->repo), FSN_REPO_READ_ONLY, &error);
    g_assert_no_error(error);
    g_assert_false(fsn_repo_put_object(again, "x", 1, &sha, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
}

static void
test_objects(Fixture *f, gconstpointer unused)
{
    g_autofree char *text = g_strnfill(100000, 'x');
    g_autofree char *sha = NULL;
    g_autofree char *empty = NULL;
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GBytes) nothing = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_repo_put_object(f->repo, text, 100000, &sha, NULL));
    g_assert_true(fsn_repo_get_object(f->repo, sha, 100000, &bytes, NULL));
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), text, 100000);
    g_assert_false(fsn_repo_get_object(f->repo, sha, 99999, &nothing, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    g_clear_error(&error);
    g_assert_true(fsn_repo_put_object(f->repo, "", 0, &empty, NULL));
    g_assert_true(fsn_repo_get_object(f->repo, empty, 10, &nothing, NULL));
    g_assert_cmpint(g_bytes_get_size(nothing), ==, 0);
    sha[5] = sha[5] == '0' ? '1' : '0';
    g_assert_false(fsn_repo_get_object(f->repo, sha, 100000, &nothing, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_false(fsn_repo_get_object(f->repo, "../../etc", 10, &nothing, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

static void
test_refs(Fixture *f, gconstpointer unused)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;
    const char *bad[] = { "", "/x", "x/", "..", "a/../b", "a//b", ".a", "a b", "a\nb" };

    g_assert_false(fsn_repo_get_ref(f->repo, "workingset/u", 10, &bytes, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_true(fsn_repo_put_ref(f->repo, "workingset/u", "one", 3, NULL));
    g_assert_true(fsn_repo_put_ref(f->repo, "workingset/u", "three", 5, NULL));
    g_assert_true(fsn_repo_get_ref(f->repo, "workingset/u", 10, &bytes, NULL));
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), "three", 5);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(fsn_repo_put_ref(f->repo, bad[i], "x", 1, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
        g_clear_error(&error);
    }
}

static void
test_manifests(Fixture *f, gconstpointer unused)
{
    g_autoptr(FsnImageWriter) writer = new_writer(f->repo, 10, NULL);
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(GPtrArray) damaged = NULL;
    g_autoptr(JsonObject) a = NULL;
    g_autoptr(JsonObject) b = NULL;
    g_autoptr(JsonObject) found = NULL;
    g_autoptr(JsonObject) missing = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    FsnImageStats stats;
    JsonObject *none = NULL;

    put_seed(writer, 3, 9);
    stats = commit_writer(writer);
    a = new_manifest(ID_A, "2026-01-01T00:00:00Z", stats.root);
    b = new_manifest(ID_B, "2026-01-02T00:00:00Z", stats.root);
    g_assert_true(fsn_repo_commit_manifest(f->repo, a, NULL));
    g_assert_true(fsn_repo_commit_manifest(f->repo, b, NULL));
    g_assert_false(fsn_repo_commit_manifest(f->repo, b, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_EXISTS);
    g_clear_error(&error);
    g_assert_true(fsn_repo_load_manifest(f->repo, "aaab", &found, NULL));
    g_assert_cmpstr(json_object_get_string_member(found, "id"), ==, ID_B);
    g_assert_false(fsn_repo_load_manifest(f->repo, "aaa", &none, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_clear_error(&error);
    missing = new_manifest("bbbb0000000000000000000000000003", "2026-01-03T00:00:00Z",
                           "00000000000000000000000000000000");
    g_assert_false(fsn_repo_commit_manifest(f->repo, missing, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_clear_error(&error);

    /* A damaged manifest hides no other. */
    path = g_build_filename(fsn_repo_location(f->repo), "manifests", ID_A, NULL);
    g_assert_true(fsn_file_replace(path, "rubbish", 7, 0600, NULL));
    g_assert_true(fsn_repo_list_manifests(f->repo, &list, &damaged, NULL));
    g_assert_cmpint(list->len, ==, 1);
    g_assert_cmpint(damaged->len, ==, 1);
    g_assert_nonnull(strstr(g_ptr_array_index(damaged, 0), ID_A));
    g_assert_true(fsn_repo_delete_manifest(f->repo, ID_A, NULL));
    g_assert_false(fsn_repo_delete_manifest(f->repo, ID_A, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
}

static void
test_marks(Fixture *f, gconstpointer unused)
{
    g_autoptr(JsonObject) body = json_object_new();
    g_autoptr(JsonObject) found = NULL;
    g_autoptr(GError) error = NULL;

    json_object_set_string_member(body, "host", "h");
    g_assert_false(fsn_repo_mark_read(f->repo, ID_A, "claim", &found, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_true(fsn_repo_mark_create(f->repo, ID_A, "claim", body, NULL));
    g_assert_false(fsn_repo_mark_create(f->repo, ID_A, "claim", body, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_EXISTS);
    g_clear_error(&error);
    g_assert_true(fsn_repo_mark_read(f->repo, ID_A, "claim", &found, NULL));
    g_assert_cmpstr(json_object_get_string_member(found, "host"), ==, "h");
    g_assert_true(fsn_repo_mark_remove(f->repo, ID_A, "claim", NULL));
    g_assert_true(fsn_repo_mark_create(f->repo, ID_A, "claim", body, NULL));
    g_assert_false(fsn_repo_mark_create(f->repo, "../x", "claim", body, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
    g_clear_error(&error);
    g_assert_false(fsn_repo_mark_create(f->repo, ID_A, "a/b", body, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
}

/* An image on a real folder, so that mapping and syncing run too. */
static void
test_image(Fixture *f, gconstpointer unused)
{
    g_autoptr(FsnImageWriter) writer = new_writer(f->repo, 20000, NULL);
    g_autoptr(FsnImage) image = NULL;
    g_autoptr(FsnImageReader) reader = NULL;
    FsnImageStats stats;

    for (uint64_t i = 0; i < 20000; i++) {
        put_seed(writer, i, i);
    }
    stats = commit_writer(writer);
    image = open_image(f->repo, stats.root);
    reader = fsn_image_reader_new(image);
    for (uint64_t i = 0; i < 20000; i++) {
        assert_seed(reader, i, i);
    }
    fsn_image_trim(image);
    assert_seed(reader, 17, 17);
}

#define ADD(name, func) g_test_add(name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/repo/open", test_open);
    ADD("/repo/objects", test_objects);
    ADD("/repo/refs", test_refs);
    ADD("/repo/manifests", test_manifests);
    ADD("/repo/marks", test_marks);
    ADD("/repo/image", test_image);
    return g_test_run();
}
