/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qmp/block-nodes.c: drives of all kinds of a real QEMU; malformed answers from a script. */
#include "config.h"

#include "base/error.h"
#include "block-fixture.h"
#include "qmp-script.h"
#include "qmp/block-nodes.h"
#include "qmp/commands-block.h"
#include "qmp/transaction.h"

#include <glib/gstdio.h>

static const FsnBlockDevice *
find(const GPtrArray *devices, const char *alias)
{
    const FsnBlockDevice *device = fsn_block_device_find(devices, alias);

    g_test_message("%s", alias);
    g_assert_nonnull(device);
    return device;
}

static void
test_disks(void)
{
    g_autoptr(TestBlock) block = test_block_new();
    g_autoptr(GPtrArray) devices = NULL;
    g_autoptr(GError) error = NULL;
    const FsnBlockDevice *a, *b;
    const FsnBlockBitmap *bitmap;

    if (!block) {
        return;
    }
    g_assert_true(fsn_qmp_bitmap_add(block->qmp, "disk-a", "kept", 8192, true, &error));
    g_assert_no_error(error);
    test_block_write(block, 0, 7, 4096, 8192, false);
    g_assert_true(fsn_qmp_query_block_devices(block->qmp, &devices, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(devices->len, ==, 2);
    a = find(devices, "virtio-disk0");
    b = find(devices, "scsi0-0-0-0");
    g_assert_cmpstr(a->node, ==, "disk-a");
    g_assert_cmpstr(a->filename, ==, block->disks[0].path);
    g_assert_cmpstr(a->driver, ==, "qcow2");
    g_assert_cmpuint(a->virtual_size, ==, TEST_DISK_SIZE);
    g_assert_cmpuint(a->backing_depth, ==, 0);
    g_assert_cmpstr(a->io_status, ==, "ok");
    g_assert_null(a->device);
    g_assert_false(a->read_only || a->encrypted || a->data_file);
    bitmap = fsn_block_device_bitmap(a, "kept");
    g_assert_nonnull(bitmap);
    g_assert_cmpuint(bitmap->granularity, ==, 8192);
    g_assert_cmpuint(bitmap->count, ==, 16384);
    g_assert_true(bitmap->recording && bitmap->persistent);
    g_assert_false(bitmap->busy || bitmap->inconsistent);
    g_assert_null(fsn_block_device_bitmap(a, "other"));
    g_assert_cmpstr(b->node, ==, "disk-b");
    g_assert_cmpstr(b->driver, ==, "raw");
    g_assert_cmpuint(b->bitmaps->len, ==, 0);
    g_assert_true(fsn_block_device_find_node(devices, "disk-b") == b);
    g_assert_null(fsn_block_device_find_node(devices, "disk"));
}

/* A copy-before-write job puts a filter above the disk, which hides it from the device. */
static void
test_during_backup(void)
{
    g_autoptr(TestBlock) block = test_block_new();
    g_autoptr(FsnQmpTransaction) transaction = fsn_qmp_transaction_new();
    g_autoptr(GPtrArray) devices = NULL;
    g_autoptr(GPtrArray) nodes = NULL;
    const FsnBlockDevice *scratch, *device, *disk;

    if (!block) {
        return;
    }
    test_block_add_scratch(block, 0, "scratch");
    fsn_qmp_transaction_add_bitmap(transaction, "disk-a", "x", 4096, false);
    fsn_qmp_transaction_backup_none(transaction, "job", "disk-a", "scratch", NULL);
    g_assert_true(fsn_qmp_transaction_run(block->qmp, transaction, NULL));
    g_assert_true(fsn_qmp_query_block_devices(block->qmp, &devices, NULL));
    g_assert_true(fsn_qmp_query_block_nodes(block->qmp, &nodes, NULL));
    device = find(devices, "virtio-disk0");
    g_assert_cmpstr(device->driver, ==, "copy-before-write");
    g_assert_null(fsn_block_device_bitmap(device, "x"));
    disk = fsn_block_device_find_node(nodes, "disk-a");
    g_assert_nonnull(fsn_block_device_bitmap(disk, "x"));
    scratch = fsn_block_device_find_node(nodes, "scratch");
    g_assert_nonnull(scratch);
    g_assert_true(scratch->backing);
    g_assert_false(disk->backing);
    g_assert_cmpuint(scratch->bitmaps->len, ==, 0);
    g_assert_null(fsn_block_device_find_node(devices, "scratch"));
}

/* What QEMU calls the devices that libvirt makes of the other buses. */
static void
test_buses(void)
{
    g_autoptr(TestQemu) qemu = test_qemu_new((const char *[]){
        "-machine", "q35", "-blockdev", "null-co,node-name=n0,size=1048576", "-blockdev",
        "null-co,node-name=n1,size=1048576,read-only=on", "-device",
        "ide-hd,drive=n0,id=sata0-0-0", "-device", "ide-cd,bus=ide.1,id=sata0-0-1",
        "-device", "qemu-xhci,id=usb", "-device",
        "usb-storage,bus=usb.0,drive=n1,id=usb-disk0", "-device", "isa-fdc,id=fdc0",
        "-device", "floppy,unit=0,id=fdc0-0-0", NULL });
    g_autoptr(FsnQmp) qmp = NULL;
    g_autoptr(GPtrArray) devices = NULL;
    g_autoptr(GError) error = NULL;

    if (!qemu) {
        return;
    }
    qmp = test_qemu_session(qemu);
    g_assert_true(fsn_qmp_query_block_devices(qmp, &devices, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(find(devices, "sata0-0-0")->node, ==, "n0");
    g_assert_cmpstr(find(devices, "usb-disk0")->node, ==, "n1");
    g_assert_true(find(devices, "usb-disk0")->read_only);
    g_assert_null(find(devices, "sata0-0-1")->node);
    g_assert_null(find(devices, "sata0-0-1")->filename);
    g_assert_null(find(devices, "fdc0-0-0")->node);
    g_assert_null(fsn_block_device_find(devices, "sata0-0-2"));
}

static void
check_chain(const char *overlay)
{
    g_autofree char *node =
        g_strdup_printf("qcow2,node-name=top,file.driver=file,file.filename=%s", overlay);
    g_autoptr(TestQemu) qemu =
        test_qemu_new((const char *[]){ "-machine", "q35", "-blockdev", node, "-device",
                                        "virtio-blk-pci,drive=top,id=d", NULL });
    g_autoptr(FsnQmp) qmp = NULL;
    g_autoptr(GPtrArray) devices = NULL;
    g_autoptr(GPtrArray) nodes = NULL;
    unsigned n_data_files = 0;

    if (!qemu) {
        return;
    }
    qmp = test_qemu_session(qemu);
    g_assert_true(fsn_qmp_query_block_devices(qmp, &devices, NULL));
    g_assert_true(fsn_qmp_query_block_nodes(qmp, &nodes, NULL));
    g_assert_true(find(devices, "d")->backing);
    g_assert_cmpuint(find(devices, "d")->backing_depth, ==, 1);
    g_assert_false(find(devices, "d")->data_file);
    for (guint i = 0; i < nodes->len; i++) {
        const FsnBlockDevice *one = nodes->pdata[i];

        if (one->data_file) {
            n_data_files++;
            g_assert_cmpstr(one->driver, ==, "qcow2");
            g_assert_false(one->backing);
        }
    }
    g_assert_cmpuint(n_data_files, ==, 1);
}

/* An image over another one, whose data is in a file of its own. */
static void
test_chain(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("foresnap-test-XXXXXX", &error);
    g_autofree char *overlay = g_build_filename(dir, "overlay", NULL);
    g_autofree char *image = g_build_filename(dir, "image", NULL);
    g_autofree char *data = g_build_filename(dir, "data", NULL);
    g_autofree char *option = g_strdup_printf("data_file=%s,data_file_raw=on", data);
    g_autofree char *program = g_find_program_in_path("qemu-img");
    const char *lower[] = { "qemu-img", "create", "-q",  "-f", "qcow2",
                            "-o",       option,   image, "1M", NULL };
    const char *upper[] = { "qemu-img", "create", "-q",    "-f",    "qcow2", "-b",
                            image,      "-F",     "qcow2", overlay, NULL };

    g_assert_no_error(error);
    if (program) {
        g_assert_true(test_run(lower, -1, NULL));
        g_assert_true(test_run(upper, -1, NULL));
        check_chain(overlay);
    } else {
        g_test_skip("qemu-img is not installed");
    }
    (void)g_unlink(overlay); /* may not have been made */
    (void)g_unlink(image);
    (void)g_unlink(data);
    g_assert_no_errno(g_rmdir(dir));
}

static void
test_find(void)
{
    static const struct {
        const char *device;
        const char *qdev;
        const char *alias;
        bool found;
    } cases[] = {
        { NULL, "/machine/peripheral/virtio-disk0/virtio-backend", "virtio-disk0", true },
        { NULL, "/machine/peripheral/virtio-disk0", "virtio-disk0", true },
        { NULL, "virtio-disk0", "virtio-disk0", true },
        { NULL, "scsi0-0-0-0", "scsi0-0-0-0", true },
        { NULL, "ide0-0-1", "ide0-0-1", true },
        { NULL, "/machine/peripheral/usb-disk0/usb-disk0.0/legacy[0]", "usb-disk0",
          true },
        { NULL, "ua-root", "ua-root", true },
        { "drive-virtio-disk3", NULL, "virtio-disk3", true },
        { "drive-virtio-disk3", "/machine/peripheral/other/virtio-backend",
          "virtio-disk3", true },
        { NULL, "/machine/peripheral/virtio-disk10/virtio-backend", "virtio-disk1",
          false },
        { NULL, "scsi0-0-0-10", "scsi0-0-0-1", false },
        { NULL, "/machine/unattached/device[3]", "device", false },
        { "drive-virtio-disk30", NULL, "virtio-disk3", false },
        { "virtio-disk3", NULL, "virtio-disk3", false },
        { NULL, NULL, "virtio-disk0", false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) devices = g_ptr_array_new();
        FsnBlockDevice device = { .device = (char *)cases[i].device,
                                  .qdev = (char *)cases[i].qdev };

        g_ptr_array_add(devices, &device);
        g_test_message("%s", cases[i].alias);
        g_assert_true(fsn_block_device_find(devices, cases[i].alias) ==
                      (cases[i].found ? &device : NULL));
    }
}

#define IMAGE "\"image\":{\"virtual-size\":1}"

static void
test_malformed(void)
{
    static const char *const replies[] = {
        "{\"return\":{}}",
        "{\"return\":[1]}",
        "{\"return\":[{\"inserted\":1,\"image\":{}}]}",
        "{\"return\":[{\"inserted\":{},\"image\":{\"virtual-size\":-1}}]}",
        "{\"return\":[{\"inserted\":{" IMAGE "}," IMAGE "}]}",
        "{\"return\":[{\"inserted\":{\"backing_file_depth\":-1," IMAGE
        "},\"backing_file_depth\":\"x\"," IMAGE "}]}",
        "{\"return\":[{\"inserted\":{\"backing_file_depth\":0,\"dirty-bitmaps\":{}," IMAGE
        "},\"backing_file_depth\":0,\"dirty-bitmaps\":3," IMAGE "}]}",
        "{\"return\":[{\"inserted\":{\"backing_file_depth\":0,"
        "\"dirty-bitmaps\":[{\"count\":0,\"granularity\":0}]," IMAGE
        "},\"backing_file_depth\":0,\"dirty-bitmaps\":[{\"granularity\":1}]," IMAGE "}]}",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(replies); i++) {
        g_autoptr(FsnQmp) qmp = fsn_qmp_new(test_script_new(replies[i], NULL));
        g_autoptr(GError) first = NULL;
        g_autoptr(GError) second = NULL;
        GPtrArray *array = NULL;

        g_test_message("%s", replies[i]);
        g_assert_false(fsn_qmp_query_block_devices(qmp, &array, &first));
        g_assert_error(first, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_false(fsn_qmp_query_block_nodes(qmp, &array, &second));
        g_assert_error(second, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_null(array);
    }
}

/* libvirt's own bitmaps may be without a name for a moment. */
static void
test_nameless_bitmap(void)
{
    g_autoptr(FsnQmp) qmp = fsn_qmp_new(test_script_new(
        "{\"return\":[{\"node-name\":\"n\",\"backing_file_depth\":0," IMAGE
        ",\"dirty-bitmaps\":[{\"granularity\":65536,\"count\":5,\"busy\":true,"
        "\"inconsistent\":true}]}]}",
        NULL));
    g_autoptr(GPtrArray) nodes = NULL;
    const FsnBlockDevice *node;
    const FsnBlockBitmap *bitmap;

    g_assert_true(fsn_qmp_query_block_nodes(qmp, &nodes, NULL));
    node = fsn_block_device_find_node(nodes, "n");
    g_assert_cmpuint(node->bitmaps->len, ==, 1);
    bitmap = node->bitmaps->pdata[0];
    g_assert_null(bitmap->name);
    g_assert_true(bitmap->busy && bitmap->inconsistent);
    g_assert_false(bitmap->recording || bitmap->persistent);
    g_assert_null(fsn_block_device_bitmap(node, "x"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/block-nodes/disks", test_disks);
    g_test_add_func("/qmp/block-nodes/during-backup", test_during_backup);
    g_test_add_func("/qmp/block-nodes/buses", test_buses);
    g_test_add_func("/qmp/block-nodes/chain", test_chain);
    g_test_add_func("/qmp/block-nodes/find", test_find);
    g_test_add_func("/qmp/block-nodes/malformed", test_malformed);
    g_test_add_func("/qmp/block-nodes/nameless-bitmap", test_nameless_bitmap);
    return g_test_run();
}
