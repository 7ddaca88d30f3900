/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/disk/write-image.c: files end byte-identical and sparse, whatever was in them before;
 * what does not fit is refused; damage and cancellation end it.
 */
#include "config.h"

#include "disk/write-image.h"
#include "stored-disk-common.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *path;
    int fd;
    FsnRepo *repo;
    FsnImage *image;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *root = NULL;

    f->fd = g_file_open_tmp("foresnap-write-XXXXXX", &f->path, &error);
    g_assert_no_error(error);
    f->repo = memory_repo();
    root = store_disk(f->repo);
    f->image = open_image(f->repo, root);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    close(f->fd);
    g_unlink(f->path);
    g_free(f->path);
    fsn_image_free(f->image);
    fsn_repo_free(f->repo);
}

static void
write_whole(Fixture *f, unsigned threads)
{
    const FsnWriteImageOptions options = { .threads = threads };
    g_autofree uint8_t *wanted = disk_bytes();
    g_autofree char *found = NULL;
    g_autoptr(GError) error = NULL;
    FsnWriteImageStats stats;
    uint64_t data;
    gsize len;

    g_assert_true(
        fsn_write_image(f->image, DISK_SIZE, f->fd, f->path, &options, &stats, &error));
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(f->path, &found, &len, &error));
    g_assert_cmpmem(found, len, wanted, DISK_SIZE);
    g_assert_true(fsn_image_data_bytes(f->image, &data, &error));
    /* its last granule is a part of one */
    g_assert_cmpuint(stats.bytes_written, ==, data - 1536);
}

static void
test_new_file(Fixture *f, gconstpointer data)
{
    struct stat st;

    write_whole(f, GPOINTER_TO_UINT(data));
    g_assert_cmpint(fstat(f->fd, &st), ==, 0);
    /* the holes are holes: there is data in less than a fifth */
    g_assert_cmpuint((uint64_t)st.st_blocks * 512, <, DISK_SIZE / 4);
}

/* What was there before shows through nowhere. */
static void
test_old_contents(Fixture *f, gconstpointer data)
{
    size_t len = DISK_SIZE + GPOINTER_TO_UINT(data);
    g_autofree uint8_t *junk = g_malloc(len);
    struct stat st;

    memset(junk, 0xa5, len);
    g_assert_cmpint(pwrite(f->fd, junk, len, 0), ==, (gssize)len);
    write_whole(f, 3);
    g_assert_cmpint(fstat(f->fd, &st), ==, 0);
    g_assert_cmpint(st.st_size, ==, DISK_SIZE);
}

static void
test_too_small(Fixture *f, gconstpointer data)
{
    const FsnWriteImageOptions options = { 0 };
    g_autoptr(GError) error = NULL;
    FsnWriteImageStats stats;
    struct stat st;

    g_assert_cmpint(ftruncate(f->fd, (off_t)DISK_SIZE - 512), ==, 0);
    g_assert_false(
        fsn_write_image(f->image, DISK_SIZE, f->fd, f->path, &options, &stats, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
    g_assert_cmpint(fstat(f->fd, &st), ==, 0);
    g_assert_cmpint(st.st_size, ==, DISK_SIZE - 512);
    g_assert_cmpint(st.st_blocks, ==, 0);
}

static void
test_wrong_size(Fixture *f, gconstpointer data)
{
    const FsnWriteImageOptions options = { 0 };
    g_autoptr(GError) error = NULL;
    FsnWriteImageStats stats;

    g_assert_false(fsn_write_image(f->image, DISK_SIZE - FSN_GRANULE_SIZE, f->fd, f->path,
                                   &options, &stats, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_CORRUPT);
}

static void
test_not_a_file(Fixture *f, gconstpointer data)
{
    const FsnWriteImageOptions options = { 0 };
    g_autoptr(GError) error = NULL;
    FsnWriteImageStats stats;
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    g_assert_false(
        fsn_write_image(f->image, DISK_SIZE, fd, "null", &options, &stats, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
    close(fd);
}

static void
cancel_soon(uint64_t done, uint64_t total, gpointer user)
{
    g_assert_cmpuint(total, ==, DISK_SIZE);
    g_assert_cmpuint(done, <=, total);
    g_cancellable_cancel(user);
}

static void
test_cancel(Fixture *f, gconstpointer data)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    const FsnWriteImageOptions options = { .threads = 2,
                                           .cancellable = cancellable,
                                           .progress = cancel_soon,
                                           .user = cancellable };
    g_autoptr(GError) error = NULL;
    FsnWriteImageStats stats;

    g_assert_false(
        fsn_write_image(f->image, DISK_SIZE, f->fd, f->path, &options, &stats, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_CANCELLED);
}

/* A full device is an error of the write, not of the end. */
static void
test_write_error(Fixture *f, gconstpointer data)
{
    const FsnWriteImageOptions options = { .threads = 2 };
    g_autoptr(GError) error = NULL;
    FsnWriteImageStats stats;
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);

    g_assert_cmpint(ftruncate(f->fd, (off_t)DISK_SIZE), ==, 0);
    g_assert_false(
        fsn_write_image(f->image, DISK_SIZE, fd, f->path, &options, &stats, &error));
    g_assert_nonnull(strstr(error->message, f->path));
    close(fd);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, data, function) \
    g_test_add("/write-image/" name, Fixture, data, set_up, function, tear_down)
    ADD("new-file", GUINT_TO_POINTER(1), test_new_file);
    ADD("new-file/threads", GUINT_TO_POINTER(4), test_new_file);
    ADD("old-contents", GUINT_TO_POINTER(0), test_old_contents);
    ADD("old-contents/longer", GUINT_TO_POINTER(10000), test_old_contents);
    ADD("too-small", NULL, test_too_small);
    ADD("wrong-size", NULL, test_wrong_size);
    ADD("not-a-file", NULL, test_not_a_file);
    ADD("cancel", NULL, test_cancel);
    ADD("write-error", NULL, test_write_error);
    return g_test_run();
}
