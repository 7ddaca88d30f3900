/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/disk/capture.c with real servers: what is on the disk is what is in the image, and
 * nothing is read that need not be.
 */
#include "config.h"

#include "disk-common.h"
#include "sparse-disk.h"

#include <errno.h>
#include <signal.h>

#define KIB ((uint64_t)1024)
#define MIB ((uint64_t)1 << 20)

/* Writes @len bytes that depend on @seed at @offset of @file. */
static void
write_data(const char *file, uint64_t offset, uint64_t len, uint64_t seed)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    uint8_t data[FSN_GRANULE_SIZE];

    g_assert_cmpint(fd, >=, 0);
    for (uint64_t at = 0; at < len; at += sizeof data) {
        size_t n = MIN(sizeof data, len - at);

        fill_granule(data, seed + at);
        g_assert_cmpint(pwrite(fd, data, n, (off_t)(offset + at)), ==, n);
    }
    close(fd);
}

/* A disk with data, zeroes that are allocated, holes, and an odd end. */
static void
make_disk(const char *file, uint64_t size)
{
    g_autofree uint8_t *zeroes = g_malloc0(256 * KIB);
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    g_assert_no_errno(ftruncate(fd, (off_t)size));
    g_assert_cmpint(pwrite(fd, zeroes, 256 * KIB, 10 * MIB), ==, 256 * KIB);
    close(fd);
    write_data(file, 0, 3 * MIB + 5 * KIB, 1);
    write_data(file, 7 * MIB + 4 * KIB, 4 * KIB, 1000000007);
    write_data(file, size - 1000, 1000, 1000000009);
}

/* Captures the lab's file as raw disk through nbdkit, with @option among its arguments. */
static void
capture_file(Lab *lab, FsnImage *parent, const char *option, FsnDiskCaptureResult *out)
{
    g_autoptr(TestNbd) server =
        test_nbd_new("nbdkit", "-f", option, "file", lab->file, NULL);
    FsnDiskCaptureOptions options = capture_options(lab, server);

    options.parent = parent;
    capture_ok(&options, out);
}

static void
test_full(void)
{
    uint64_t size = 20 * MIB + 1234;
    g_auto(FsnDiskCaptureResult) result = { 0 };
    g_autoptr(Lab) lab = lab_new();
    uint64_t holes;

    if (!test_have("nbdkit", NULL)) {
        return;
    }
    make_disk(lab->file, size);
    capture_file(lab, NULL, "-r", &result);
    g_assert_cmpuint(result.size, ==, size);
    g_assert_cmpuint(result.bytes_read, >, 3 * MIB);
    g_assert_cmpuint(result.bytes_read, <, 4 * MIB);
    g_assert_cmpuint(result.bytes_dirty, ==, 0);
    g_assert_cmpuint(result.partitions->len, ==, 0);
    assert_image_is_file(lab->repo, result.image.root, lab->file);
    holes = count_kind(lab->repo, result.image.root, FSN_GRANULE_HOLE);
    g_assert_cmpuint(holes, >, 16 * MIB / FSN_GRANULE_SIZE);
}

/* Without extents, and without structured replies, everything is read. */
static void
test_no_extents(void)
{
    uint64_t size = 3 * MIB + 100;

    for (const char *const *option =
             (const char *const[]){ "--filter=noextents", "--no-sr", NULL };
         *option; option++) {
        g_auto(FsnDiskCaptureResult) result = { 0 };
        g_autoptr(Lab) lab = lab_new();

        if (!test_have("nbdkit", NULL)) {
            return;
        }
        write_data(lab->file, MIB, MIB / 2, 1);
        g_assert_no_errno(truncate(lab->file, (off_t)size));
        capture_file(lab, NULL, *option, &result);
        g_assert_cmpuint(result.bytes_read, ==, size);
        assert_image_is_file(lab->repo, result.image.root, lab->file);
        g_assert_cmpuint(count_kind(lab->repo, result.image.root, FSN_GRANULE_HOLE), ==,
                         0);
    }
}

