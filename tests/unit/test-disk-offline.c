/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/disk/offline.c and chain.c: disks that are off, read through a qemu-nbd of our own. */
#include "config.h"

#include "disk-common.h"

#include "disk/chain.h"
#include "disk/nbd.h"
#include "disk/offline.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define MIB ((uint64_t)1 << 20)

static bool
have_qemu(void)
{
    return test_have("qemu-img", "qemu-nbd", "qemu-io", NULL);
}

static void
make_qcow2(const char *file)
{
    test_run("qemu-img create -q -f qcow2 '%s' 16M", file);
    test_run("qemu-io -f qcow2 -c 'write -q -P 17 0 2M' '%s'", file);
}

static FsnDiskOffline *
open_disk(const char *path, const char *format, const char *bitmap)
{
    g_autoptr(GError) error = NULL;
    FsnDiskOffline *offline = fsn_disk_offline_new(path, format, bitmap, &error);

    g_assert_no_error(error);
    return offline;
}

static char *
open_fails(const char *path, const char *format, const char *bitmap, FsnError code)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(fsn_disk_offline_new(path, format, bitmap, &error));
    g_test_message("%s", error->message);
    g_assert_error(error, FSN_ERROR, (int)code);
    return g_strdup(error->message);
}

static void
capture_offline(Lab *lab,
                FsnDiskOffline *offline,
                FsnImage *parent,
                const char *bitmap,
                FsnDiskCaptureResult *out)
{
    FsnDiskCaptureOptions options = {
        .socket = fsn_disk_offline_socket(offline),
        .export_name = "",
        .bitmap = bitmap,
        .repo = lab->repo,
        .parent = parent,
        .codec = FSN_CODEC_LZ4,
    };

    capture_ok(&options, out);
}

static void
test_bitmap(void)
{
    g_auto(FsnDiskCaptureResult) first = { 0 }, second = { 0 };
    g_autoptr(Lab) lab = lab_new();
    g_autofree char *raw = g_strconcat(lab->file, ".raw", NULL);
    g_autoptr(FsnImage) parent = NULL;

    if (!have_qemu()) {
        return;
    }
    make_qcow2(lab->file);
    test_run("qemu-img bitmap -f qcow2 --add '%s' one", lab->file);
    {
        g_autoptr(FsnDiskOffline) offline = open_disk(lab->file, "qcow2", NULL);

        capture_offline(lab, offline, NULL, NULL, &first);
        g_assert_cmpuint(first.bytes_read, ==, 2 * MIB);
    }
    /* Nothing holds it any more. */
    test_run("qemu-io -f qcow2 -c 'write -q -P 18 5M 64k' '%s'", lab->file);
    parent = open_image(lab->repo, first.image.root);
    {
        g_autoptr(FsnDiskOffline) offline = open_disk(lab->file, "qcow2", "one");

        capture_offline(lab, offline, parent, "qemu:dirty-bitmap:one", &second);
        g_assert_cmpuint(second.bytes_read, ==, 65536);
    }
    test_run("qemu-img convert -f qcow2 -O raw '%s' '%s'", lab->file, raw);
    assert_image_is_file(lab->repo, second.image.root, raw);
}

/* A raw disk is raw, whatever the guest has written at its beginning. */
static void
test_raw_is_raw(void)
{
    g_auto(FsnDiskCaptureResult) result = { 0 };
    g_autoptr(Lab) lab = lab_new();
    g_autoptr(FsnDiskOffline) offline = NULL;

    if (!have_qemu()) {
        return;
    }
    test_run("qemu-img create -q -f qcow2 -b /etc/passwd -F raw '%s' 16M", lab->file);
    offline = open_disk(lab->file, "raw", NULL);
    capture_offline(lab, offline, NULL, NULL, &result);
    g_assert_cmpuint(result.size, <, MIB);
    assert_image_is_file(lab->repo, result.image.root, lab->file);
}

static void
test_chain(void)
{
    g_auto(FsnDiskCaptureResult) result = { 0 };
    g_autoptr(Lab) lab = lab_new();
    g_autofree char *middle = g_strconcat(lab->dir, "/mid, \"dle\" {x}", NULL);
    g_autofree char *top = g_strconcat(lab->dir, "/top", NULL);
    g_autofree char *raw = g_strconcat(lab->file, ".raw", NULL);
    g_autoptr(FsnDiskOffline) offline = NULL;
    g_autoptr(GPtrArray) layers = NULL;

    if (!have_qemu()) {
        return;
    }
    test_run("truncate -s 16M '%s'", lab->file);
    test_run("qemu-io -f raw -c 'write -q -P 1 0 3M' '%s'", lab->file);
    test_run("qemu-img create -q -f qcow2 -b disk -F raw '%s'", middle);
    test_run("qemu-io -f qcow2 -c 'write -q -P 2 1M 1M' '%s'", middle);
    test_run("qemu-img create -q -f qcow2 -b '%s' -F qcow2 '%s'", middle, top);
    g_assert_true(fsn_disk_chain_read(top, "qcow2", &layers, NULL));
    g_assert_cmpuint(layers->len, ==, 3);
    offline = open_disk(top, "qcow2", NULL);
    capture_offline(lab, offline, NULL, NULL, &result);
    g_assert_cmpuint(result.bytes_read, ==, 3 * MIB);
    test_run("qemu-img convert -f qcow2 -O raw '%s' '%s'", top, raw);
    assert_image_is_file(lab->repo, result.image.root, raw);
}

