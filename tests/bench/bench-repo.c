/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Throughput of the repository: bench-repo FOLDER [MiB [THREADS]]. Writes an image of random
 * and one of compressible data with each codec, a second image with 2 % changed, and reads
 * them back; prints MB/s of granules, processor seconds and bytes stored.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "repo/image-writer.h"
#include "repo/image.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define POOL_BYTES ((size_t)64 << 20)
#define POOL       (POOL_BYTES / FSN_GRANULE_SIZE)

static FsnRepo *repo;
static uint64_t n_granules;
static unsigned n_threads;

static double
cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static long
peak_kib(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

/* Half of each granule random, half text: about the ratio of a guest's memory. */
static uint8_t *
make_pool(bool compressible)
{
    uint8_t *pool = g_malloc(POOL_BYTES);
    const char *text = "the quick brown fox jumps over the lazy dog 0123456789; ";

    for (size_t i = 0; i < POOL_BYTES; i += 1 << 20) {
        fsn_random_bytes(pool + i, 1 << 20);
    }
    for (size_t i = 0; compressible && i < POOL_BYTES; i += 64) {
        if (i / 64 % 5 > 1) {
            memcpy(pool + i, text + pool[i] % 8, 40);
        }
    }
    return pool;
}

static void
fail_on(bool ok, GError *error)
{
    if (!ok) {
        g_error("%s", error->message);
    }
}

/* Granule @i of generation @generation; every 50th changes with it. */
static const uint8_t *
granule(uint8_t *pool, uint64_t i, unsigned generation)
{
    uint8_t *p = pool + i % POOL * FSN_GRANULE_SIZE;
    uint64_t stamp = i * 16 + (i % 50 == 0 ? generation : 0) + 1;

    memcpy(p + 128, &stamp, sizeof stamp);
    return p;
}

static FsnImageStats
write_image(uint8_t *pool,
            FsnCodec codec,
            FsnImage *parent,
            unsigned generation,
            const char *what)
{
    FsnImageWriterOptions options = {
        .n_granules = n_granules, .parent = parent, .codec = codec, .threads = n_threads
    };
    double cpu = cpu_seconds();
    int64_t start = fsn_monotonic_us(), put, end;
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnImageWriter) writer = fsn_image_writer_new(repo, &options, &error);
    FsnImageStats stats;
    double mb = (double)n_granules * FSN_GRANULE_SIZE / 1e6;

    fail_on(writer, error);
    for (uint64_t i = 0; i < n_granules; i++) {
        fail_on(fsn_image_writer_put(writer, i, granule(pool, i, generation), &error),
                error);
    }
    put = fsn_monotonic_us();
    fail_on(fsn_image_writer_settle(writer, &error), error);
    end = fsn_monotonic_us();
    fail_on(fsn_image_writer_commit(writer, &stats, &error), error);
    g_print("write %-12s %-4s put %5.0f MB/s, settle %4.0f ms, commit %5.1f ms, whole "
            "%5.0f MB/s, cpu %.2f s, stored %.1f MiB (index %.2f)\n",
            what, fsn_codec_to_string(codec), mb * 1e6 / (double)(put - start),
            (double)(end - put) / 1e3, (double)(fsn_monotonic_us() - end) / 1e3,
            mb * 1e6 / (double)(fsn_monotonic_us() - start), cpu_seconds() - cpu,
            (double)stats.bytes_stored / 1048576, (double)stats.bytes_index / 1048576);
    return stats;
}

static void
read_image(const char *root, const char *what)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnImage) image = fsn_image_open(repo, root, &error);
    g_autoptr(FsnImageReader) reader = NULL;
    uint8_t data[FSN_GRANULE_SIZE];
    int64_t start = fsn_monotonic_us();
    double cpu = cpu_seconds();
    uint64_t seed = 1, n = 2000;
    bool zero;

    fail_on(image, error);
    reader = fsn_image_reader_new(image);
    for (uint64_t i = 0; i < n_granules; i++) {
        fail_on(fsn_image_reader_read(reader, i, data, &zero, &error), error);
    }
    g_print("read  %-12s one thread %5.0f MB/s, cpu %.2f s\n", what,
            (double)n_granules * FSN_GRANULE_SIZE / (double)(fsn_monotonic_us() - start),
            cpu_seconds() - cpu);
    start = fsn_monotonic_us();
    for (uint64_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        fail_on(
            fsn_image_reader_read(reader, (seed >> 20) % n_granules, data, &zero, &error),
            error);
    }
    g_print("read  %-12s at random %.1f us each\n", what,
            (double)(fsn_monotonic_us() - start) / (double)n);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    FsnCodec codecs[] = { FSN_CODEC_NONE, FSN_CODEC_LZ4, FSN_CODEC_ZSTD };

    if (argc < 2) {
        g_printerr("usage: bench-repo FOLDER [MiB [THREADS]]\n");
        return 2;
    }
    n_granules = (argc > 2 ? strtoull(argv[2], NULL, 10) : 1024) * 256;
    n_threads = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
    repo = fsn_repo_open(argv[1], FSN_REPO_CREATE, &error);
    fail_on(repo, error);
    for (int compressible = 0; compressible < 2; compressible++) {
        const char *what = compressible ? "compressible" : "random";
        g_autofree uint8_t *pool = make_pool(compressible);

        for (size_t c = 0; c < G_N_ELEMENTS(codecs); c++) {
            FsnImageStats first = write_image(pool, codecs[c], NULL, 0, what);
            g_autoptr(FsnImage) parent = fsn_image_open(repo, first.root, NULL);

            read_image(first.root, what);
            if (c == 2) {
                write_image(pool, codecs[c], parent, 1, "2 % changed");
                write_image(pool, codecs[c], parent, 0, "unchanged");
            }
        }
    }
    g_print("peak memory %ld MiB (64 of them the data)\n", peak_kib() / 1024);
    fsn_repo_free(repo);
    return 0;
}
