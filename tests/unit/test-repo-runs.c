/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/repo/image-runs.c and image-diff.c: runs, limits, and what shared parts cost. That they
 * are right whatever an image looks like is tested in test-repo-inherit.c. */
#include "config.h"

#include "repo-common.h"

#include "blob/fault-blob.h"
#include "repo/image-private.h"
#include "repo/image-runs.h"

#define SEGMENT 16384

/* Three segments: data with a hole and zeroes between, nothing, a hole with one of data. */
static FsnImageStats
write_disk(FsnRepo *repo)
{
    g_autoptr(FsnImageWriter) writer = new_writer(repo, 3 * SEGMENT, NULL);

    for (uint64_t i = 0; i < 5000; i++) {
        put_seed(writer, i, 1 + i);
    }
    g_assert_true(fsn_image_writer_put_range(writer, 1000, 500, FSN_GRANULE_HOLE, NULL));
    g_assert_true(fsn_image_writer_put_range(writer, 2000, 10, FSN_GRANULE_ZERO, NULL));
    g_assert_true(
        fsn_image_writer_put_range(writer, 2 * SEGMENT, SEGMENT, FSN_GRANULE_HOLE, NULL));
    put_seed(writer, 2 * SEGMENT + 77, 9);
    return commit_writer(writer);
}

static void
assert_run(FsnImage *image,
           uint64_t granule,
           uint64_t limit,
           FsnGranuleKind wanted_kind,
           uint64_t wanted_count)
{
    FsnGranuleKind kind;
    uint64_t count;

    g_assert_true(fsn_image_next_run(image, granule, limit, &kind, &count, NULL));
    g_assert_cmpint(kind, ==, wanted_kind);
    g_assert_cmpint(count, ==, wanted_count);
}

static void
test_runs(void)
{
    g_autoptr(FsnRepo) repo = memory_repo();
    FsnImageStats stats = write_disk(repo);
    g_autoptr(FsnImage) image = open_image(repo, stats.root);
    uint64_t all = G_MAXUINT64;

    assert_run(image, 0, all, FSN_GRANULE_DATA, 1000);
    assert_run(image, 0, 1000, FSN_GRANULE_DATA, 1000);
    assert_run(image, 0, 999, FSN_GRANULE_DATA, 999);
    assert_run(image, 999, all, FSN_GRANULE_DATA, 1);
    assert_run(image, 1000, all, FSN_GRANULE_HOLE, 500);
    assert_run(image, 1499, 3, FSN_GRANULE_HOLE, 1);
    assert_run(image, 2000, all, FSN_GRANULE_ZERO, 10);
    assert_run(image, 5000, all, FSN_GRANULE_ZERO, 2 * SEGMENT - 5000);
    assert_run(image, 5000, SEGMENT, FSN_GRANULE_ZERO, SEGMENT);
    assert_run(image, 2 * SEGMENT, all, FSN_GRANULE_HOLE, 77);
    assert_run(image, 2 * SEGMENT + 77, all, FSN_GRANULE_DATA, 1);
    assert_run(image, 2 * SEGMENT + 78, all, FSN_GRANULE_HOLE, SEGMENT - 78);
    assert_run(image, 2 * SEGMENT + 10, 20, FSN_GRANULE_HOLE, 20);
    assert_run(image, 3 * SEGMENT - 1, all, FSN_GRANULE_HOLE, 1);
}

static void
test_read_run(void)
{
    g_autoptr(FsnRepo) repo = memory_repo();
    FsnImageStats stats = write_disk(repo);
    g_autoptr(FsnImage) image = open_image(repo, stats.root);
    g_autoptr(FsnImageReader) reader = fsn_image_reader_new(image);
    size_t n = 2000, first = 400;
    g_autofree uint8_t *data = g_malloc(n * FSN_GRANULE_SIZE);

    memset(data, 0xff, n * FSN_GRANULE_SIZE);
    g_assert_true(fsn_image_reader_read_run(reader, first, n, data, NULL));
    for (size_t i = first; i < first + n; i++) {
        bool empty = (i >= 1000 && i < 1500) || (i >= 2000 && i < 2010);
        uint8_t wanted[FSN_GRANULE_SIZE] = { 0 };

        if (!empty) {
            fill_granule(wanted, 1 + i);
        }
        g_assert_cmpmem(data + (i - first) * FSN_GRANULE_SIZE, FSN_GRANULE_SIZE, wanted,
                        sizeof wanted);
    }
}

