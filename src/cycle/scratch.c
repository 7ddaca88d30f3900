/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scratch space for an instant of a disk. The guest waits for it at each of its writes, and
 * QEMU lets a write fail that finds no space: so all of it is reserved beforehand.
 */
#include "config.h"

#include "cycle/scratch.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#define CHILD_FD 3

/* Without a name from the beginning, or, where the file system cannot do that, at once. */
static int
open_nameless(const char *dir, GError **error)
{
    g_autofree char *template = g_build_filename(dir, "scratch-XXXXXX", NULL);
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
        fd = g_mkstemp_full(template, O_RDWR | O_CLOEXEC, 0600);
        if (fd >= 0) {
            (void)unlink(template); /* it stays until closed, named or not */
        }
    }
    if (fd < 0) {
        (void)fsn_set_errno(error, errno, "cannot make a file in '%s'", dir);
    }
    return fd;
}

static bool
format(int fd, uint64_t size, GError **error)
{
    g_autofree char *size_text = g_strdup_printf("%" G_GUINT64_FORMAT, size);
    const char *argv[] = { "qemu-img", "create",          "-q",      "-f",
                           "qcow2",    "/proc/self/fd/3", size_text, NULL };
    g_autofree char *said = NULL;
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_autoptr(GSubprocess) process = NULL;

    g_subprocess_launcher_take_fd(launcher, fcntl(fd, F_DUPFD_CLOEXEC, 0), CHILD_FD);
    process = g_subprocess_launcher_spawnv(launcher, argv, error);
    if (!process ||
        !g_subprocess_communicate_utf8(process, NULL, NULL, NULL, &said, error)) {
        g_prefix_error(error, "qemu-img (is it installed?): ");
        return false;
    }
    if (!g_subprocess_get_successful(process)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "qemu-img create: %s",
                    said ? g_strstrip(said) : "it failed");
        return false;
    }
    return true;
}

static bool
reserve_space(int fd, const char *dir, uint64_t reserve, GError **error)
{
    g_autofree char *text = g_format_size_full(reserve, G_FORMAT_SIZE_IEC_UNITS);

    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)reserve) == 0) {
        return true;
    }
    if (errno == ENOSPC || errno == EFBIG || errno == EDQUOT) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NO_SPACE,
                    "'%s' has no room for %s, which may be needed while the snapshot is "
                    "read; choose another folder with --scratch",
                    dir, text);
        return false;
    }
    return fsn_set_errno(
        error, errno, "'%s' cannot reserve space, choose another folder with --scratch",
        dir);
}

int
fsn_scratch_open(const char *dir, uint64_t size, uint64_t reserve, GError **error)
{
    int fd = open_nameless(dir, error);

    if (fd < 0) {
        return -1;
    }
    if (!format(fd, size, error) || !reserve_space(fd, dir, reserve, error)) {
        close(fd);
        return -1;
    }
    return fd;
}
