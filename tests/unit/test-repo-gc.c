/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/repo/gc.c: what is needed stays, what is not goes, whenever the machine dies. */
#include "config.h"

#include "repo-common.h"

#include "blob/fault-blob.h"
#include "repo/gc.h"
#include "repo/repo-private.h"
#include "repo/verify.h"

#define ID_A "aaaa0000000000000000000000000001"
#define ID_B "bbbb0000000000000000000000000002"

/* A store and several repositories on it, as different processes would have. */
static FsnRepo *
view(FsnBlobStore *inner)
{
    static const FsnBlobFaults none;
    g_autoptr(GError) error = NULL;
    FsnRepo *repo =
        fsn_repo_new(fsn_blob_store_new_fault(inner, &none), FSN_REPO_CREATE, &error);

    g_assert_no_error(error);
    return repo;
}

/* Writes an image of 100 granules seeded from @seed; with @id also its manifest. */
static char *
write_snapshot(FsnBlobStore *inner, const char *id, uint64_t seed)
{
    g_autoptr(FsnRepo) repo = view(inner);
    g_autoptr(FsnImageWriter) writer = new_writer(repo, 100, NULL);
    g_autoptr(GError) error = NULL;
    FsnImageStats stats;

    for (uint64_t i = 0; i < 100; i++) {
        put_seed(writer, i, seed + i);
    }
    stats = commit_writer(writer);
    if (id) {
        g_autoptr(JsonObject) manifest =
            new_manifest(id, "2026-01-01T00:00:00Z", stats.root);

        g_assert_true(fsn_repo_commit_manifest(repo, manifest, &error));
        g_assert_no_error(error);
    }
    return g_strdup(stats.root);
}

static void
assert_snapshot(FsnBlobStore *inner, const char *root, uint64_t seed)
{
    g_autoptr(FsnRepo) repo = view(inner);
    g_autoptr(FsnImage) image = open_image(repo, root);
    g_autoptr(FsnImageReader) reader = fsn_image_reader_new(image);

    for (uint64_t i = 0; i < 100; i++) {
        assert_seed(reader, i, seed + i);
    }
}

static guint
count_keys(FsnBlobStore *inner, const char *folder)
{
    g_autoptr(GPtrArray) keys = NULL;

    g_assert_true(fsn_blob_list(inner, folder, &keys, NULL));
    return keys->len;
}

