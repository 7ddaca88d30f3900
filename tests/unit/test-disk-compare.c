/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/disk/compare.c: what differs is found to the granule, wherever it is and whatever kind it
 * was; what a bitmap calls dirty is passed over. */
#include "config.h"

#include "disk-common.h"

#include "disk/compare.h"
#include "disk/offline.h"

#define MIB ((uint64_t)1 << 20)

static bool
have_qemu(void)
{
    return test_have("qemu-img", "qemu-nbd", "qemu-io", NULL);
}

static char *
capture(Lab *lab, const char *format)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnDiskOffline) offline =
        fsn_disk_offline_new(lab->file, format, NULL, &error);
    g_auto(FsnDiskCaptureResult) result = { 0 };
    FsnDiskCaptureOptions options = { .export_name = "",
                                      .repo = lab->repo,
                                      .codec = FSN_CODEC_LZ4 };

    g_assert_no_error(error);
    options.socket = fsn_disk_offline_socket(offline);
    capture_ok(&options, &result);
    return g_strdup(result.image.root);
}

static bool
compare(Lab *lab,
        const char *root,
        const char *format,
        const char *bitmap,
        FsnDiskCompareResult *out,
        GError **error)
{
    g_autoptr(FsnDiskOffline) offline =
        fsn_disk_offline_new(lab->file, format, bitmap, error);
    g_autofree char *context =
        bitmap ? g_strconcat("qemu:dirty-bitmap:", bitmap, NULL) : NULL;
    g_autoptr(FsnImage) image = open_image(lab->repo, root);
    FsnDiskCompareOptions options = { .export_name = "",
                                      .bitmap = context,
                                      .image = image };

    g_assert_nonnull(offline);
    options.socket = fsn_disk_offline_socket(offline);
    return fsn_disk_compare(&options, out, error);
}

static void
assert_range(const FsnDiskCompareResult *r, guint i, uint64_t offset, uint64_t length)
{
    const FsnDiskRange *range = &g_array_index(r->ranges, FsnDiskRange, i);

    g_assert_cmpuint(range->offset, ==, offset);
    g_assert_cmpuint(range->length, ==, length);
}

static void
put(const char *file, const char *text, uint64_t offset)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(pwrite(fd, text, strlen(text), (off_t)offset), ==,
                    (ssize_t)strlen(text));
    close(fd);
}

/* 20 MiB and an odd end: data, a hole, data. */
static void
make_raw(const char *file)
{
    test_run("truncate -s %" G_GUINT64_FORMAT " '%s'", 20 * MIB + 512, file);
    test_run("dd if=/dev/urandom of='%s' bs=1M count=3 conv=notrunc status=none", file);
    test_run("dd if=/dev/urandom of='%s' bs=1M count=1 seek=12 conv=notrunc status=none",
             file);
    put(file, "end", 20 * MIB + 509);
}

static void
test_all(void)
{
    g_autoptr(Lab) lab = lab_new();
    g_autofree char *root = NULL;
    g_autoptr(GError) error = NULL;
    g_auto(FsnDiskCompareResult) same = { 0 }, other = { 0 };

    if (!have_qemu()) {
        return;
    }
    make_raw(lab->file);
    root = capture(lab, "raw");
    g_assert_true(compare(lab, root, "raw", NULL, &same, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(same.compared, ==, 20 * MIB + 512);
    g_assert_cmpuint(same.passed_over, ==, 0);
    g_assert_cmpuint(same.n_ranges, ==, 0);
    put(lab->file, "junk", 4094);         /* two granules */
    put(lab->file, "junk", 8 * MIB + 10); /* in what was a hole */
    put(lab->file, "junk", 20 * MIB + 508);
    test_run("fallocate -p -o %" G_GUINT64_FORMAT " -l 1M '%s'", 12 * MIB, lab->file);
    g_assert_true(compare(lab, root, "raw", NULL, &other, &error));
    g_assert_cmpuint(other.n_ranges, ==, 4);
    g_assert_cmpuint(other.ranges->len, ==, 4);
    assert_range(&other, 0, 0, 8192);
    assert_range(&other, 1, 8 * MIB, 4096);
    assert_range(&other, 2, 12 * MIB, MIB);
    assert_range(&other, 3, 20 * MIB, 512);
    g_assert_cmpuint(other.differing, ==, 8192 + 4096 + MIB + 512);
}

static void
test_bitmap(void)
{
    g_autoptr(Lab) lab = lab_new();
    g_autofree char *root = NULL;
    g_autoptr(GError) error = NULL;
    g_auto(FsnDiskCompareResult) same = { 0 }, other = { 0 };

    if (!have_qemu()) {
        return;
    }
    test_run("qemu-img create -q -f qcow2 '%s' 16M", lab->file);
    test_run("qemu-io -f qcow2 -c 'write -q -P 17 0 2M' '%s'", lab->file);
    root = capture(lab, "qcow2");
    test_run("qemu-img bitmap --add '%s' since", lab->file);
    test_run("qemu-io -f qcow2 -c 'write -q -P 18 1M 64k' -c 'write -q -P 1 9M 4k' '%s'",
             lab->file);
    g_assert_true(compare(lab, root, "qcow2", "since", &same, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(same.n_ranges, ==, 0);
    g_assert_cmpuint(same.passed_over, ==, 2 * 65536);
    g_assert_cmpuint(same.compared, ==, 16 * MIB - 2 * 65536);
    /* what no record knows of */
    test_run("qemu-img bitmap --disable '%s' since", lab->file);
    test_run(
        "qemu-io -f qcow2 -c 'write -q -P 19 512k 4k' -c 'write -q -P 1 15M 8k' '%s'",
        lab->file);
    g_assert_true(compare(lab, root, "qcow2", "since", &other, &error));
    g_assert_cmpuint(other.n_ranges, ==, 2);
    assert_range(&other, 0, MIB / 2, 4096);
    assert_range(&other, 1, 15 * MIB, 8192);
}

static void
test_size(void)
{
    g_autoptr(Lab) lab = lab_new();
    g_autofree char *root = NULL;
    g_autoptr(GError) error = NULL;
    FsnDiskCompareResult result;

    if (!have_qemu()) {
        return;
    }
    make_raw(lab->file);
    root = capture(lab, "raw");
    test_run("truncate -s 24M '%s'", lab->file);
    g_assert_false(compare(lab, root, "raw", NULL, &result, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_STATE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk/compare/all", test_all);
    g_test_add_func("/disk/compare/bitmap", test_bitmap);
    g_test_add_func("/disk/compare/size", test_size);
    return g_test_run();
}
