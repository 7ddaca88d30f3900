/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qmp/block-backing.c: what is below a real QEMU's image is changed, its settings stay. */
#include "config.h"

#include "base/error.h"
#include "block-fixture.h"
#include "qmp/block-backing.h"
#include "qmp/commands-block.h"

#include <string.h>

static void
test_backing(void)
{
    g_autoptr(TestBlock) block = test_block_new();
    g_autoptr(GError) e = NULL;
    g_auto(FsnQcow2Node) before = { 0 };
    g_auto(FsnQcow2Node) after = { 0 };
    const char *path;
    FsnQmp *qmp;

    if (!block) {
        return;
    }
    qmp = block->qmp;
    path = block->disks[0].path;
    g_assert_true(fsn_qmp_find_qcow2(qmp, "virtio-disk0", path, &before, &e));
    g_assert_no_error(e);
    g_assert_cmpstr(before.node, ==, "disk-a");
    g_assert_false(before.backing);
    g_assert_true(fsn_qmp_add_empty(qmp, "nothing", &e));
    g_assert_no_error(e);
    g_assert_false(fsn_qmp_add_empty(qmp, "nothing", &e));
    g_assert_error(e, FSN_ERROR, FSN_ERROR_EXISTS);
    g_clear_error(&e);
    g_assert_true(fsn_qmp_set_backing(qmp, &before, "unmap", "nothing", &e));
    g_assert_no_error(e);
    /* by its device, though its name is another one now */
    g_assert_true(fsn_qmp_find_qcow2(qmp, "virtio-disk0", path, &after, &e));
    g_assert_no_error(e);
    g_assert_true(after.backing);
    g_assert_cmpstr(after.node, ==, before.node);
    g_assert_cmpstr(after.file, ==, before.file);
    g_assert_cmpint(after.direct, ==, before.direct);
    g_assert_cmpint(after.no_flush, ==, before.no_flush);
    g_assert_cmpstr(after.detect_zeroes, ==, before.detect_zeroes);
    g_assert_false(fsn_qmp_blockdev_del(qmp, "nothing", &e));
    g_assert_error(e, FSN_ERROR, FSN_ERROR_BUSY);
}

static void
test_refused(void)
{
    g_autoptr(TestBlock) block = test_block_new();
    g_autoptr(GError) e = NULL;
    g_auto(FsnQcow2Node) node = { 0 };
    FsnQmp *qmp;

    if (!block) {
        return;
    }
    qmp = block->qmp;
    g_assert_false(fsn_qmp_find_qcow2(qmp, "virtio-disk7", "/none", &node, &e));
    g_assert_error(e, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_clear_error(&e);
    g_assert_false(fsn_qmp_find_qcow2(qmp, "virtio-disk0", "/none", &node, &e));
    g_assert_error(e, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_clear_error(&e);
    g_assert_true(
        fsn_qmp_find_qcow2(qmp, "virtio-disk0", block->disks[0].path, &node, &e));
    g_assert_false(fsn_qmp_set_backing(qmp, &node, NULL, "none", &e));
    g_assert_nonnull(e);
    g_clear_error(&e);
    /* nobody serves there */
    g_assert_false(fsn_qmp_add_nbd_client(qmp, "served", block->socket, 60, &e));
    g_assert_nonnull(e);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/block-backing/change", test_backing);
    g_test_add_func("/qmp/block-backing/refused", test_refused);
    return g_test_run();
}
