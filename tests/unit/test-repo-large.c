/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory stays bounded whatever the size: a synthetic image of 16 GiB, or with
 * FSN_SLOW_TESTS=1 of 256 GiB, half zero, the rest mostly repeats; then a second one on top
 * of it. The limits are those of the largest guest, whatever its size here.
 */
#include "config.h"

#include "repo-common.h"

#include <stdlib.h>
#include <sys/resource.h>

/* The address sanitizer keeps freed memory back and shadows all of it. */
#ifdef __SANITIZE_ADDRESS__
#define LIMIT_KIB (2048 * 1024)
#else
#define LIMIT_KIB (512 * 1024)
#endif

/* A repeat, a zero or, now and then, something of its own. */
static uint64_t
seed_of(uint64_t granule, unsigned generation)
{
    if (granule % 1021 == 0) {
        return 1000000 + granule + (granule % 7 == 0 ? generation : 0);
    }
    return granule % 4096 < 2048 ? 1 + granule % 61 : 0;
}

static FsnImageStats
write_image(FsnRepo *repo, uint64_t n, FsnImage *parent, unsigned generation)
{
    g_autoptr(FsnImageWriter) writer = new_writer(repo, n, parent);
    static uint8_t repeats[62][FSN_GRANULE_SIZE];
    uint8_t own[FSN_GRANULE_SIZE];

    for (uint64_t i = 1; i < 62; i++) {
        fill_granule(repeats[i], i);
    }
    for (uint64_t i = 0; i < n; i++) {
        uint64_t seed = seed_of(i, generation);
        const uint8_t *data = seed == 0 ? NULL : own;

        if (seed >= 62) {
            fill_granule(own, seed);
        } else if (seed > 0) {
            data = repeats[seed];
        }
        g_assert_true(fsn_image_writer_put(writer, i, data, NULL));
    }
    return commit_writer(writer);
}

static long
peak_kib(void)
{
    struct rusage usage;

    g_assert_cmpint(getrusage(RUSAGE_SELF, &usage), ==, 0);
    return usage.ru_maxrss;
}

static void
test_large(void)
{
    uint64_t gib = g_getenv("FSN_SLOW_TESTS") ? 256 : 16;
    uint64_t n = gib << 18;
    g_autofree char *dir = g_dir_make_tmp("fsn-large-XXXXXX", NULL);
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", dir);
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnRepo) repo = fsn_repo_open(dir, FSN_REPO_CREATE, &error);
    g_autoptr(FsnImage) first = NULL;
    g_autoptr(FsnImage) second = NULL;
    g_autoptr(FsnImageReader) reader = NULL;
    FsnImageStats stats;
    int64_t start = g_get_monotonic_time();

    g_assert_no_error(error);
    stats = write_image(repo, n, NULL, 0);
    g_test_message("first: %.1f s, %.1f MiB stored, index %.1f MiB, peak %ld MiB",
                   (double)(g_get_monotonic_time() - start) / 1e6,
                   (double)stats.bytes_stored / 1048576,
                   (double)stats.bytes_index / 1048576, peak_kib() / 1024);
    first = open_image(repo, stats.root);
    start = g_get_monotonic_time();
    stats = write_image(repo, n, first, 1);
    g_test_message("second: %.1f s, %.1f MiB stored, index %.1f MiB, peak %ld MiB",
                   (double)(g_get_monotonic_time() - start) / 1e6,
                   (double)stats.bytes_stored / 1048576,
                   (double)stats.bytes_index / 1048576, peak_kib() / 1024);
    g_assert_cmpint(stats.stored, >, 0);
    g_assert_cmpint(stats.stored, <=, n / 7000);
    g_assert_cmpint(stats.bytes_stored, <, stats.stored * 4096 * 11 / 10 + (1 << 20));
    second = open_image(repo, stats.root);
    /* An unchanged image of 100 GB costs at most 2 MiB, all told. */
    stats = write_image(repo, n, second, 1);
    g_test_message("third, unchanged: %" G_GUINT64_FORMAT " bytes", stats.bytes_stored);
    g_assert_cmpint(stats.stored, ==, 0);
    g_assert_cmpint(stats.bytes_stored, <=, (gib << 21) / 93);
    reader = fsn_image_reader_new(second);
    for (uint64_t i = 0; i < n; i += 4093) {
        assert_seed(reader, i, seed_of(i, 1));
    }
    g_assert_cmpint(peak_kib(), <, LIMIT_KIB);
    g_assert_cmpint(system(command), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/large/bounded-memory", test_large);
    return g_test_run();
}
