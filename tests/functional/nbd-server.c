/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/disk/nbd-server.c and qemu-img.c with a real nbdkit and qemu-img: what is served is what
 * was stored, the socket is private and goes, stale ones do no harm, and it ends in time
 * with a client attached.
 */
#include "config.h"

#include "base/clock.h"
#include "disk/nbd-server.h"
#include "disk/qemu-img.h"
#include "stored-disk-common.h"

#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ID "0123456789abcdef0123456789abcdef"

typedef struct {
    char *folder;
    char *repo;
    char *socket;
    char *plugin;
    FsnNbdServerOptions options;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnRepo) repo = NULL;
    g_autoptr(JsonObject) manifest = NULL;
    g_autofree char *root = NULL;

    f->folder = g_dir_make_tmp("foresnap-nbd-XXXXXX", &error);
    f->repo = g_build_filename(f->folder, "repo", NULL);
    f->socket = g_build_filename(f->folder, "s", NULL);
    f->plugin = g_test_build_filename(G_TEST_BUILT, "nbdkit-foresnap-plugin.so", NULL);
    repo = fsn_repo_open(f->repo, FSN_REPO_CREATE, &error);
    g_assert_no_error(error);
    root = store_disk(repo);
    manifest = disk_manifest(ID, root);
    g_assert_true(fsn_repo_commit_manifest(repo, manifest, &error));
    f->options = (FsnNbdServerOptions){ .plugin = f->plugin,
                                        .repo = f->repo,
                                        .snapshot = ID,
                                        .target = "vda",
                                        .socket = f->socket };
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    const char *argv[] = { "rm", "-rf", f->folder, NULL };

    g_assert_false(g_file_test(f->socket, G_FILE_TEST_EXISTS));
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                 NULL, NULL);
    g_free(f->folder);
    g_free(f->repo);
    g_free(f->socket);
    g_free(f->plugin);
}

static FsnNbdServer *
start(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    FsnNbdServer *server = fsn_nbd_server_start(&f->options, &error);

    g_assert_no_error(error);
    return server;
}

static int
attach(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char greeting[18];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    g_assert_cmpint(recv(fd, greeting, sizeof greeting, MSG_WAITALL), ==,
                    sizeof greeting);
    g_assert_cmpmem(greeting, 8, "NBDMAGIC", 8);
    return fd;
}

static void
on_progress(uint64_t done, uint64_t total, gpointer user)
{
    uint64_t *last = user;

    g_assert_cmpuint(done, <=, total);
    *last = done;
}

/* Through nbdkit and qemu-img into qcow2, and back. */
static void
test_qcow2(Fixture *f, gconstpointer data)
{
    g_autoptr(FsnNbdServer) server = start(f);
    g_autoptr(GError) error = NULL;
    g_autofree char *uri = fsn_nbd_uri(f->socket);
    g_autofree char *qcow2 = g_build_filename(f->folder, "a,b.qcow2", NULL);
    g_autofree char *raw = g_build_filename(f->folder, "raw", NULL);
    g_autofree char *file = g_strconcat("file:", qcow2, NULL);
    const char *argv[] = { "qemu-img", "convert", "-f", "qcow2", "-O",
                           "raw",      file,      raw,  NULL };
    g_autofree uint8_t *wanted = disk_bytes();
    g_autofree char *found = NULL;
    uint64_t last = 0;
    struct stat st;
    gsize len;
    int status;

    g_assert_cmpint(stat(f->socket, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    g_assert_true(fsn_qemu_img_to_qcow2(uri, qcow2, NULL, on_progress, &last, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(last, ==, 10000);
    g_assert_true(fsn_qemu_img_add_bitmap(qcow2, "foresnap-x", &error));
    g_assert_no_error(error);
    g_assert_false(fsn_qemu_img_add_bitmap(qcow2, "foresnap-x", &error));
    g_assert_nonnull(strstr(error->message, "qemu-img cannot add a bitmap: "));
    g_clear_error(&error);
    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                               NULL, NULL, &status, &error));
    g_assert_cmpint(status, ==, 0);
    g_assert_true(g_file_get_contents(raw, &found, &len, &error));
    g_assert_cmpmem(found, len, wanted, DISK_SIZE);
}

static void
test_stop_with_client(Fixture *f, gconstpointer data)
{
    FsnNbdServer *server = start(f);
    int client = attach(f->socket);
    int64_t before = fsn_monotonic_us();

    fsn_nbd_server_free(server);
    g_assert_cmpint(fsn_monotonic_us() - before, <, 5000000);
    close(client);
}

static void
test_places(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    FsnNbdServer *server;
    int fd;

    g_assert_true(g_file_set_contents(f->socket, "mine", -1, &error));
    g_assert_null(fsn_nbd_server_start(&f->options, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_EXISTS);
    g_clear_error(&error);
    g_assert_cmpint(g_unlink(f->socket), ==, 0);
    /* what a server that was killed leaves */
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_strlcpy(address.sun_path, f->socket, sizeof address.sun_path);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    close(fd);
    server = start(f);
    g_assert_null(fsn_nbd_server_start(&f->options, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_BUSY);
    close(attach(f->socket)); /* the refused one has not taken it away */
    fsn_nbd_server_free(server);
}

static gpointer
cancel(gpointer data)
{
    g_usleep(50000);
    g_cancellable_cancel(data);
    return NULL;
}

static void
test_wait(Fixture *f, gconstpointer data)
{
    g_autoptr(FsnNbdServer) server = start(f);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    GThread *thread = g_thread_new("cancel", cancel, cancellable);

    g_assert_true(fsn_nbd_server_wait(server, cancellable, &error));
    g_thread_join(thread);
}

static void
test_no_such_disk(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    f->options.target = "vdz";
    g_assert_null(fsn_nbd_server_start(&f->options, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
}

static void
test_long_path(Fixture *f, gconstpointer data)
{
    g_autofree char *name = g_strnfill(120, 'x');
    g_autofree char *path = g_build_filename(f->folder, name, NULL);
    g_autoptr(GError) error = NULL;

    f->options.socket = path;
    g_assert_null(fsn_nbd_server_start(&f->options, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
}

static void
test_parse_progress(void)
{
    uint64_t done = 7;

    g_assert_true(fsn_qemu_img_parse_progress("    (12.34/100%)\r", &done));
    g_assert_cmpuint(done, ==, 1234);
    g_assert_true(
        fsn_qemu_img_parse_progress("    (1.00/100%)\r    (100.00/100%)\r", &done));
    g_assert_cmpuint(done, ==, 10000);
    g_assert_false(fsn_qemu_img_parse_progress("", &done));
    g_assert_false(fsn_qemu_img_parse_progress("(nan/100%)", &done));
    g_assert_false(fsn_qemu_img_parse_progress("(101/100%)", &done));
    g_assert_false(fsn_qemu_img_parse_progress("(-1/100%)", &done));
    g_assert_false(fsn_qemu_img_parse_progress("(12.", &done));
    g_assert_cmpuint(done, ==, 10000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qemu-img/parse-progress", test_parse_progress);
#define ADD(name, function) \
    g_test_add("/nbd-server/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("qcow2", test_qcow2);
    ADD("stop-with-client", test_stop_with_client);
    ADD("places", test_places);
    ADD("wait", test_wait);
    ADD("no-such-disk", test_no_such_disk);
    ADD("long-path", test_long_path);
    return g_test_run();
}