/* The second image of a disk costs what has changed, also where data became a hole. */
static void
test_compare(void)
{
    g_auto(FsnDiskCaptureResult) first = { 0 }, second = { 0 };
    g_autoptr(Lab) lab = lab_new();
    g_autoptr(FsnImage) parent = NULL;

    if (!test_have("nbdkit", "fallocate", NULL)) {
        return;
    }
    make_disk(lab->file, 20 * MIB + 1234);
    capture_file(lab, NULL, "-r", &first);
    parent = open_image(lab->repo, first.image.root);
    write_data(lab->file, 64 * KIB, 8 * KIB, 77);
    write_data(lab->file, 15 * MIB + 512, 512, 78);
    test_run("fallocate --punch-hole --offset 1MiB --length 1MiB '%s'", lab->file);
    capture_file(lab, parent, "-r", &second);
    g_assert_cmpuint(second.image.stored, ==, 3);
    g_assert_cmpuint(second.bytes_read, <, 3 * MIB);
    assert_image_is_file(lab->repo, second.image.root, lab->file);
}

/* Bytes of @file that are not zero, up to @end. */
static uint64_t
count_left(const char *file, uint64_t end)
{
    g_autofree char *contents = NULL;
    uint64_t n = 0;

    g_assert_true(g_file_get_contents(file, &contents, NULL, NULL));
    for (uint64_t i = 0; i < end; i++) {
        n += contents[i] != 0;
    }
    return n;
}

/* A server that throws away what it is told about: no cluster before it was read, and none of
 * which only a part was. */
static void
test_forget(void)
{
    uint64_t size = 20 * MIB + 40 * KIB;
    g_auto(FsnDiskCaptureResult) result = { 0 };
    g_autoptr(TestNbd) server = NULL;
    g_autoptr(Lab) lab = lab_new();
    g_autofree char *copy = g_strconcat(lab->file, ".copy", NULL);
    FsnDiskCaptureOptions options;

    if (!test_have("nbdkit", NULL)) {
        return;
    }
    make_disk(lab->file, size);
    write_data(lab->file, 20 * MIB, 40 * KIB, 3);
    test_run("cp --sparse=always '%s' '%s'", lab->file, copy);
    server = test_nbd_new("nbdkit", "-f", "file", copy, NULL);
    options = capture_options(lab, server);
    capture_ok(&options, &result);
    test_run("cmp '%s' '%s'", lab->file, copy);
    fsn_disk_capture_result_clear(&result);
    options.forget = 64 * KIB;
    capture_ok(&options, &result);
    assert_image_is_file(lab->repo, result.image.root, lab->file);
    g_assert_cmpuint(count_left(copy, 3 * MIB), ==, 0);
    test_run("cmp -i 20971520 '%s' '%s'", lab->file, copy);
}

static void
test_small(void)
{
    static const uint64_t sizes[] = { 0, 1, 511, 4095, 4096, 4097, 524287, 524289 };

    if (!test_have("nbdkit", NULL)) {
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_auto(FsnDiskCaptureResult) result = { 0 };
        g_autoptr(Lab) lab = lab_new();

        write_data(lab->file, 0, sizes[i], 5 + i);
        capture_file(lab, NULL, "-r", &result);
        g_assert_cmpuint(result.size, ==, sizes[i]);
        g_assert_cmpuint(result.bytes_read, ==, sizes[i]);
        assert_image_is_file(lab->repo, result.image.root, lab->file);
    }
}

