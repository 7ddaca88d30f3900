/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk of 1 TiB with 100 GB of data (or 4 GB without FSN_SLOW_TESTS=1), scattered in
 * extents: a full image, one that inherits with a little changed, and one in which nothing
 * changed. Memory stays within what a snapshot may use, and time and space within what
 * changed.
 */
#include "config.h"

#include "repo-common.h"

#include "base/clock.h"
#include "repo/image-runs.h"

#include <stdlib.h>
#include <sys/resource.h>

#define GRANULES ((uint64_t)1 << 28)
/* Data come in extents of so many granules, of which one in so many is stored for itself; the
 * rest repeat, since compressing is not what is tested. */
#define EXTENT   ((uint64_t)2048)
#define OWN      499

#ifdef __SANITIZE_ADDRESS__
#define LIMIT_KIB (1024 * 1024)
#else
#define LIMIT_KIB (192 * 1024)
#endif

static uint64_t n_extents;
static uint8_t repeats[61][FSN_GRANULE_SIZE];

/* Extents are spread evenly. */
static uint64_t
extent_start(uint64_t extent)
{
    return extent * (GRANULES / n_extents) / 8 * 8;
}

static long
peak_kib(void)
{
    struct rusage usage;

    g_assert_cmpint(getrusage(RUSAGE_SELF, &usage), ==, 0);
    return usage.ru_maxrss;
}

static FsnImageWriter *
new_disk(FsnRepo *repo, FsnImage *parent)
{
    g_autoptr(GError) error = NULL;
    FsnImageWriterOptions options = { .n_granules = GRANULES,
                                      .parent = parent,
                                      .inherit = parent != NULL,
                                      .codec = FSN_CODEC_LZ4 };
    FsnImageWriter *writer = fsn_image_writer_new(repo, &options, &error);

    g_assert_no_error(error);
    return writer;
}

static FsnImageStats
write_full(FsnRepo *repo)
{
    g_autoptr(FsnImageWriter) writer = new_disk(repo, NULL);
    uint64_t at = 0;

    for (uint64_t e = 0; e < n_extents; e++) {
        uint64_t start = extent_start(e);

        g_assert_true(
            fsn_image_writer_put_range(writer, at, start - at, FSN_GRANULE_HOLE, NULL));
        for (uint64_t i = start; i < start + EXTENT; i++) {
            if (i % OWN == 0) {
                put_seed(writer, i, 1000 + i);
            } else {
                g_assert_true(fsn_image_writer_put(writer, i, repeats[i % 61], NULL));
            }
        }
        at = start + EXTENT;
    }
    g_assert_true(
        fsn_image_writer_put_range(writer, at, GRANULES - at, FSN_GRANULE_HOLE, NULL));
    return commit_writer(writer);
}

/* Changes one granule in each of the first 3000 extents. */
static FsnImageStats
write_incremental(FsnRepo *repo, FsnImage *parent)
{
    g_autoptr(FsnImageWriter) writer = new_disk(repo, parent);

    for (uint64_t e = 0; e < MIN(n_extents, 3000); e++) {
        put_seed(writer, extent_start(e) + 7, 5000000000 + e);
    }
    return commit_writer(writer);
}

static void
report(const char *what, int64_t start, const FsnImageStats *stats)
{
    g_test_message("%s: %.2f s, %.2f MiB stored, index %.2f MiB, peak %ld MiB", what,
                   (double)(fsn_monotonic_us() - start) / 1e6,
                   (double)stats->bytes_stored / 1048576,
                   (double)stats->bytes_index / 1048576, peak_kib() / 1024);
}

static bool
count_runs(gpointer user, uint64_t first, uint64_t count, GError **error)
{
    g_assert_cmpint(count, ==, 1);
    ++*(uint64_t *)user;
    return true;
}

static void
test_disk(void)
{
    g_autofree char *dir = g_dir_make_tmp("fsn-disk-XXXXXX", NULL);
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", dir);
    g_autoptr(FsnRepo) repo = fsn_repo_open(dir, FSN_REPO_CREATE, NULL);
    g_autoptr(FsnImage) first = NULL;
    g_autoptr(FsnImage) second = NULL;
    int64_t start = fsn_monotonic_us();
    FsnImageStats stats;
    uint64_t runs = 0;

    n_extents = (g_getenv("FSN_SLOW_TESTS") ? 100000000000 : 4000000000) /
                (EXTENT * FSN_GRANULE_SIZE);
    for (uint64_t i = 0; i < 61; i++) {
        fill_granule(repeats[i], 1 + i);
    }
    stats = write_full(repo);
    report("full", start, &stats);
    g_assert_cmpint(stats.granules_put, ==, GRANULES);
    g_assert_cmpint(stats.zero, ==, GRANULES - n_extents * EXTENT);
    first = open_image(repo, stats.root);

    start = fsn_monotonic_us();
    stats = write_incremental(repo, first);
    report("incremental", start, &stats);
    g_assert_cmpint(stats.stored, ==, MIN(n_extents, 3000));
    g_assert_cmpint(stats.bytes_index, <, stats.stored * FSN_GRANULE_SIZE + (2 << 20));
    second = open_image(repo, stats.root);
    g_assert_true(fsn_image_diff(first, second, count_runs, &runs, NULL));
    g_assert_cmpint(runs, ==, stats.stored);

    start = fsn_monotonic_us();
    {
        g_autoptr(FsnImageWriter) writer = new_disk(repo, second);

        stats = commit_writer(writer);
    }
    report("unchanged", start, &stats);
    g_assert_cmpint(stats.bytes_stored, <=, 2 << 20);
    g_assert_cmpint(fsn_monotonic_us() - start, <, G_USEC_PER_SEC);
    g_assert_cmpint(peak_kib(), <, LIMIT_KIB);
    /* While it is open its lease is renewed, which puts a file where one is removed. */
    g_clear_pointer(&first, fsn_image_free);
    g_clear_pointer(&second, fsn_image_free);
    g_clear_pointer(&repo, fsn_repo_free);
    g_assert_cmpint(system(command), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk/bounded", test_disk);
    return g_test_run();
}
