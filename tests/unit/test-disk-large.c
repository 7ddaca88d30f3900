/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory does not depend on the disk: 100 GB of holes with some data between them, twice, the
 * second time compared with the first; and, with FSN_SLOW_TESTS=1, 1 TB of which 1 GB is data.
 */
#include "config.h"

#include "disk-common.h"

#include <sys/resource.h>

#define GB ((uint64_t)1000 * 1000 * 1000)
/* The address sanitizer keeps freed memory back and shadows all of it. */
#ifdef __SANITIZE_ADDRESS__
#define LIMIT_KIB (1024 * 1024)
#else
#define LIMIT_KIB (192 * 1024)
#endif

static long
peak_kib(void)
{
    struct rusage usage;

    g_assert_cmpint(getrusage(RUSAGE_SELF, &usage), ==, 0);
    return usage.ru_maxrss;
}

/* @n times @len bytes, spread over the disk. */
static void
write_spread(const char *file, uint64_t size, unsigned n, size_t len, uint64_t seed)
{
    g_autofree uint8_t *data = g_malloc(len);
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    g_assert_cmpint(fd, >=, 0);
    g_assert_no_errno(ftruncate(fd, (off_t)size));
    for (unsigned i = 0; i < n; i++) {
        for (size_t at = 0; at < len; at += FSN_GRANULE_SIZE) {
            fill_granule(data + at, seed + i * 1000 + at % 65536);
        }
        g_assert_cmpint(pwrite(fd, data, len, (off_t)(size / n * i / 4096 * 4096)), ==,
                        len);
    }
    close(fd);
}

static void
test_large(void)
{
    bool slow =
        g_getenv("FSN_SLOW_TESTS") && g_str_equal(g_getenv("FSN_SLOW_TESTS"), "1");
    uint64_t size = slow ? 1000 * GB : 100 * GB;
    unsigned n = slow ? 1000 : 256;
    g_auto(FsnDiskCaptureResult) first = { 0 }, second = { 0 };
    g_autoptr(Lab) lab = lab_new();
    g_autofree char *folder = g_build_filename(lab->dir, "repo", NULL);
    g_autoptr(FsnRepo) repo = NULL;
    g_autoptr(FsnImage) parent = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(TestNbd) server = NULL;
    FsnDiskCaptureOptions options;
    int64_t start_us = g_get_monotonic_time();

    if (!test_have("nbdkit", NULL)) {
        return;
    }
    write_spread(lab->file, size, n, 1 << 20, 1);
    repo = fsn_repo_open(folder, FSN_REPO_CREATE, &error);
    g_assert_no_error(error);
    server = test_nbd_new("nbdkit", "-f", "file", lab->file, NULL);
    options = capture_options(lab, server);
    options.repo = repo;
    options.codec = FSN_CODEC_ZSTD;
    options.threads = 0;
    capture_ok(&options, &first);
    g_assert_cmpuint(first.bytes_read, >=, (uint64_t)n << 20);
    g_assert_cmpuint(first.bytes_read, <=, (uint64_t)n << 21);

    write_spread(lab->file, size, 16, 8192, 999999);
    parent = open_image(repo, first.image.root);
    options.parent = parent;
    capture_ok(&options, &second);
    g_assert_cmpuint(second.image.stored, <=, 32);
    g_assert_cmpuint(second.image.bytes_stored, <, 2 << 20);
    g_test_message("peak %ld MiB, %.1f s", peak_kib() / 1024,
                   (double)(g_get_monotonic_time() - start_us) / 1e6);
    g_assert_cmpint(peak_kib(), <=, LIMIT_KIB);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk/large", test_large);
    return g_test_run();
}
