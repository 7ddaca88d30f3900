/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qmp/block-export.c: the NBD server of a real QEMU, with and without clients. */
#include "config.h"

#include "base/error.h"
#include "block-fixture.h"
#include "qmp-script.h"
#include "qmp/block-export.h"
#include "qmp/commands-block.h"
#include "qmp/commands-status.h"

#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LONG (20 * G_USEC_PER_SEC)

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

static void
test_server(void)
{
    g_autoptr(TestBlock) block = test_block_new();
    g_autoptr(GError) e = NULL;
    FsnQmp *qmp;

    if (!block) {
        return;
    }
    qmp = block->qmp;
    assert_refused(fsn_qmp_nbd_server_stop(qmp, &e), &e, FSN_ERROR_NOT_FOUND);
    assert_refused(fsn_qmp_export_add(qmp, "e", "disk-a", "a", NULL, NULL, &e), &e,
                   FSN_ERROR_STATE);
    assert_refused(fsn_qmp_nbd_server_start_fd(qmp, "missing", 1, &e), &e,
                   FSN_ERROR_NOT_FOUND);
    test_block_listen(block, "one");
    assert_ok(fsn_qmp_nbd_server_start_fd(qmp, "one", 1, &e), e);
    g_assert_no_errno(g_unlink(block->socket));
    test_block_listen(block, "two");
    assert_refused(fsn_qmp_nbd_server_start_fd(qmp, "two", 1, &e), &e, FSN_ERROR_BUSY);
    /* The descriptor is not left in QEMU. */
    assert_refused(fsn_qmp_closefd(qmp, "two", &e), &e, FSN_ERROR_FAILED);
    assert_ok(fsn_qmp_nbd_server_stop(qmp, &e), e);
    assert_refused(fsn_qmp_nbd_server_stop(qmp, &e), &e, FSN_ERROR_NOT_FOUND);
}

static void
start(TestBlock *block)
{
    g_autoptr(GError) e = NULL;

    test_block_listen(block, "nbd");
    assert_ok(fsn_qmp_nbd_server_start_fd(block->qmp, "nbd", 0, &e), e);
}

/* A client that has chosen export @name and holds it. */
static int
open_client(TestBlock *block, const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char reply[18 + 10];
    /* Client flags (fixed newstyle, no zeroes), IHAVEOPT, NBD_OPT_EXPORT_NAME, length. */
    g_autoptr(GString) hello = g_string_new_len("\0\0\0\3IHAVEOPT\0\0\0\1\0\0\0", 19);

    memcpy(address.sun_path, block->socket, strlen(block->socket));
    g_assert_no_errno(connect(fd, (struct sockaddr *)&address, sizeof address));
    g_string_append_c(hello, (char)strlen(name));
    g_string_append(hello, name);
    g_assert_cmpint(send(fd, hello->str, hello->len, 0), ==, (ssize_t)hello->len);
    g_assert_cmpint(recv(fd, reply, sizeof reply, MSG_WAITALL), ==, sizeof reply);
    return fd;
}