/* Answers come in another order than the questions. */
static void
test_order(void)
{
    g_auto(FsnDiskCaptureResult) result = { 0 };
    g_autoptr(Lab) lab = lab_new();
    g_autofree char *pread = g_strdup_printf(
        "pread=case $4 in 0|1048576|2621440) sleep 0.2 ;; esac; "
        "dd if='%s' skip=$4 count=$3 iflag=count_bytes,skip_bytes status=none",
        lab->file);
    g_autoptr(TestNbd) server = NULL;
    FsnDiskCaptureOptions options;

    if (!test_have("nbdkit", NULL)) {
        return;
    }
    write_data(lab->file, 0, 6 * MIB, 1);
    server = test_nbd_new("nbdkit", "-f", "eval", "thread_model=echo parallel",
                          "get_size=echo 6291456", pread, NULL);
    options = capture_options(lab, server);
    capture_ok(&options, &result);
    assert_image_is_file(lab->repo, result.image.root, lab->file);
}

/* A read that fails, wherever it is, fails the capture, and names the place. */
static void
test_error_anywhere(void)
{
    if (!test_have("nbdkit", NULL)) {
        return;
    }
    for (uint64_t bad = 0; bad < 20; bad++) {
        g_autoptr(Lab) lab = lab_new();
        g_autofree char *pread = g_strdup_printf("pread=[ $4 != %" G_GUINT64_FORMAT
                                                 " ] || { echo EIO bad >&2; exit 1; }; "
                                                 "head -c $3 /dev/zero",
                                                 bad * 512 * KIB);
        g_autofree char *place =
            g_strdup_printf("at %" G_GUINT64_FORMAT, bad * 512 * KIB);
        g_autoptr(TestNbd) server =
            test_nbd_new("nbdkit", "-f", "eval", "thread_model=echo parallel",
                         "get_size=echo 10485760", pread, NULL);
        FsnDiskCaptureOptions options = capture_options(lab, server);
        g_autofree char *message = capture_fails(&options, FSN_ERROR_FAILED);

        g_assert_nonnull(strstr(message, place));
        g_assert_nonnull(strstr(message, g_strerror(EIO)));
    }
}

/* Errors here and there: never an image, unless there was none. */
static void
test_error_filter(void)
{
    g_autoptr(Lab) lab = lab_new();

    if (!test_have("nbdkit", NULL)) {
        return;
    }
    make_disk(lab->file, 40 * MIB);
    for (unsigned i = 0; i < 12; i++) {
        g_autofree char *rate =
            g_strdup_printf("error-%s-rate=%u%%", i % 2 ? "pread" : "extents", 4 * i);
        g_autoptr(TestNbd) server =
            test_nbd_new("nbdkit", "-f", "--filter=error", "file", lab->file, rate, NULL);
        FsnDiskCaptureOptions options = capture_options(lab, server);
        g_auto(FsnDiskCaptureResult) result = { 0 };
        g_autoptr(GError) error = NULL;

        if (fsn_disk_capture(&options, &result, &error)) {
            assert_image_is_file(lab->repo, result.image.root, lab->file);
        } else {
            g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
        }
    }
}

/* What the progress function of a test does once data have come. */
typedef struct {
    TestNbd *server;
    int signal;  /* to the server; 0: none */
    gint cancel; /* what it becomes */
    bool acted;
    uint64_t last_done, last_total;
} Watcher;

static void
on_progress(gpointer user, uint64_t done, uint64_t total)
{
    Watcher *w = user;

    g_assert_cmpuint(done, >=, w->last_done);
    g_assert_cmpuint(done, <=, total);
    w->last_done = done;
    w->last_total = total;
    if (done > 0 && !w->acted) {
        w->acted = true;
        if (w->signal) {
            kill(w->server->pid, w->signal);
        } else {
            g_atomic_int_set(&w->cancel, 1);
        }
    }
}

