/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A real QEMU with two disks for tests of the block layer. Writes go through the guest's
 * devices, by the monitor's qemu-io, so that jobs and bitmaps see them as a guest's. */
#include "config.h"

#include "block-fixture.h"

#include "qmp/commands-block.h"
#include "qmp/commands-status.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

bool
test_run(const char *const *argv, int fd, char **out_output)
{
    g_autoptr(GString) output = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    int target_fd = 3;
    int status, out;
    char chunk[4096];
    GPid pid;
    ssize_t n;

    g_spawn_async_with_pipes_and_fds(
        NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, -1,
        -1, -1, &fd, &target_fd, fd >= 0 ? 1 : 0, &pid, NULL, &out, NULL, &error);
    g_assert_no_error(error);
    while ((n = read(out, chunk, sizeof chunk)) > 0) {
        g_string_append_len(output, chunk, n);
    }
    close(out);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    if (out_output) {
        *out_output = g_strdup(output->str);
    }
    return status == 0;
}

static void
fill_file(const char *path, unsigned pattern, size_t offset, size_t len)
{
    g_autofree char *bytes = g_malloc(len);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    g_assert_cmpint(fd, >=, 0);
    memset(bytes, (int)pattern, len);
    g_assert_cmpint(pwrite(fd, bytes, len, (off_t)offset), ==, (ssize_t)len);
    close(fd);
}

static void
make_disk(TestDisk *disk, const char *format)
{
    const char *convert[] = { "qemu-img", "convert", "-f",       "raw", "-O",
                              format,     NULL,      disk->path, NULL };

    convert[6] = disk->expected;
    fill_file(disk->expected, 0x11, 0, TEST_DISK_SIZE / 2);
    g_assert_no_errno(truncate(disk->expected, (off_t)TEST_DISK_SIZE));
    g_assert_true(test_run(convert, -1, NULL));
}

static char *
blockdev(const TestDisk *disk, const char *format)
{
    return g_strdup_printf("driver=%s,node-name=%s,file.driver=file,file.filename=%s",
                           format, disk->node, disk->path);
}

TestBlock *
test_block_new(void)
{
    g_autofree char *program = g_find_program_in_path("qemu-img");
    g_autoptr(TestBlock) block = g_new0(TestBlock, 1);
    g_autoptr(GError) error = NULL;
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;

    if (!program) {
        g_test_skip("qemu-img is not installed");
        return NULL;
    }
    block->dir = g_dir_make_tmp("foresnap-test-XXXXXX", &error);
    g_assert_no_error(error);
    block->socket = g_build_filename(block->dir, "nbd.sock", NULL);
    block->disks[0].node = "disk-a";
    block->disks[0].qdev = "/machine/peripheral/virtio-disk0/virtio-backend";
    block->disks[1].node = "disk-b";
    block->disks[1].qdev = "scsi0-0-0-0";
    for (int i = 0; i < 2; i++) {
        TestDisk *disk = &block->disks[i];

        disk->path = g_build_filename(block->dir, disk->node, NULL);
        disk->expected = g_strconcat(disk->path, ".expected", NULL);
        make_disk(disk, i == 0 ? "qcow2" : "raw");
    }
    first = blockdev(&block->disks[0], "qcow2");
    second = blockdev(&block->disks[1], "raw");
    block->qemu = test_qemu_new((const char *[]){
        "-machine", "q35", "-m", "64M", "-blockdev", first, "-blockdev", second,
        "-device", "virtio-blk-pci,drive=disk-a,id=virtio-disk0", "-device",
        "virtio-scsi-pci,id=scsi0", "-device",
        "scsi-hd,bus=scsi0.0,drive=disk-b,id=scsi0-0-0-0", NULL });
    if (!block->qemu) {
        return NULL;
    }
    block->qmp = test_qemu_session(block->qemu);
    return g_steal_pointer(&block);
}

void
test_block_free(TestBlock *block)
{
    if (!block) {
        return;
    }
    fsn_qmp_free(block->qmp);
    test_qemu_free(block->qemu);
    for (int i = 0; i < 2; i++) {
        (void)g_unlink(
            block->disks[i].path); /* not there if the test was skipped early */
        (void)g_unlink(block->disks[i].expected);
        g_free(block->disks[i].path);
        g_free(block->disks[i].expected);
    }
    (void)g_unlink(block->socket); /* QEMU has removed it if it could */
    g_assert_no_errno(g_rmdir(block->dir));
    g_free(block->socket);
    g_free(block->dir);
    g_free(block);
}

void
test_block_write(
    TestBlock *block, int i, unsigned pattern, size_t offset, size_t len, bool expect)
{
    g_autofree char *command =
        g_strdup_printf("qemu-io -d %s \"write -q -P %u %zu %zu\"", block->disks[i].qdev,
                        pattern, offset, len);
    g_autoptr(JsonObject) arguments = json_object_new();
    g_autoptr(JsonNode) value = NULL;
    g_autoptr(GError) error = NULL;

    json_object_set_string_member(arguments, "command-line", command);
    g_assert_true(
        fsn_qmp_execute(block->qmp, "human-monitor-command", arguments, &value, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(json_node_get_string(value), ==, "");
    if (expect) {
        fill_file(block->disks[i].expected, pattern, offset, len);
    }
}

int
test_block_scratch_fd(TestBlock *block)
{
    g_autofree char *size = g_strdup_printf("%zu", TEST_DISK_SIZE);
    const char *create[] = { "qemu-img", "create",          "-q", "-f",
                             "qcow2",    "/proc/self/fd/3", size, NULL };
    int fd = open(block->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    g_assert_cmpint(fd, >=, 0);
    g_assert_true(test_run(create, fd, NULL));
    return fd;
}

void
test_block_add_scratch(TestBlock *block, int i, const char *node)
{
    g_autoptr(GError) error = NULL;
    int fd = test_block_scratch_fd(block);
    int64_t set_id = -1;

    g_assert_true(fsn_qmp_add_fdset(block->qmp, fd, &set_id, &error));
    g_assert_no_error(error);
    close(fd);
    g_assert_true(
        fsn_qmp_add_scratch(block->qmp, node, set_id, block->disks[i].node, &error));
    g_assert_no_error(error);
    g_assert_true(fsn_qmp_remove_fdset(block->qmp, set_id, &error));
    g_assert_no_error(error);
}

void
test_block_listen(TestBlock *block, const char *fdname)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(strlen(block->socket), <, sizeof address.sun_path);
    memcpy(address.sun_path, block->socket, strlen(block->socket));
    g_assert_no_errno(bind(fd, (struct sockaddr *)&address, sizeof address));
    g_assert_no_errno(listen(fd, 8));
    g_assert_true(fsn_qmp_getfd(block->qmp, fdname, fd, &error));
    g_assert_no_error(error);
    close(fd);
}
