/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/disk/capture.c with a persistent bitmap in a qcow2 file and qemu-nbd: only what is
 * dirty is read, and the image is the disk all the same.
 */
#include "config.h"

#include "disk-common.h"

#define MIB      ((uint64_t)1 << 20)
#define DISK_MIB 64

static bool
have_qemu(void)
{
    return test_have("qemu-img", "qemu-nbd", "qemu-io", NULL);
}

static void
io(Lab *lab, const char *command)
{
    test_run("qemu-io -f qcow2 -d unmap -c '%s' '%s'", command, lab->file);
}

static void
add_bitmap(Lab *lab, const char *name)
{
    test_run("qemu-img bitmap -f qcow2 --add -g 65536 '%s' %s", lab->file, name);
}

static void
capture_qcow2(Lab *lab, FsnImage *parent, const char *bitmap, FsnDiskCaptureResult *out)
{
    g_autofree char *context = g_strconcat("qemu:dirty-bitmap:", bitmap, NULL);
    g_autoptr(TestNbd) server =
        test_nbd_new("qemu-nbd", "--read-only", "--shared=8", "-f", "qcow2", lab->file,
                     bitmap ? "-B" : "--persistent", bitmap, NULL);
    FsnDiskCaptureOptions options = capture_options(lab, server);

    options.parent = parent;
    options.bitmap = bitmap ? context : NULL;
    capture_ok(&options, out);
}

static void
assert_is_disk(Lab *lab, const FsnDiskCaptureResult *result)
{
    g_autofree char *raw = g_strconcat(lab->file, ".raw", NULL);

    test_run("qemu-img convert -f qcow2 -O raw '%s' '%s'", lab->file, raw);
    assert_image_is_file(lab->repo, result->image.root, raw);
}

static void
make_qcow2(Lab *lab)
{
    test_run("qemu-img create -q -f qcow2 '%s' %dM", lab->file, DISK_MIB);
    io(lab, "write -q -P 17 0 8M");
    io(lab, "write -q -P 18 20M 5M");
    io(lab, "write -q -z 30M 2M");
}

static void
test_increments(void)
{
    static const char *const changes[] = {
        "write -q -P 33 1M 4k", "write -q -P 34 1052k 4k", "write -q -P 35 40M 100k",
        "discard -q 21M 1M",    "write -q -z -u 3M 128k",  "write -q -z 4M 64k",
    };
    g_auto(FsnDiskCaptureResult) first = { 0 }, second = { 0 }, third = { 0 };
    g_autoptr(Lab) lab = lab_new();
    g_autoptr(FsnImage) a = NULL;
    g_autoptr(FsnImage) b = NULL;

    if (!have_qemu()) {
        return;
    }
    make_qcow2(lab);
    add_bitmap(lab, "one");
    capture_qcow2(lab, NULL, NULL, &first);
    assert_is_disk(lab, &first);
    g_assert_cmpuint(first.bytes_read, ==, 13 * MIB);
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        io(lab, changes[i]);
    }
    add_bitmap(lab, "two");
    a = open_image(lab->repo, first.image.root);
    capture_qcow2(lab, a, "one", &second);
    assert_is_disk(lab, &second);
    /* 64 KiB around the first two, 128 KiB around the third; zeroes are not read. */
    g_assert_cmpuint(second.bytes_read, <=, (64 + 128 + 64) * 1024);
    g_assert_cmpuint(second.bytes_dirty, ==, (64 + 128 + 1024 + 128 + 64) * 1024);
    g_assert_cmpuint(second.image.stored, <=, 3);
    g_assert_cmpuint(second.image.granules_put, <, 2 * MIB / FSN_GRANULE_SIZE);

    io(lab, "write -q -P 99 63M 1M");
    b = open_image(lab->repo, second.image.root);
    capture_qcow2(lab, b, "two", &third);
    assert_is_disk(lab, &third);
    g_assert_cmpuint(third.bytes_read, ==, MIB);
}

/* Random writes of many sizes, several rounds, always on the image before. */
static void
test_random(void)
{
    g_autoptr(Lab) lab = lab_new();
    g_autoptr(FsnImage) parent = NULL;
    g_autofree char *bitmap = NULL;

    if (!have_qemu()) {
        return;
    }
    make_qcow2(lab);
    for (int round = 0; round < 5; round++) {
        g_auto(FsnDiskCaptureResult) result = { 0 };
        g_autofree char *next = g_strdup_printf("round%d", round);
        g_autoptr(GString) script = g_string_new(NULL);

        for (int i = 0; i < 25; i++) {
            int at = g_test_rand_int_range(0, DISK_MIB * 2048 - 600);
            int len = g_test_rand_int_range(1, 600);
            const char *what[] = { "write -q -P 0x55", "write -q -P 0xaa", "write -q -z",
                                   "write -q -z -u", "discard -q" };
            bool data = g_test_rand_bit();

            g_string_append_printf(script, " -c '%s %d %d'",
                                   what[g_test_rand_int_range(0, data ? 2 : 5)], at * 512,
                                   len * 512);
        }
        test_run("qemu-io -f qcow2 -d unmap%s '%s'", script->str, lab->file);
        add_bitmap(lab, next);
        capture_qcow2(lab, parent, bitmap, &result);
        assert_is_disk(lab, &result);
        g_clear_pointer(&parent, fsn_image_free);
        parent = open_image(lab->repo, result.image.root);
        g_free(bitmap);
        bitmap = g_steal_pointer(&next);
    }
}

/* What the caller has to tell apart in order to fall back. */
static void
test_unusable(void)
{
    g_auto(FsnDiskCaptureResult) first = { 0 };
    g_autoptr(Lab) lab = lab_new();
    g_autoptr(FsnImage) parent = NULL;
    g_autoptr(TestNbd) server = NULL;
    FsnDiskCaptureOptions options;

    if (!have_qemu()) {
        return;
    }
    make_qcow2(lab);
    capture_qcow2(lab, NULL, NULL, &first);
    parent = open_image(lab->repo, first.image.root);
    test_run("qemu-img resize -q '%s' +1M", lab->file);
    add_bitmap(lab, "one");
    server = test_nbd_new("qemu-nbd", "--read-only", "-t", "--shared=8", "-f", "qcow2",
                          "-B", "one", lab->file, NULL);
    options = capture_options(lab, server);
    options.bitmap = "qemu:dirty-bitmap:two";
    options.parent = parent;
    g_free(capture_fails(&options, FSN_ERROR_NOT_FOUND));
    options.bitmap = "qemu:dirty-bitmap:one";
    g_free(capture_fails(&options, FSN_ERROR_STATE));
    options.parent = NULL;
    g_free(capture_fails(&options, FSN_ERROR_STATE));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk/bitmap/increments", test_increments);
    g_test_add_func("/disk/bitmap/random", test_random);
    g_test_add_func("/disk/bitmap/unusable", test_unusable);
    return g_test_run();
}