/* A slow capture in the middle of which something happens. */
static void
interrupted(int sig, FsnError code)
{
    g_autoptr(Lab) lab = lab_new();
    g_autoptr(TestNbd) server = NULL;
    Watcher watcher = { .signal = sig };
    FsnDiskCaptureOptions options;
    g_autofree char *message = NULL;
    int64_t start_us = g_get_monotonic_time();

    if (!test_have("nbdkit", NULL)) {
        return;
    }
    server = test_nbd_new("nbdkit", "-f", "--filter=delay", "pattern", "1G",
                          "rdelay=20ms", NULL);
    watcher.server = server;
    options = capture_options(lab, server);
    options.progress = on_progress;
    options.user = &watcher;
    options.cancel = &watcher.cancel;
    options.stall_us = 2 * G_USEC_PER_SEC;
    message = capture_fails(&options, code);
    g_assert_true(watcher.acted);
    g_assert_cmpuint(watcher.last_done, <, 1024 * MIB);
    g_assert_cmpint(g_get_monotonic_time() - start_us, <, 20 * G_USEC_PER_SEC);
}

static void
test_server_killed(void)
{
    interrupted(SIGKILL, FSN_ERROR_FAILED);
}

static void
test_server_hangs(void)
{
    interrupted(SIGSTOP, FSN_ERROR_TIMEOUT);
}

static void
test_cancel(void)
{
    interrupted(0, FSN_ERROR_CANCELLED);
}

static void
test_bandwidth(void)
{
    g_auto(FsnDiskCaptureResult) result = { 0 };
    g_autoptr(Lab) lab = lab_new();
    g_autoptr(TestNbd) server = NULL;
    FsnDiskCaptureOptions options;
    int64_t start_us;

    if (!test_have("nbdkit", NULL)) {
        return;
    }
    server = test_nbd_new("nbdkit", "-f", "pattern", "8M", NULL);
    options = capture_options(lab, server);
    options.bandwidth = 8 * MIB;
    start_us = g_get_monotonic_time();
    capture_ok(&options, &result);
    /* The last piece is paid for after it was read, and a burst is free. */
    g_assert_cmpint(g_get_monotonic_time() - start_us, >, 900000);
    g_assert_cmpuint(result.bytes_read, ==, 8 * MIB);
}

static void
test_progress(void)
{
    g_auto(FsnDiskCaptureResult) result = { 0 };
    g_autoptr(Lab) lab = lab_new();
    Watcher watcher = { .acted = true };
    g_autoptr(TestNbd) server = NULL;
    FsnDiskCaptureOptions options;

    if (!test_have("nbdkit", NULL)) {
        return;
    }
    make_disk(lab->file, 20 * MIB);
    server = test_nbd_new("nbdkit", "-f", "file", lab->file, NULL);
    options = capture_options(lab, server);
    options.progress = on_progress;
    options.user = &watcher;
    g_assert_true(fsn_disk_measure(&options, &result, NULL));
    g_assert_cmpuint(result.size, ==, 20 * MIB);
    g_assert_cmpuint(result.bytes_read, >, 3 * MIB);
    capture_ok(&options, &result);
    g_assert_cmpuint(watcher.last_done, ==, result.bytes_read);
    g_assert_cmpuint(watcher.last_total, ==, result.bytes_read);
}

static void
test_refused(void)
{
    g_autoptr(Lab) lab = lab_new();
    g_auto(FsnDiskCaptureResult) other = { 0 };
    g_autoptr(FsnImage) parent = NULL;
    FsnDiskCaptureOptions options;

    if (!test_have("nbdkit", NULL)) {
        return;
    }
    write_data(lab->file, 0, MIB, 1);
    capture_file(lab, NULL, "-r", &other);
    parent = open_image(lab->repo, other.image.root);
    {
        g_autoptr(TestNbd) server = test_nbd_new("nbdkit", "-f", "memory", "1M", NULL);
        g_autofree char *message = NULL;

        options = capture_options(lab, server);
        options.parent = parent;
        options.bitmap = "qemu:dirty-bitmap:absent";
        message = capture_fails(&options, FSN_ERROR_NOT_FOUND);
        g_assert_nonnull(strstr(message, "absent"));
    }
    {
        g_autoptr(TestNbd) server =
            test_nbd_new("nbdkit", "-f", "--filter=blocksize-policy", "memory", "1M",
                         "blocksize-minimum=64K", "blocksize-preferred=64K",
                         "blocksize-error-policy=error", NULL);
        g_autofree char *message = NULL;

        options = capture_options(lab, server);
        message = capture_fails(&options, FSN_ERROR_UNSUPPORTED);
    }
    {
        g_autofree char *message = NULL;

        options.socket = "/nonexistent/socket";
        message = capture_fails(&options, FSN_ERROR_FAILED);
    }
}

