/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qmp/transaction.c: a point in time over two disks of a real QEMU, read through NBD while
 * the guest's devices write, and what is left of transactions that fail. */
#include "config.h"

#include "base/error.h"
#include "block-fixture.h"
#include "qmp/block-export.h"
#include "qmp/block-nodes.h"
#include "qmp/commands-block.h"
#include "qmp/jobs.h"
#include "qmp/transaction.h"

#include <sys/wait.h>

#define KIB  ((size_t)1024)
#define MIB  (KIB * KIB)
#define LONG (20 * G_USEC_PER_SEC)

static const char *const scratch[] = { "scratch-a", "scratch-b" };
static const char *const jobs[] = { "job-a", "job-b" };
static const char *const filters[] = { "filter-a", "filter-b" };
static const char *const accesses[] = { "access-a", "access-b" };

static void
assert_ok(bool ok, GError *error)
{
    g_assert_no_error(error);
    g_assert_true(ok);
}

static void
run(TestBlock *block, const FsnQmpTransaction *transaction)
{
    g_autoptr(GError) error = NULL;

    assert_ok(fsn_qmp_transaction_run(block->qmp, transaction, &error), error);
}

static void
add_bitmaps(TestBlock *block, const char *name)
{
    g_autoptr(FsnQmpTransaction) transaction = fsn_qmp_transaction_new();

    for (int i = 0; i < 2; i++) {
        fsn_qmp_transaction_add_bitmap(transaction, block->disks[i].node, name, 4096,
                                       false);
    }
    run(block, transaction);
}

/* The instant: bitmap "old" stops, "new" begins, the copies begin. */
static void
open_point(TestBlock *block)
{
    g_autoptr(FsnQmpTransaction) transaction = fsn_qmp_transaction_new();

    for (int i = 0; i < 2; i++) {
        const char *node = block->disks[i].node;

        test_block_add_scratch(block, i, scratch[i]);
        fsn_qmp_transaction_add_bitmap(transaction, node, "new", 65536, false);
        fsn_qmp_transaction_disable_bitmap(transaction, node, "old");
        fsn_qmp_transaction_backup_none(transaction, jobs[i], node, scratch[i],
                                        filters[i]);
    }
    g_assert_cmpuint(fsn_qmp_transaction_length(transaction), ==, 6);
    run(block, transaction);
}

static void
open_exports(TestBlock *block, bool access)
{
    g_autoptr(GError) error = NULL;

    test_block_listen(block, "nbd");
    assert_ok(fsn_qmp_nbd_server_start_fd(block->qmp, "nbd", 8, &error), error);
    for (int i = 0; i < 2 && access; i++) {
        assert_ok(fsn_qmp_add_access(block->qmp, accesses[i], filters[i], &error), error);
        assert_ok(fsn_qmp_export_add_access(block->qmp, scratch[i], accesses[i],
                                            block->disks[i].node, block->disks[i].node,
                                            "old", &error),
                  error);
    }
    for (int i = 0; i < 2 && !access; i++) {
        assert_ok(fsn_qmp_export_add(block->qmp, scratch[i], scratch[i],
                                     block->disks[i].node, block->disks[i].node, "old",
                                     &error),
                  error);
    }
}

static void
close_all(TestBlock *block, bool access)
{
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < 2; i++) {
        g_autofree char *failure = NULL;

        assert_ok(fsn_qmp_export_del(block->qmp, scratch[i], true, &error), error);
        assert_ok(fsn_qmp_export_wait_gone(block->qmp, scratch[i], LONG, &error), error);
        if (access) {
            assert_ok(fsn_qmp_blockdev_del(block->qmp, accesses[i], &error), error);
        }
        assert_ok(fsn_qmp_job_end(block->qmp, jobs[i], LONG, &failure, &error), error);
        g_assert_null(failure);
        assert_ok(fsn_qmp_blockdev_del(block->qmp, scratch[i], &error), error);
        assert_ok(fsn_qmp_bitmap_remove(block->qmp, block->disks[i].node, "old", &error),
                  error);
    }
    assert_ok(fsn_qmp_nbd_server_stop(block->qmp, &error), error);
}

/* Each disk has bitmap @name with @count dirty bytes and no other; no node, job or export is
 * there but the two disks. */
