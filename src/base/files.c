/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that survive a crash: write, fsync, rename, fsync of the folder. Every caller that
 * needs durability comes through here, so that the order stands in one place.
 */
#include "config.h"

#include "base/files.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool
fsn_write_all(int fd, const void *data, size_t len, const char *what, GError **error)
{
    const uint8_t *p = data;

    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return fsn_set_errno(error, errno, "cannot write '%s'", what);
        }
        p += n;
        len -= (size_t)n;
    }
    return true;
}

bool
fsn_pwrite_all(int fd,
               const void *data,
               size_t len,
               uint64_t offset,
               const char *what,
               GError **error)
{
    const uint8_t *p = data;

    while (len > 0) {
        ssize_t n = pwrite(fd, p, len, (off_t)offset);

        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return fsn_set_errno(error, errno, "cannot write '%s'", what);
        }
        p += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return true;
}

bool
fsn_pread_all(
    int fd, void *data, size_t len, uint64_t offset, const char *what, GError **error)
{
    uint8_t *p = data;

    while (len > 0) {
        ssize_t n = pread(fd, p, len, (off_t)offset);

        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return fsn_set_errno(error, errno, "cannot read '%s'", what);
        }
        if (n == 0) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT,
                        "'%s' ends %zu bytes early at offset %" G_GUINT64_FORMAT, what,
                        len, offset);
            return false;
        }
        p += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return true;
}

bool
fsn_dir_sync(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int saved = 0;

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot open folder '%s'", path);
    }
    if (fsync(fd) < 0) {
        saved = errno;
    }
    close(fd);
    return saved == 0 || fsn_set_errno(error, saved, "cannot sync folder '%s'", path);
}

static bool
sync_parent(const char *path, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(path);

    return fsn_dir_sync(dir, error);
}

/* Writes a synced temporary file beside @path and returns its name in @out_temp. */
static bool
write_temp(const char *path,
           const void *data,
           size_t len,
           mode_t mode,
           char **out_temp,
           GError **error)
{
    g_autofree char *temp = g_strconcat(path, ".XXXXXX.tmp", NULL);
    int fd = g_mkstemp_full(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (int)mode);
    bool ok;

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot create '%s'", path);
    }
    ok = fsn_write_all(fd, data, len, path, error);
    if (ok && fsync(fd) < 0) {
        ok = fsn_set_errno(error, errno, "cannot sync '%s'", path);
    }
    if (close(fd) < 0 && ok) {
        ok = fsn_set_errno(error, errno, "cannot close '%s'", path);
    }
    if (!ok) {
        (void)unlink(temp); /* the write's error is the one to report */
        return false;
    }
    *out_temp = g_steal_pointer(&temp);
    return true;
}

bool
fsn_file_replace(
    const char *path, const void *data, size_t len, mode_t mode, GError **error)
{
    g_autofree char *temp = NULL;

    if (!write_temp(path, data, len, mode, &temp, error)) {
        return false;
    }
    if (rename(temp, path) < 0) {
        fsn_set_errno(error, errno, "cannot put '%s' in place", path);
        (void)unlink(temp); /* the rename's error is the one to report */
        return false;
    }
    return sync_parent(path, error);
}

bool
fsn_file_create_exclusive(
    const char *path, const void *data, size_t len, mode_t mode, GError **error)
{
    g_autofree char *temp = NULL;
    int saved = 0;

    if (!write_temp(path, data, len, mode, &temp, error)) {
        return false;
    }
    /* link() fails when the name is taken; rename() would replace it. */
    if (link(temp, path) < 0) {
        saved = errno;
    }
    (void)unlink(temp); /* a left-over temporary file harms nobody */
    if (saved != 0) {
        return fsn_set_errno(error, saved, "cannot create '%s'", path);
    }
    return sync_parent(path, error);
}

bool
fsn_file_read(const char *path, size_t max, GBytes **out_bytes, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    g_autofree uint8_t *data = NULL;
    bool ok = false;

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot open '%s'", path);
    }
    if (fstat(fd, &st) < 0) {
        fsn_set_errno(error, errno, "cannot look at '%s'", path);
    } else if ((uint64_t)st.st_size > max) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "'%s' has %" G_GINT64_FORMAT " bytes, more than the %zu allowed",
                    path, (int64_t)st.st_size, max);
    } else if (!(data = g_try_malloc((size_t)st.st_size + 1))) {
        fsn_set_errno(error, ENOMEM, "cannot read '%s'", path);
    } else {
        ok = fsn_pread_all(fd, data, (size_t)st.st_size, 0, path, error);
    }
    close(fd);
    if (ok) {
        *out_bytes = g_bytes_new_take(g_steal_pointer(&data), (size_t)st.st_size);
    }
    return ok;
}

bool
fsn_mkdirs(const char *path, mode_t mode, GError **error)
{
    if (g_mkdir_with_parents(path, (int)mode) < 0) {
        return fsn_set_errno(error, errno, "cannot make folder '%s'", path);
    }
    return true;
}

bool
fsn_file_remove_durable(const char *path, GError **error)
{
    if (unlink(path) < 0) {
        if (errno == ENOENT) {
            return true;
        }
        return fsn_set_errno(error, errno, "cannot remove '%s'", path);
    }
    return sync_parent(path, error);
}