static FsnGcReport
collect(FsnBlobStore *inner, bool dry_run)
{
    g_autoptr(FsnRepo) repo = view(inner);
    g_autoptr(GError) error = NULL;
    FsnGcReport report;
    bool ok = fsn_repo_gc(repo, dry_run, 0, &report, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
    return report;
}

static void
test_collect(void)
{
    g_autoptr(FsnBlobStore) store = fsn_blob_store_new_memory();
    g_autofree char *a = write_snapshot(store, ID_A, 1000);
    g_autofree char *b = write_snapshot(store, NULL, 2000); /* its writer has gone */
    g_autoptr(GError) error = NULL;
    FsnGcReport report;

    report = collect(store, true);
    g_assert_cmpint(report.objects_removed, ==, 3); /* pack, segments, root */
    g_assert_cmpint(report.objects_kept, ==, 3);
    g_assert_cmpint(report.bytes_removed, >, 100 * 4096);
    assert_snapshot(store, b, 2000);
    report = collect(store, false);
    g_assert_cmpint(report.objects_removed, ==, 3);
    assert_snapshot(store, a, 1000);
    g_assert_cmpint(count_keys(store, "packs"), ==, 1);
    g_assert_cmpint(count_keys(store, "aside"), ==, 0);
    g_assert_cmpint(collect(store, false).objects_removed, ==, 0);
}

/* A living writer's packs, root and objects are spared until it has committed or gone. */
static void
test_living_writer(void)
{
    g_autoptr(FsnBlobStore) store = fsn_blob_store_new_memory();
    g_autoptr(FsnRepo) repo = view(store);
    g_autoptr(FsnImageWriter) writer = new_writer(repo, 100, NULL);
    g_autoptr(JsonObject) manifest = NULL;
    g_autofree char *sha = NULL;
    g_autoptr(GBytes) bytes = NULL;
    FsnImageStats stats;

    for (uint64_t i = 0; i < 100; i++) {
        put_seed(writer, i, 3000 + i);
    }
    g_assert_true(fsn_image_writer_settle(writer, NULL));
    g_assert_true(fsn_repo_put_object(repo, "state", 5, &sha, NULL));
    g_assert_cmpint(collect(store, false).objects_removed, ==, 0);
    stats = commit_writer(writer);
    g_assert_cmpint(collect(store, false).objects_removed, ==, 0);
    manifest = new_manifest(ID_A, "2026-01-01T00:00:00Z", stats.root);
    json_object_set_string_member(manifest, "object", sha);
    g_assert_true(fsn_repo_commit_manifest(repo, manifest, NULL));
    g_clear_pointer(&writer, fsn_image_writer_free);
    g_clear_pointer(&repo, fsn_repo_free);
    g_assert_cmpint(collect(store, false).objects_removed, ==, 0);
    assert_snapshot(store, stats.root, 3000);
    repo = view(store);
    g_assert_true(fsn_repo_get_object(repo, sha, 10, &bytes, NULL));
}

/* What a collector has moved aside is still readable, and a commit brings it back. */
static void
test_commit_brings_back(void)
{
    g_autoptr(FsnBlobStore) store = fsn_blob_store_new_memory();
    g_autofree char *root = write_snapshot(store, NULL, 4000);
    g_autoptr(GPtrArray) keys = NULL;
    g_autoptr(FsnRepo) repo = NULL;
    g_autoptr(JsonObject) manifest = new_manifest(ID_A, "2026-01-01T00:00:00Z", root);
    g_autoptr(JsonObject) late = new_manifest(ID_B, "2026-01-01T00:00:00Z", root);
    g_autoptr(GError) error = NULL;
    const char *folders[] = { "packs", "indexes", "roots" };

    for (size_t f = 0; f < G_N_ELEMENTS(folders); f++) {
        g_autoptr(GPtrArray) list = NULL;

        g_assert_true(fsn_blob_list(store, folders[f], &list, NULL));
        for (guint i = 0; i < list->len; i++) {
            const char *key = g_ptr_array_index(list, i);
            g_autofree char *aside = g_strconcat("aside/", key, NULL);

            g_assert_true(fsn_blob_rename(store, key, aside, NULL));
        }
    }
    assert_snapshot(store, root, 4000);
    repo = view(store);
    g_assert_true(fsn_repo_commit_manifest(repo, manifest, &error));
    g_assert_no_error(error);
    g_assert_cmpint(count_keys(store, "aside"), ==, 0);
    g_assert_cmpint(collect(store, false).objects_removed, ==, 0);

    /* Gone for good: the commit says so and there is no snapshot. */
    g_assert_true(fsn_blob_list(store, "packs", &keys, NULL));
    g_assert_true(fsn_blob_remove(store, g_ptr_array_index(keys, 0), true, NULL));
    g_assert_false(fsn_repo_commit_manifest(repo, late, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_assert_cmpint(count_keys(store, "manifests"), ==, 1);
}

/* Nothing is removed while it is not known what is needed. */
static void
test_damaged_manifest(void)
{
    g_autoptr(FsnBlobStore) store = fsn_blob_store_new_memory();
    g_autofree char *a = write_snapshot(store, ID_A, 1000);
    g_autofree char *b = write_snapshot(store, NULL, 2000);
    g_autoptr(FsnRepo) repo = NULL;
    g_autoptr(GError) error = NULL;
    FsnGcReport report;

    g_assert_true(fsn_blob_put(store, "manifests/" ID_A, "x", 1, 0, NULL));
    repo = view(store);
    g_assert_false(fsn_repo_gc(repo, false, 0, &report, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_CORRUPT);
    g_assert_nonnull(strstr(error->message, ID_A));
    g_assert_cmpint(count_keys(store, "packs"), ==, 2);
}

/* The machine dies at each operation of a collection; the next one finishes. */
static void
test_dies_anywhere(void)
{
    for (uint64_t at = 1;; at++) {
        g_autoptr(FsnBlobStore) store = fsn_blob_store_new_memory();
        g_autofree char *a = write_snapshot(store, ID_A, 1000);
        g_autofree char *b = write_snapshot(store, NULL, 2000);
        FsnBlobFaults faults = { .fail_at = at, .fail_after = true };
        FsnBlobStore *faulty = fsn_blob_store_new_fault(store, &faults);
        g_autoptr(FsnRepo) repo = fsn_repo_new(faulty, 0, NULL);
        FsnGcReport report;
        bool ok = repo && fsn_repo_gc(repo, false, 0, &report, NULL);

        g_clear_pointer(&repo, fsn_repo_free);
        assert_snapshot(store, a, 1000);
        if (ok) {
            g_assert_cmpint(at, >, 20);
            break;
        }
        collect(store, false);
        assert_snapshot(store, a, 1000);
        g_assert_cmpint(count_keys(store, "packs"), ==, 1);
        g_assert_cmpint(count_keys(store, "aside"), ==, 0);
    }
}

/* Deleting one of two snapshots that share packs. */
static void
test_shared(void)
{
    g_autoptr(FsnBlobStore) store = fsn_blob_store_new_memory();
    g_autofree char *a = write_snapshot(store, ID_A, 1000);
    g_autofree char *b = NULL;
    g_autoptr(FsnRepo) repo = view(store);
    {
        g_autoptr(FsnImage) parent = open_image(repo, a);
        g_autoptr(FsnImageWriter) writer = new_writer(repo, 100, parent);
        g_autoptr(JsonObject) manifest = NULL;
        FsnImageStats stats;

        for (uint64_t i = 0; i < 100; i++) {
            put_seed(writer, i, 1000 + i);
        }
        stats = commit_writer(writer);
        g_assert_cmpint(stats.stored, ==, 0);
        manifest = new_manifest(ID_B, "2026-01-02T00:00:00Z", stats.root);
        g_assert_true(fsn_repo_commit_manifest(repo, manifest, NULL));
        b = g_strdup(stats.root);
    }
    g_assert_true(fsn_repo_delete_manifest(repo, ID_A, NULL));
    g_clear_pointer(&repo, fsn_repo_free);
    g_assert_cmpint(collect(store, false).objects_removed, ==, 1); /* only a's root */
    assert_snapshot(store, b, 1000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gc/collect", test_collect);
    g_test_add_func("/gc/living-writer", test_living_writer);
    g_test_add_func("/gc/commit-brings-back", test_commit_brings_back);
    g_test_add_func("/gc/damaged-manifest", test_damaged_manifest);
    g_test_add_func("/gc/dies-anywhere", test_dies_anywhere);
    g_test_add_func("/gc/shared", test_shared);
    return g_test_run();
}