static void
assert_only(TestBlock *block, const char *name, uint64_t count)
{
    g_autoptr(GPtrArray) nodes = NULL;
    g_autoptr(GPtrArray) found_jobs = NULL;
    g_autoptr(GPtrArray) exports = NULL;

    g_assert_true(fsn_qmp_query_block_nodes(block->qmp, &nodes, NULL));
    g_assert_true(fsn_qmp_query_jobs(block->qmp, &found_jobs, NULL));
    g_assert_true(fsn_qmp_query_exports(block->qmp, &exports, NULL));
    g_assert_cmpuint(found_jobs->len, ==, 0);
    g_assert_cmpuint(exports->len, ==, 0);
    for (guint i = 0; i < nodes->len; i++) {
        const FsnBlockDevice *node = nodes->pdata[i];

        g_assert_false(g_str_has_prefix(node->node, "scratch"));
        g_assert_cmpstr(node->driver, !=, "copy-before-write");
    }
    for (int i = 0; i < 2; i++) {
        const FsnBlockDevice *node =
            fsn_block_device_find_node(nodes, block->disks[i].node);

        g_assert_nonnull(node);
        g_assert_cmpuint(node->bitmaps->len, ==, name ? 1 : 0);
        if (name) {
            const FsnBlockBitmap *bitmap = fsn_block_device_bitmap(node, name);

            g_assert_nonnull(bitmap);
            g_assert_true(bitmap->recording);
            g_assert_false(bitmap->busy);
            g_assert_cmpuint(bitmap->count, ==, count);
        }
    }
}

/* Compares with the file that has what was written before the instant, and goes on
 * writing until that is done. */
static void
assert_point(TestBlock *block, int i)
{
    g_autofree char *uri =
        g_strdup_printf("nbd+unix:///%s?socket=%s", block->disks[i].node, block->socket);
    const char *argv[] = { "qemu-img", "compare", "-q",  "-f",
                           "raw",      "-F",      "raw", block->disks[i].expected,
                           uri,        NULL };
    g_autoptr(GError) error = NULL;
    size_t step = 0;
    pid_t ended;
    int status;
    GPid pid;

    g_spawn_async(NULL, (char **)argv, NULL,
                  G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                  &error);
    g_assert_no_error(error);
    do {
        test_block_write(block, i, 0x44, step++ % 16 * MIB, 64 * KIB, false);
        ended = waitpid(pid, &status, WNOHANG);
    } while (ended == 0);
    g_assert_cmpint(ended, ==, pid);
    g_assert_cmpint(status, ==, 0);
}

/* Dirty are exactly the 64 KiB at 1 MiB and the 4 KiB at 12 MiB. */
static void
assert_bitmap(TestBlock *block, int i)
{
    g_autofree char *options =
        g_strdup_printf("driver=nbd,server.type=unix,server.path=%s,export=%s,"
                        "x-dirty-bitmap=qemu:dirty-bitmap:old",
                        block->socket, block->disks[i].node);
    const char *argv[] = { "qemu-img",     "map",   "--output=json",
                           "--image-opts", options, NULL };
    g_autofree char *map = NULL;
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    g_assert_true(test_run(argv, -1, &text));
    lines = g_strsplit(text, "\n", -1);
    map = g_strdup("");
    for (char **line = lines; *line; line++) {
        char *start = strstr(*line, "\"start\": ");
        char *length = strstr(*line, "\"length\": ");

        /* This map calls data what is not dirty. */
        if (start && length && strstr(*line, "\"data\": false")) {
            g_autofree char *before = g_steal_pointer(&map);

            map = g_strdup_printf("%s%" G_GUINT64_FORMAT "+%" G_GUINT64_FORMAT " ",
                                  before, g_ascii_strtoull(start + 9, NULL, 10),
                                  g_ascii_strtoull(length + 10, NULL, 10));
        }
    }
    g_assert_cmpstr(map, ==, "1048576+65536 12582912+4096 ");
}

/* What was discarded is not there any more, and the guest's writes to it are not copied. */
static void
assert_forgets(TestBlock *block, int i)
{
    g_autofree char *uri =
        g_strdup_printf("nbd+unix:///%s?socket=%s", block->disks[i].node, block->socket);
    const char *const discard[] = { "qemu-io",       "-f", "raw", "-d", "unmap", "-c",
                                    "discard 0 16M", uri,  NULL };
    const char *const read[] = { "qemu-io", "-r",          "-f", "raw",
                                 "-c",      "read 8M 64k", uri,  NULL };
    g_autofree char *text = NULL;

    g_assert_true(test_run(discard, -1, NULL));
    g_assert_false(test_run(read, -1, &text));
}

static void
test_point_in_time(gconstpointer data)
{
    bool access = GPOINTER_TO_INT(data);
    g_autoptr(TestBlock) block = test_block_new();

    if (!block) {
        return;
    }
    add_bitmaps(block, "old");
    for (int i = 0; i < 2; i++) {
        test_block_write(block, i, 0x22, MIB, 64 * KIB, true);
        test_block_write(block, i, 0x22, 12 * MIB, 4 * KIB, true);
    }
    open_point(block);
    for (int i = 0; i < 2; i++) {
        test_block_write(block, i, 0x33, 0, 2 * MIB, false);
        test_block_write(block, i, 0x33, 12 * MIB, MIB, false);
    }
    open_exports(block, access);
    for (int i = 0; i < 2; i++) {
        assert_point(block, i);
        assert_bitmap(block, i);
        if (access) {
            assert_forgets(block, i);
        }
    }
    close_all(block, access);
    /* 3 MiB in one piece each, and 64 KiB at each MiB: at least one of them. */
    for (int i = 0; i < 2; i++) {
        for (size_t at = 0; at < 16; at++) {
            test_block_write(block, i, 0x44, at * MIB, 64 * KIB, false);
        }
    }
    assert_only(block, "new", 3 * MIB + 13 * 64 * KIB);
}

