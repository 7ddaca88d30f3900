/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qmp/commands-block.c: bitmaps, descriptor sets and scratch images of a real QEMU, and what
 * their refusals are called. */
#include "config.h"

#include "base/error.h"
#include "block-fixture.h"
#include "qmp-script.h"
#include "qmp/block-nodes.h"
#include "qmp/commands-block.h"
#include "qmp/jobs.h"
#include "qmp/transaction.h"

#include <sys/stat.h>
#include <unistd.h>

static void
assert_ok(bool ok, GError *error)
{
    g_assert_no_error(error);
    g_assert_true(ok);
}

static void
assert_refused(bool ok, GError **error, int code)
{
    g_assert_false(ok);
    g_assert_error(*error, FSN_ERROR, code);
    g_test_message("%s", (*error)->message);
    g_clear_error(error);
}

static bool
is_recording(TestBlock *block, const char *name)
{
    g_autoptr(GPtrArray) devices = NULL;
    const FsnBlockDevice *device;

    g_assert_true(fsn_qmp_query_block_devices(block->qmp, &devices, NULL));
    device = fsn_block_device_find_node(devices, "disk-b");
    return fsn_block_device_bitmap(device, name)->recording;
}

static void
test_bitmaps(void)
{
    g_autoptr(TestBlock) block = test_block_new();
    g_autoptr(GError) e = NULL;
    FsnQmp *qmp;

    if (!block) {
        return;
    }
    qmp = block->qmp;
    assert_ok(fsn_qmp_bitmap_add(qmp, "disk-b", "x", 512, false, &e), e);
    g_assert_true(is_recording(block, "x"));
    assert_ok(fsn_qmp_bitmap_disable(qmp, "disk-b", "x", &e), e);
    g_assert_false(is_recording(block, "x"));
    assert_ok(fsn_qmp_bitmap_enable(qmp, "disk-b", "x", &e), e);
    g_assert_true(is_recording(block, "x"));
    assert_refused(fsn_qmp_bitmap_add(qmp, "disk-b", "x", 512, false, &e), &e,
                   FSN_ERROR_EXISTS);
    assert_refused(fsn_qmp_bitmap_add(qmp, "disk-b", "y", 3000, false, &e), &e,
                   FSN_ERROR_FAILED);
    assert_refused(fsn_qmp_bitmap_add(qmp, "disk-b", "y", 4096, true, &e), &e,
                   FSN_ERROR_FAILED);
    assert_refused(fsn_qmp_bitmap_add(qmp, "disk-c", "y", 4096, false, &e), &e,
                   FSN_ERROR_NOT_FOUND);
    assert_ok(fsn_qmp_bitmap_remove(qmp, "disk-b", "x", &e), e);
    assert_refused(fsn_qmp_bitmap_remove(qmp, "disk-b", "x", &e), &e,
                   FSN_ERROR_NOT_FOUND);
    assert_refused(fsn_qmp_bitmap_enable(qmp, "disk-b", "x", &e), &e,
                   FSN_ERROR_NOT_FOUND);
    assert_refused(fsn_qmp_bitmap_disable(qmp, "disk-c", "x", &e), &e,
                   FSN_ERROR_NOT_FOUND);
}

static int64_t
blocks_of(int fd)
{
    struct stat status;

    g_assert_no_errno(fstat(fd, &status));
    return (int64_t)status.st_blocks * 512;
}

/* The old contents arrive in a file that never had a name; nothing is written before. */
static void
test_scratch(void)
{
    g_autoptr(TestBlock) block = test_block_new();
    g_autoptr(FsnQmpTransaction) transaction = fsn_qmp_transaction_new();
    g_autoptr(GError) e = NULL;
    int64_t set_id = -1, before;
    struct stat status;
    FsnQmp *qmp;
    int fd;

    if (!block) {
        return;
    }
    qmp = block->qmp;
    fd = test_block_scratch_fd(block);
    g_assert_no_errno(fstat(fd, &status));
    g_assert_cmpuint(status.st_nlink, ==, 0);
    assert_ok(fsn_qmp_add_fdset(qmp, fd, &set_id, &e), e);
    assert_refused(fsn_qmp_add_scratch(qmp, "scratch", set_id, "disk-c", &e), &e,
                   FSN_ERROR_NOT_FOUND);
    assert_ok(fsn_qmp_add_scratch(qmp, "scratch", set_id, "disk-a", &e), e);
    assert_ok(fsn_qmp_remove_fdset(qmp, set_id, &e), e);
    before = blocks_of(fd);
    fsn_qmp_transaction_backup_none(transaction, "job", "disk-a", "scratch", NULL);
    assert_ok(fsn_qmp_transaction_run(qmp, transaction, &e), e);
    assert_refused(fsn_qmp_blockdev_del(qmp, "scratch", &e), &e, FSN_ERROR_BUSY);
    test_block_write(block, 0, 0x55, 0, 2 << 20, false);
    g_assert_cmpint(blocks_of(fd), >=, before + (2 << 20));
    g_assert_cmpint(blocks_of(fd), <, before + (4 << 20));
    assert_ok(fsn_qmp_job_end(qmp, "job", 20 * G_USEC_PER_SEC, NULL, &e), e);
    assert_ok(fsn_qmp_blockdev_del(qmp, "scratch", &e), e);
    assert_refused(fsn_qmp_blockdev_del(qmp, "scratch", &e), &e, FSN_ERROR_NOT_FOUND);
    close(fd);
}

static void
test_fdset(void)
{
    g_autoptr(TestBlock) block = test_block_new();
    g_autoptr(GError) e = NULL;
    int64_t first = -1, second = -1;
    FsnQmp *qmp;

    if (!block) {
        return;
    }
    qmp = block->qmp;
    assert_ok(fsn_qmp_add_fdset(qmp, 0, &first, &e), e);
    assert_ok(fsn_qmp_add_fdset(qmp, 0, &second, &e), e);
    g_assert_cmpint(first, !=, second);
    assert_refused(fsn_qmp_remove_fdset(qmp, 12345, &e), &e, FSN_ERROR_NOT_FOUND);
    assert_refused(fsn_qmp_add_scratch(qmp, "scratch", 12345, "disk-a", &e), &e,
                   FSN_ERROR_FAILED);
    assert_ok(fsn_qmp_remove_fdset(qmp, first, &e), e);
    assert_ok(fsn_qmp_remove_fdset(qmp, second, &e), e);
}

static void
test_malformed(void)
{
    static const char *const replies[] = { "{\"return\":[]}", "{\"return\":{}}",
                                           "{\"return\":{\"fdset-id\":-1}}" };

    for (size_t i = 0; i < G_N_ELEMENTS(replies); i++) {
        g_autoptr(FsnQmp) qmp = fsn_qmp_new(test_script_new(replies[i], NULL));
        g_autoptr(GError) error = NULL;
        int64_t set_id = -5;

        g_assert_false(fsn_qmp_add_fdset(qmp, 0, &set_id, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_cmpint(set_id, ==, -5);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/commands-block/bitmaps", test_bitmaps);
    g_test_add_func("/qmp/commands-block/scratch", test_scratch);
    g_test_add_func("/qmp/commands-block/fdset", test_fdset);
    g_test_add_func("/qmp/commands-block/malformed", test_malformed);
    return g_test_run();
}
