/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-disk SOCKET REPOSITORY CODEC [PARENT [BITMAP]] : captures the default export of an NBD
 * server and prints wall and processor seconds, bytes read and stored, and the image.
 */
#include "config.h"

#include "disk/capture.h"

#include <stdio.h>
#include <sys/resource.h>

static double
cpu_s(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u); /* cannot fail */
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static bool
run(char **argv, int argc, GError **error)
{
    g_autoptr(FsnRepo) repo = fsn_repo_open(argv[2], FSN_REPO_CREATE, error);
    g_autoptr(FsnImage) parent = NULL;
    g_auto(FsnDiskCaptureResult) result = { 0 };
    FsnDiskCaptureOptions options = {
        .socket = argv[1],
        .export_name = "",
        .repo = repo,
        .bitmap = argc > 5 ? argv[5] : NULL,
    };
    int64_t start_us;

    if (!repo || !fsn_codec_from_string(argv[3], &options.codec, error)) {
        return false;
    }
    if (argc > 4) {
        parent = fsn_image_open(repo, argv[4], error);
        if (!parent) {
            return false;
        }
        options.parent = parent;
    }
    start_us = g_get_monotonic_time();
    if (!fsn_disk_capture(&options, &result, error)) {
        return false;
    }
    printf("%.3f %.3f %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %s\n",
           (double)(g_get_monotonic_time() - start_us) / 1e6, cpu_s(), result.bytes_read,
           result.image.bytes_stored, result.image.root);
    return true;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (argc < 4 || argc > 6) {
        fprintf(stderr, "usage: bench-disk SOCKET REPOSITORY CODEC [PARENT [BITMAP]]\n");
        return 2;
    }
    if (!run(argv, argc, &error)) {
        fprintf(stderr, "bench-disk: %s\n", error->message);
        return 1;
    }
    return 0;
}
