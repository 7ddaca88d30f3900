/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/repo/image*.c: what is put is what is read; what is the same is not stored again. */
#include "config.h"

#include "repo-common.h"

#include "repo/image-private.h"

#define SEGMENT 16384

static void
test_round_trip(void)
{
    g_autoptr(FsnRepo) repo = memory_repo();
    g_autoptr(FsnImageWriter) writer = new_writer(repo, 1000, NULL);
    g_autoptr(FsnImage) image = NULL;
    g_autoptr(FsnImageReader) reader = NULL;
    FsnImageStats stats;

    for (uint64_t i = 0; i < 300; i++) {
        put_seed(writer, i, i % 3); /* zero, 1, 2, … */
    }
    put_seed(writer, 400, 77);
    put_seed(writer, 400, 78); /* the later one counts */
    put_seed(writer, 401, 79);
    put_seed(writer, 401, 0);
    put_seed(writer, 402, 80);
    put_seed(writer, 402, 80);
    stats = commit_writer(writer);
    g_assert_cmpint(stats.granules_put, ==, 306);
    g_assert_cmpint(stats.zero, ==, 101);
    g_assert_cmpint(stats.stored, ==, 2 + 4);
    g_assert_cmpint(stats.duplicate, ==, 198);
    g_assert_cmpint(stats.same, ==, 1);
    g_assert_cmpint(stats.bytes_logical, ==, 1000 * 4096);
    image = open_image(repo, stats.root);
    reader = fsn_image_reader_new(image);
    g_assert_cmpint(fsn_image_n_granules(image), ==, 1000);
    for (uint64_t i = 0; i < 300; i++) {
        assert_seed(reader, i, i % 3);
    }
    assert_seed(reader, 400, 78);
    assert_seed(reader, 401, 0);
    assert_seed(reader, 402, 80);
    assert_seed(reader, 999, 0);
}

/* Writes an image whose granule i has seed seeds[i]. */
static FsnImageStats
write_seeds(FsnRepo *repo, const uint64_t *seeds, size_t n, FsnImage *parent)
{
    g_autoptr(FsnImageWriter) writer = new_writer(repo, n, parent);

    for (size_t i = 0; i < n; i++) {
        put_seed(writer, i, seeds[i]);
    }
    return commit_writer(writer);
}

static void
assert_seeds(FsnRepo *repo, const char *root, const uint64_t *seeds, size_t n)
{
    g_autoptr(FsnImage) image = open_image(repo, root);
    g_autoptr(FsnImageReader) reader = fsn_image_reader_new(image);

    for (size_t i = 0; i < n; i++) {
        assert_seed(reader, i, seeds[i]);
    }
}

/* Three generations; an idle one costs only its root, a zeroed granule is not inherited. */
static void
test_generations(void)
{
    size_t n = 3 * SEGMENT + 100;
    g_autoptr(FsnRepo) repo = memory_repo();
    g_autofree uint64_t *seeds = g_new0(uint64_t, n);
    g_autoptr(FsnImage) a = NULL;
    g_autoptr(FsnImage) b = NULL;
    FsnImageStats first, second, third;
    uint64_t changed;

    for (size_t i = 0; i < n; i++) {
        seeds[i] = i % 7 ? i : 0;
    }
    first = write_seeds(repo, seeds, n, NULL);
    assert_seeds(repo, first.root, seeds, n);
    a = open_image(repo, first.root);

    for (size_t i = 0; i < 200; i++) {
        seeds[(i * 197) % n] = 1000000 + i;
    }
    seeds[SEGMENT + 1] = 0;
    second = write_seeds(repo, seeds, n, a);
    assert_seeds(repo, second.root, seeds, n);
    g_assert_cmpint(second.stored, <=, 200);
    g_assert_cmpint(second.bytes_stored, <, second.stored * 4096 * 11 / 10 + 16384);
    b = open_image(repo, second.root);
    g_assert_true(fsn_image_changed(a, b, &changed, NULL));
    g_assert_cmpint(changed, ==, second.stored + 1);

    seeds[0] = 5000000;
    third = write_seeds(repo, seeds, n, b);
    assert_seeds(repo, third.root, seeds, n);
    g_assert_cmpint(third.stored, ==, 1);
    g_assert_cmpint(third.bytes_stored, <, 20000);
}

/* What is absent is zero, never the parent's. */
static void
test_absent_is_zero(void)
{
    g_autoptr(FsnRepo) repo = memory_repo();
    uint64_t seeds[] = { 1, 2, 3, 4 };
    FsnImageStats first = write_seeds(repo, seeds, 4, NULL);
    g_autoptr(FsnImage) parent = open_image(repo, first.root);
    g_autoptr(FsnImageWriter) writer = new_writer(repo, 4, parent);
    FsnImageStats second;
    uint64_t wanted[] = { 0, 2, 0, 0 };

    put_seed(writer, 1, 2);
    second = commit_writer(writer);
    g_assert_cmpint(second.same, ==, 1);
    assert_seeds(repo, second.root, wanted, 4);
}

