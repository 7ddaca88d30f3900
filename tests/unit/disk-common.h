/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "disk/capture.h"
#include "nbd-server.h"
#include "repo-common.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the tests of src/disk share: a folder with a repository in memory, and comparing an
 * image with a file. */

typedef struct {
    char *dir;
    char *file; /* of the disk */
    FsnRepo *repo;
} Lab;

static inline Lab *
lab_new(void)
{
    g_autoptr(GError) error = NULL;
    Lab *lab = g_new0(Lab, 1);

    lab->dir = g_dir_make_tmp("foresnap-test-XXXXXX", &error);
    g_assert_no_error(error);
    lab->file = g_build_filename(lab->dir, "disk", NULL);
    lab->repo = memory_repo();
    return lab;
}

static inline void
lab_free(Lab *lab)
{
    fsn_repo_free(lab->repo);
    test_run("rm -r '%s'", lab->dir);
    g_free(lab->file);
    g_free(lab->dir);
    g_free(lab);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lab, lab_free)

static inline FsnDiskCaptureOptions
capture_options(Lab *lab, TestNbd *server)
{
    return (FsnDiskCaptureOptions){
        .socket = server->path,
        .export_name = "",
        .repo = lab->repo,
        .codec = FSN_CODEC_LZ4,
        .threads = 2,
    };
}

static inline void
capture_ok(const FsnDiskCaptureOptions *options, FsnDiskCaptureResult *out)
{
    g_autoptr(GError) error = NULL;
    bool ok = fsn_disk_capture(options, out, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
}

/* The capture fails with @code; returns the message. */
static inline char *
capture_fails(const FsnDiskCaptureOptions *options, FsnError code)
{
    g_autoptr(GError) error = NULL;
    FsnDiskCaptureResult result;

    g_assert_false(fsn_disk_capture(options, &result, &error));
    g_assert_error(error, FSN_ERROR, (int)code);
    return g_strdup(error->message);
}

/* Image @root is what @file holds, padded with zeroes. */
static inline void
assert_image_is_file(FsnRepo *repo, const char *root, const char *file)
{
    g_autoptr(FsnImage) image = open_image(repo, root);
    g_autoptr(FsnImageReader) reader = fsn_image_reader_new(image);
    g_autoptr(GError) error = NULL;
    uint8_t wanted[FSN_GRANULE_SIZE], found[FSN_GRANULE_SIZE];
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    struct stat st;
    bool zero;

    g_assert_cmpint(fd, >=, 0);
    g_assert_no_errno(fstat(fd, &st));
    g_assert_cmpuint(fsn_image_n_granules(image), ==, (st.st_size + 4095) / 4096);
    for (uint64_t i = 0; i < fsn_image_n_granules(image); i++) {
        memset(wanted, 0, sizeof wanted);
        g_assert_cmpint(pread(fd, wanted, sizeof wanted, (off_t)i * FSN_GRANULE_SIZE), >,
                        0);
        if (!fsn_image_reader_read(reader, i, found, &zero, &error)) {
            g_error("granule %" G_GUINT64_FORMAT ": %s", i, error->message);
        }
        if (memcmp(found, wanted, sizeof wanted) != 0) {
            g_error("granule %" G_GUINT64_FORMAT " differs", i);
        }
    }
    close(fd);
}

/* How many granules of image @root are of @kind. */
static inline uint64_t
count_kind(FsnRepo *repo, const char *root, FsnGranuleKind kind)
{
    g_autoptr(FsnImage) image = open_image(repo, root);
    FsnGranule granule;
    uint64_t n = 0;

    for (uint64_t i = 0; i < fsn_image_n_granules(image); i++) {
        g_assert_true(fsn_image_lookup(image, i, &granule, NULL));
        n += granule.kind == kind;
    }
    return n;
}