static void
test_exports(void)
{
    g_autoptr(TestBlock) block = test_block_new();
    g_autoptr(GPtrArray) exports = NULL;
    g_autoptr(GError) e = NULL;
    const FsnBlockExport *export;
    FsnQmp *qmp;
    int client;
    char c;

    if (!block) {
        return;
    }
    qmp = block->qmp;
    start(block);
    assert_ok(fsn_qmp_export_add(qmp, "e", "disk-a", "a", NULL, NULL, &e), e);
    assert_refused(fsn_qmp_export_add(qmp, "e", "disk-b", "b", NULL, NULL, &e), &e,
                   FSN_ERROR_EXISTS);
    assert_refused(fsn_qmp_export_add(qmp, "f", "disk-c", "c", NULL, NULL, &e), &e,
                   FSN_ERROR_NOT_FOUND);
    assert_ok(fsn_qmp_query_exports(qmp, &exports, &e), e);
    g_assert_cmpuint(exports->len, ==, 1);
    export = exports->pdata[0];
    g_assert_cmpstr(export->id, ==, "e");
    g_assert_cmpstr(export->type, ==, "nbd");
    g_assert_cmpstr(export->node, ==, "disk-a");
    g_assert_false(export->shutting_down);
    client = open_client(block, "a");
    assert_refused(fsn_qmp_export_del(qmp, "e", false, &e), &e, FSN_ERROR_BUSY);
    assert_refused(fsn_qmp_export_wait_gone(qmp, "e", 20000, &e), &e, FSN_ERROR_TIMEOUT);
    assert_ok(fsn_qmp_export_del(qmp, "e", true, &e), e);
    assert_ok(fsn_qmp_export_wait_gone(qmp, "e", LONG, &e), e);
    g_assert_cmpint(recv(client, &c, 1, 0), ==, 0);
    close(client);
    assert_refused(fsn_qmp_export_del(qmp, "e", true, &e), &e, FSN_ERROR_NOT_FOUND);
    assert_ok(fsn_qmp_export_wait_gone(qmp, "e", 0, &e), e);
    assert_ok(fsn_qmp_nbd_server_stop(qmp, &e), e);
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
    start(block);
    test_block_add_scratch(block, 0, "scratch");
    assert_ok(fsn_qmp_bitmap_add(qmp, "disk-a", "x", 4096, false, &e), e);
    assert_refused(fsn_qmp_export_add(qmp, "e", "disk-a", "a", NULL, "x", &e), &e,
                   FSN_ERROR_FAILED);
    assert_ok(fsn_qmp_bitmap_disable(qmp, "disk-a", "x", &e), e);
    assert_refused(fsn_qmp_export_add(qmp, "e", "disk-a", "a", NULL, "y", &e), &e,
                   FSN_ERROR_NOT_FOUND);
    assert_refused(fsn_qmp_export_add(qmp, "e", "disk-b", "b", "disk-b", "x", &e), &e,
                   FSN_ERROR_NOT_FOUND);
    /* A bitmap of the image below is found without its node. */
    assert_ok(fsn_qmp_export_add(qmp, "e", "scratch", "a", NULL, "x", &e), e);
    assert_refused(fsn_qmp_bitmap_remove(qmp, "disk-a", "x", &e), &e, FSN_ERROR_BUSY);
    assert_refused(fsn_qmp_blockdev_del(qmp, "scratch", &e), &e, FSN_ERROR_BUSY);
    assert_ok(fsn_qmp_export_del(qmp, "e", false, &e), e);
    assert_ok(fsn_qmp_export_wait_gone(qmp, "e", LONG, &e), e);
    assert_ok(fsn_qmp_bitmap_remove(qmp, "disk-a", "x", &e), e);
    assert_ok(fsn_qmp_blockdev_del(qmp, "scratch", &e), e);
    assert_ok(fsn_qmp_nbd_server_stop(qmp, &e), e);
}

/* The server takes the exports with it, whoever made them. */
static void
test_stop_ends_exports(void)
{
    g_autoptr(TestBlock) block = test_block_new();
    g_autoptr(GError) e = NULL;
    int client;
    char c;

    if (!block) {
        return;
    }
    start(block);
    assert_ok(fsn_qmp_export_add(block->qmp, "e", "disk-a", "a", NULL, NULL, &e), e);
    client = open_client(block, "a");
    assert_ok(fsn_qmp_nbd_server_stop(block->qmp, &e), e);
    assert_ok(fsn_qmp_export_wait_gone(block->qmp, "e", LONG, &e), e);
    g_assert_cmpint(recv(client, &c, 1, 0), ==, 0);
    close(client);
}

static void
test_malformed(void)
{
    static const char *const replies[] = {
        "{\"return\":{}}", "{\"return\":[1]}", "{\"return\":[{\"id\":1}]}",
        "{\"return\":[{\"id\":\"e\",\"type\":\"nbd\"}]}"
    };

    for (size_t i = 0; i < G_N_ELEMENTS(replies); i++) {
        g_autoptr(FsnQmp) qmp = fsn_qmp_new(test_script_new(replies[i], NULL));
        g_autoptr(GError) first = NULL;
        g_autoptr(GError) second = NULL;
        GPtrArray *exports = NULL;

        g_assert_false(fsn_qmp_query_exports(qmp, &exports, &first));
        g_assert_error(first, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_false(fsn_qmp_export_wait_gone(qmp, "e", LONG, &second));
        g_assert_error(second, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_null(exports);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/block-export/server", test_server);
    g_test_add_func("/qmp/block-export/exports", test_exports);
    g_test_add_func("/qmp/block-export/bitmaps", test_bitmaps);
    g_test_add_func("/qmp/block-export/stop-ends-exports", test_stop_ends_exports);
    g_test_add_func("/qmp/block-export/malformed", test_malformed);
    return g_test_run();
}