/* A frame is read once, however many of its granules are asked for. */
static void
test_read_run_once(void)
{
    static const FsnBlobFaults none;
    g_autoptr(FsnBlobStore) store = fsn_blob_store_new_memory();
    FsnBlobStore *counting = fsn_blob_store_new_fault(store, &none);
    g_autoptr(FsnRepo) repo = fsn_repo_new(counting, FSN_REPO_CREATE, NULL);
    FsnImageStats stats = write_disk(repo);
    g_autoptr(FsnImage) image = open_image(repo, stats.root);
    g_autoptr(FsnImageReader) reader = fsn_image_reader_new(image);
    g_autofree uint8_t *data = g_malloc(960 * FSN_GRANULE_SIZE);
    uint64_t before = fsn_blob_store_fault_count(counting);

    g_assert_true(fsn_image_reader_read_run(reader, 0, 960, data, NULL));
    /* 30 frames of two reads each, and opening a pack and a bundle. */
    g_assert_cmpint(fsn_blob_store_fault_count(counting) - before, <=, 2 * 30 + 8);
}

static bool
refuse(gpointer user, uint64_t first, uint64_t count, GError **error)
{
    ++*(int *)user;
    g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "enough");
    return false;
}

/* An error of the callback ends it; images that share their index are compared without
 * opening it. */
static void
test_diff_cost(void)
{
    static const FsnBlobFaults none;
    g_autoptr(FsnBlobStore) store = fsn_blob_store_new_memory();
    FsnBlobStore *counting = fsn_blob_store_new_fault(store, &none);
    g_autoptr(FsnRepo) repo = fsn_repo_new(counting, FSN_REPO_CREATE, NULL);
    FsnImageStats stats = write_disk(repo);
    g_autoptr(FsnImage) a = open_image(repo, stats.root);
    FsnImageWriterOptions options = { .n_granules = 3 * SEGMENT,
                                      .parent = a,
                                      .inherit = true };
    g_autoptr(FsnImageWriter) writer = fsn_image_writer_new(repo, &options, NULL);
    g_autoptr(FsnImage) b = NULL;
    g_autoptr(FsnImage) c = NULL;
    g_autoptr(GError) error = NULL;
    uint64_t before, changed = 1;
    int calls = 0;

    stats = commit_writer(writer);
    b = open_image(repo, stats.root);
    before = fsn_blob_store_fault_count(counting);
    g_assert_true(fsn_image_changed(a, b, &changed, NULL));
    g_assert_cmpint(changed, ==, 0);
    g_assert_cmpint(fsn_blob_store_fault_count(counting), ==, before);

    fsn_image_writer_free(writer);
    writer = fsn_image_writer_new(repo, &options, NULL);
    put_seed(writer, 4, 1234567);
    put_seed(writer, 5, 1234568);
    put_seed(writer, 10, 1234569);
    stats = commit_writer(writer);
    c = open_image(repo, stats.root);
    g_assert_true(fsn_image_changed(b, c, &changed, NULL));
    g_assert_cmpint(changed, ==, 3);
    g_assert_false(fsn_image_diff(b, c, refuse, &calls, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
    g_assert_cmpint(calls, ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/runs/runs", test_runs);
    g_test_add_func("/runs/read-run", test_read_run);
    g_test_add_func("/runs/read-run-once", test_read_run_once);
    g_test_add_func("/runs/diff-cost", test_diff_cost);
    return g_test_run();
}