/* The rest of the bitmap actions; QEMU carries them out in their order. */
static void
test_bitmaps(void)
{
    g_autoptr(TestBlock) block = test_block_new();
    g_autoptr(FsnQmpTransaction) merge = fsn_qmp_transaction_new();
    g_autoptr(FsnQmpTransaction) end = fsn_qmp_transaction_new();
    g_autoptr(GPtrArray) nodes = NULL;

    if (!block) {
        return;
    }
    add_bitmaps(block, "one");
    add_bitmaps(block, "two");
    test_block_write(block, 0, 1, 0, 4096, false);
    for (int i = 0; i < 2; i++) {
        const char *node = block->disks[i].node;

        fsn_qmp_transaction_disable_bitmap(merge, node, "one");
        fsn_qmp_transaction_clear_bitmap(merge, node, "two");
        fsn_qmp_transaction_merge_bitmap(merge, node, "two", "one");
        fsn_qmp_transaction_clear_bitmap(merge, node, "one");
    }
    run(block, merge);
    g_assert_true(fsn_qmp_query_block_nodes(block->qmp, &nodes, NULL));
    for (int i = 0; i < 2; i++) {
        FsnBlockDevice *node = fsn_block_device_find_node(nodes, block->disks[i].node);

        g_assert_cmpuint(fsn_block_device_bitmap(node, "one")->count, ==, 0);
        g_assert_false(fsn_block_device_bitmap(node, "one")->recording);
        g_assert_cmpuint(fsn_block_device_bitmap(node, "two")->count, ==,
                         i == 0 ? 4096 : 0);
        g_assert_cmpuint(fsn_block_device_bitmap(node, "two")->granularity, ==, 4096);
        fsn_qmp_transaction_remove_bitmap(end, node->node, "two");
        fsn_qmp_transaction_enable_bitmap(end, node->node, "one");
    }
    run(block, end);
    test_block_write(block, 0, 1, 8192, 4096, false);
    test_block_write(block, 1, 1, 8192, 4096, false);
    assert_only(block, "one", 4096);
}

/* What comes first is undone when what follows is refused. */
static void
test_refused(void)
{
    g_autoptr(TestBlock) block = test_block_new();
    g_autoptr(FsnQmpTransaction) missing = fsn_qmp_transaction_new();
    g_autoptr(FsnQmpTransaction) twice = fsn_qmp_transaction_new();
    g_autoptr(FsnQmpTransaction) odd = fsn_qmp_transaction_new();
    GError *errors[3] = { NULL };

    if (!block) {
        return;
    }
    test_block_add_scratch(block, 0, scratch[0]);
    fsn_qmp_transaction_add_bitmap(missing, "disk-a", "x", 4096, false);
    fsn_qmp_transaction_backup_none(missing, "job", "disk-a", scratch[0], NULL);
    fsn_qmp_transaction_add_bitmap(missing, "no-such-node", "x", 4096, false);
    g_assert_false(fsn_qmp_transaction_run(block->qmp, missing, &errors[0]));
    g_assert_error(errors[0], FSN_ERROR, FSN_ERROR_NOT_FOUND);

    fsn_qmp_transaction_add_bitmap(twice, "disk-a", "x", 4096, false);
    fsn_qmp_transaction_add_bitmap(twice, "disk-a", "x", 4096, false);
    g_assert_false(fsn_qmp_transaction_run(block->qmp, twice, &errors[1]));
    g_assert_error(errors[1], FSN_ERROR, FSN_ERROR_EXISTS);

    fsn_qmp_transaction_add_bitmap(odd, "disk-a", "x", 4096, true);
    fsn_qmp_transaction_add_bitmap(odd, "disk-b", "x", 4096, true);
    g_assert_false(fsn_qmp_transaction_run(block->qmp, odd, &errors[2]));
    g_assert_error(errors[2], FSN_ERROR, FSN_ERROR_FAILED);
    for (size_t i = 0; i < G_N_ELEMENTS(errors); i++) {
        g_test_message("%s", errors[i]->message);
        g_error_free(errors[i]);
    }
    g_assert_true(fsn_qmp_blockdev_del(block->qmp, scratch[0], NULL));
    assert_only(block, NULL, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/qmp/transaction/point-in-time/scratch", GINT_TO_POINTER(false),
                         test_point_in_time);
    g_test_add_data_func("/qmp/transaction/point-in-time/access", GINT_TO_POINTER(true),
                         test_point_in_time);
    g_test_add_func("/qmp/transaction/bitmaps", test_bitmaps);
    g_test_add_func("/qmp/transaction/refused", test_refused);
    return g_test_run();
}
