/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scratch space for an instant of a disk. The guest waits for it at each of its writes, and
 * QEMU lets a write fail that finds no space: so all of it is reserved beforehand.
 */
#include "config.h"

#include "cycle/scratch.h"

#include "base/error.h"
#include "disk/qemu-img.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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
    if (!fsn_qemu_img_create(fd, size, error) ||
        !reserve_space(fd, dir, reserve, error)) {
        close(fd);
        return -1;
    }
    return fd;
}