static void
test_chain_refused(void)
{
    g_autoptr(Lab) lab = lab_new();
    g_autofree char *base = g_strconcat(lab->file, "-base", NULL);
    g_autofree char *json = g_strdup_printf(
        "json:{\\\"driver\\\":\\\"file\\\",\\\"filename\\\":\\\"%s\\\"}", base);

    if (!have_qemu()) {
        return;
    }
    make_qcow2(base);
    /* Not written down, as in old images: would be guessed. */
    test_run("qemu-img create -q -f qcow2 -b '%s' -F qcow2 '%s'", base, lab->file);
    test_run("qemu-img rebase -u -b '%s' -f qcow2 -F qcow2 '%s'", base, lab->file);
    test_run("qemu-img amend -q -f qcow2 -o compat=1.1 '%s'", lab->file);
    test_run("perl -0777 -pi -e 's/\\xe2\\x79\\x2a\\xca/\\xe2\\x79\\x2a\\xcb/' '%s'",
             lab->file);
    g_free(open_fails(lab->file, "qcow2", NULL, FSN_ERROR_UNSUPPORTED));
    /* On itself. */
    test_run("qemu-img rebase -u -b '%s' -f qcow2 -F qcow2 '%s'", lab->file, base);
    test_run("qemu-img create -q -f qcow2 -u -b '%s' -F qcow2 '%s' 16M", base, lab->file);
    g_free(open_fails(lab->file, "qcow2", NULL, FSN_ERROR_UNSUPPORTED));
    test_run("qemu-img create -q -f qcow2 -u -b \"%s\" -F qcow2 '%s' 16M", json,
             lab->file);
    g_free(open_fails(lab->file, "qcow2", NULL, FSN_ERROR_UNSUPPORTED));
    test_run("qemu-img create -q -f qcow2 -u -b '%s' -F vmdk '%s' 16M", base, lab->file);
    g_free(open_fails(lab->file, "qcow2", NULL, FSN_ERROR_UNSUPPORTED));
    g_free(open_fails(base, "vmdk", NULL, FSN_ERROR_UNSUPPORTED));
}

static void
test_unusable(void)
{
    g_autoptr(Lab) lab = lab_new();
    g_autofree char *message = NULL;

    if (!have_qemu()) {
        return;
    }
    g_free(open_fails(lab->file, "qcow2", NULL, FSN_ERROR_NOT_FOUND));
    message = open_fails(lab->file, "raw", NULL, FSN_ERROR_FAILED);
    g_assert_nonnull(strstr(message, g_strerror(ENOENT)));
    g_assert_null(strchr(message, '{'));
    make_qcow2(lab->file);
    g_free(open_fails(lab->file, "qcow2", "absent", FSN_ERROR_NOT_FOUND));
    test_run("truncate -s 100 '%s'", lab->file);
    g_free(open_fails(lab->file, "qcow2", NULL, FSN_ERROR_FORMAT));
}

/* A disk that somebody writes is not read; after they were killed their bitmaps are no good. */
static void
test_in_use(void)
{
    g_autoptr(Lab) lab = lab_new();
    g_autoptr(TestNbd) other = NULL;
    g_autoptr(FsnNbd) client = NULL;
    g_autoptr(GError) error = NULL;

    if (!have_qemu()) {
        return;
    }
    make_qcow2(lab->file);
    test_run("qemu-img bitmap -f qcow2 --add '%s' one", lab->file);
    other = test_nbd_new("qemu-nbd", "-t", "-f", "qcow2", lab->file, NULL);
    client = fsn_nbd_open(&(FsnNbdOptions){ .socket = other->path,
                                            .export_name = "",
                                            .stall_us = 10 * G_USEC_PER_SEC },
                          &error);
    g_assert_no_error(error);
    g_free(open_fails(lab->file, "qcow2", NULL, FSN_ERROR_BUSY));
    test_nbd_kill(other);
    g_free(open_fails(lab->file, "qcow2", "one", FSN_ERROR_NOT_FOUND));
    fsn_disk_offline_free(open_disk(lab->file, "qcow2", NULL));
}

/* qemu-nbd ends with the process, also when that is killed. */
static void
test_parent_killed(void)
{
    g_autoptr(Lab) lab = lab_new();
    int fds[2], status;
    char byte;
    pid_t pid;

    if (!have_qemu()) {
        return;
    }
    make_qcow2(lab->file);
    g_assert_no_errno(prctl(PR_SET_CHILD_SUBREAPER, 1));
    g_assert_no_errno(pipe(fds));
    pid = fork();
    if (pid == 0) {
        FsnDiskOffline *offline = open_disk(lab->file, "qcow2", NULL);

        g_assert_nonnull(offline);
        g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
        pause();
    }
    g_assert_cmpint(read(fds[0], &byte, 1), ==, 1);
    kill(pid, SIGKILL);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    /* The orphan comes to us. */
    g_assert_cmpint(waitpid(-1, &status, 0), >, 0);
    g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    g_assert_no_errno(prctl(PR_SET_CHILD_SUBREAPER, 0));
    close(fds[0]);
    close(fds[1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk/offline/bitmap", test_bitmap);
    g_test_add_func("/disk/offline/raw-is-raw", test_raw_is_raw);
    g_test_add_func("/disk/offline/chain", test_chain);
    g_test_add_func("/disk/offline/chain-refused", test_chain_refused);
    g_test_add_func("/disk/offline/unusable", test_unusable);
    g_test_add_func("/disk/offline/in-use", test_in_use);
    g_test_add_func("/disk/offline/parent-killed", test_parent_killed);
    return g_test_run();
}