/* The partition table is read from the image. */
static void
test_partitions(void)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "tests", "fuzz", "corpus",
                                                  "partitions", "gpt", NULL);
    g_auto(FsnDiskCaptureResult) result = { 0 };
    g_autoptr(Lab) lab = lab_new();
    g_autofree char *table = NULL;
    SparseDisk disk = { 0 };
    gsize len;
    int fd;

    if (!test_have("nbdkit", NULL)) {
        return;
    }
    g_assert_true(g_file_get_contents(path, &table, &len, NULL));
    g_assert_true(sparse_disk_init(&disk, (const uint8_t *)table, len));
    fd = open(lab->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    g_assert_no_errno(ftruncate(fd, (off_t)disk.size));
    for (gsize at = SPARSE_HEADER; at < len; at += SPARSE_RECORD) {
        off_t offset = (off_t)fsn_get_le64(disk.data + at) * SPARSE_SECTOR;

        g_assert_cmpint(pwrite(fd, disk.data + at + 8, SPARSE_SECTOR, offset), ==,
                        SPARSE_SECTOR);
    }
    close(fd);
    capture_file(lab, NULL, "-r", &result);
    g_assert_cmpuint(result.partitions->len, ==, 2);
    g_assert_cmpuint(((FsnPartition *)result.partitions->pdata[1])->size, ==,
                     (uint64_t)3 << 30);
}

/* The server's own limits: pieces are no longer than it takes. */
static void
test_max_read(void)
{
    g_auto(FsnDiskCaptureResult) result = { 0 };
    g_autoptr(Lab) lab = lab_new();
    g_autoptr(TestNbd) server = NULL;
    FsnDiskCaptureOptions options;

    if (!test_have("nbdkit", NULL)) {
        return;
    }
    write_data(lab->file, 0, MIB, 1);
    server = test_nbd_new("nbdkit", "-f", "--filter=blocksize-policy", "file", lab->file,
                          "blocksize-minimum=4K", "blocksize-preferred=16K",
                          "blocksize-maximum=64K", "blocksize-error-policy=error", NULL);
    options = capture_options(lab, server);
    capture_ok(&options, &result);
    assert_image_is_file(lab->repo, result.image.root, lab->file);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk/capture/full", test_full);
    g_test_add_func("/disk/capture/no-extents", test_no_extents);
    g_test_add_func("/disk/capture/compare", test_compare);
    g_test_add_func("/disk/capture/forget", test_forget);
    g_test_add_func("/disk/capture/small", test_small);
    g_test_add_func("/disk/capture/order", test_order);
    g_test_add_func("/disk/capture/error-anywhere", test_error_anywhere);
    g_test_add_func("/disk/capture/error-filter", test_error_filter);
    g_test_add_func("/disk/capture/server-killed", test_server_killed);
    g_test_add_func("/disk/capture/server-hangs", test_server_hangs);
    g_test_add_func("/disk/capture/cancel", test_cancel);
    g_test_add_func("/disk/capture/bandwidth", test_bandwidth);
    g_test_add_func("/disk/capture/progress", test_progress);
    g_test_add_func("/disk/capture/refused", test_refused);
    g_test_add_func("/disk/capture/partitions", test_partitions);
    g_test_add_func("/disk/capture/max-read", test_max_read);
    return g_test_run();
}