/* After settling, only what comes later costs; also in segments not touched before. */
static void
test_settle(void)
{
    size_t n = 4 * SEGMENT;
    g_autoptr(FsnRepo) repo = memory_repo();
    g_autofree uint64_t *seeds = g_new0(uint64_t, n);
    g_autoptr(FsnImageWriter) writer = new_writer(repo, n, NULL);
    FsnImageStats before, stats;

    for (size_t i = 0; i < 2 * SEGMENT; i++) {
        seeds[i] = i + 1;
        put_seed(writer, i, seeds[i]);
    }
    g_assert_true(fsn_image_writer_settle(writer, NULL));
    fsn_image_writer_peek_stats(writer, &before);
    g_assert_cmpint(before.bytes_index, >, 2 * SEGMENT * 24);
    for (size_t i = 0; i < 100; i++) {
        size_t g = (i * 599) % n;

        seeds[g] = i % 10 ? 7000000 + i : 0;
        put_seed(writer, g, seeds[g]);
    }
    g_assert_true(fsn_image_writer_settle(writer, NULL));
    seeds[5] = 1234567;
    put_seed(writer, 5, seeds[5]);
    stats = commit_writer(writer);
    g_assert_cmpint(stats.bytes_index - before.bytes_index, <, 8192);
    assert_seeds(repo, stats.root, seeds, n);
}

/* More scattered changes than the overlay holds. */
static void
test_many_changes(void)
{
    size_t n = 40 * SEGMENT;
    g_autoptr(FsnRepo) repo = memory_repo();
    g_autofree uint64_t *seeds = g_new0(uint64_t, n);
    g_autoptr(FsnImage) parent = NULL;
    FsnImageStats stats;

    for (size_t i = 0; i < n; i++) {
        seeds[i] = 1 + i % 5;
    }
    stats = write_seeds(repo, seeds, n, NULL);
    parent = open_image(repo, stats.root);
    for (size_t i = 0; i < n; i += 32) {
        seeds[i] = 10 + i % 3;
    }
    stats = write_seeds(repo, seeds, n, parent);
    g_assert_cmpint(stats.bytes_index, <, n / 32 * 4096 / 8);
    {
        g_autoptr(FsnImage) image = open_image(repo, stats.root);

        g_assert_cmpint(fsn_image_root(image)->overlay->len, <=, 16384);
        g_assert_cmpint(fsn_image_root(image)->overlay->len, >, 0);
    }
    assert_seeds(repo, stats.root, seeds, n);
}

/* Parents of another size: shorter and longer. */
static void
test_other_size(void)
{
    size_t n = 2 * SEGMENT + 10;
    g_autoptr(FsnRepo) repo = memory_repo();
    g_autofree uint64_t *seeds = g_new0(uint64_t, 2 * n);
    g_autoptr(FsnImage) a = NULL;
    g_autoptr(FsnImage) b = NULL;
    FsnImageStats stats;

    for (size_t i = 0; i < 2 * n; i++) {
        seeds[i] = 1 + i % 1000;
    }
    stats = write_seeds(repo, seeds, n, NULL);
    a = open_image(repo, stats.root);
    stats = write_seeds(repo, seeds, 2 * n, a);
    g_assert_cmpint(stats.same, >=, n);
    assert_seeds(repo, stats.root, seeds, 2 * n);
    b = open_image(repo, stats.root);
    stats = write_seeds(repo, seeds, SEGMENT + 5, b);
    g_assert_cmpint(stats.stored, ==, 0);
    assert_seeds(repo, stats.root, seeds, SEGMENT + 5);
}

static void
test_empty(void)
{
    g_autoptr(FsnRepo) repo = memory_repo();
    g_autoptr(FsnImageWriter) writer = new_writer(repo, 100, NULL);
    FsnImageStats stats = commit_writer(writer);
    uint64_t seeds[100] = { 0 };

    g_assert_cmpint(stats.bytes_stored, <, 1024);
    assert_seeds(repo, stats.root, seeds, 100);
    g_assert_false(fsn_image_writer_put(writer, 100, NULL, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/image/round-trip", test_round_trip);
    g_test_add_func("/image/generations", test_generations);
    g_test_add_func("/image/absent-is-zero", test_absent_is_zero);
    g_test_add_func("/image/settle", test_settle);
    g_test_add_func("/image/many-changes", test_many_changes);
    g_test_add_func("/image/other-size", test_other_size);
    g_test_add_func("/image/empty", test_empty);
    return g_test_run();
}
