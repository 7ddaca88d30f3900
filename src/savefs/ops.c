/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers to the kernel: one folder of files NAME.save, each of which is either written by
 * libvirt, once and in order, or is a saved state that can only be read. There is no file of
 * any other kind, none that is empty or unfinished once its writer has gone, and no way to
 * change or remove one. Nothing is cached by the kernel.
 */
#include "config.h"

#include "savefs/ops.h"

#include "base/clock.h"
#include "base/error.h"
#include "savefs/savefs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READER      1u
#define WRITER      2u
#define MAX_WRITE   (1u << 20)
#define ROOT_LINKS  2
#define BLOCK_BYTES 512u

static FsnSavefs *
fs_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

static int
errno_of(const GError *error)
{
    if (g_error_matches(error, FSN_ERROR, FSN_ERROR_NO_SPACE)) {
        return ENOSPC;
    }
    if (g_error_matches(error, FSN_ERROR, FSN_ERROR_BUSY)) {
        return EBUSY;
    }
    if (g_error_matches(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED)) {
        return EOPNOTSUPP;
    }
    if (g_error_matches(error, FSN_ERROR, FSN_ERROR_FORMAT)) {
        return EINVAL;
    }
    return g_error_matches(error, FSN_ERROR, FSN_ERROR_STATE) ? EPERM : EIO;
}

/* The reason does not fit into an errno, so it is logged. */
static void
reply_error(fuse_req_t req, const char *name, const GError *error)
{
    g_message("domain '%s': %s", name, error->message);
    fuse_reply_err(req, errno_of(error));
}

static void
init(void *user G_GNUC_UNUSED, struct fuse_conn_info *conn)
{
    conn->max_write = MAX_WRITE;
}

static void
fill_attr(const FsnSavefsEntry *entry, struct stat *st)
{
    uint64_t size = entry->image  ? fsn_managed_image_size(entry->image)
                    : entry->save ? fsn_managed_save_length(entry->save)
                                  : 0;

    memset(st, 0, sizeof *st);
    st->st_ino = entry->ino;
    st->st_mode = S_IFREG | entry->mode;
    st->st_nlink = 1;
    st->st_uid = entry->uid;
    st->st_gid = entry->gid;
    st->st_size = (off_t)size;
    st->st_blocks = (blkcnt_t)(size / BLOCK_BYTES);
}

static void
fill_root(struct stat *st)
{
    memset(st, 0, sizeof *st);
    st->st_ino = FUSE_ROOT_ID;
    st->st_mode = S_IFDIR | 0700;
    st->st_nlink = ROOT_LINKS;
}

static void
fill_entry(const FsnSavefsEntry *entry, struct fuse_entry_param *param)
{
    memset(param, 0, sizeof *param);
    param->ino = entry->ino;
    fill_attr(entry, &param->attr);
}

static void
lookup(fuse_req_t req, fuse_ino_t parent, const char *file)
{
    FsnSavefs *fs = fs_of(req);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fs->lock);
    FsnSavefsEntry *entry = fsn_savefs_entry_by_file(fs, file, false);
    struct fuse_entry_param param;

    if (parent != FUSE_ROOT_ID || !entry || !fsn_savefs_entry_visible(entry)) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    fill_entry(entry, &param);
    fuse_reply_entry(req, &param);
}

static void
reply_attr(fuse_req_t req, fuse_ino_t ino)
{
    FsnSavefsEntry *entry = fsn_savefs_entry_by_ino(fs_of(req), ino);
    struct stat st;

    if (ino == FUSE_ROOT_ID) {
        fill_root(&st);
    } else if (entry) {
        fill_attr(entry, &st);
    } else {
        fuse_reply_err(req, ENOENT);
        return;
    }
    fuse_reply_attr(req, &st, 0);
}

static void
getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi G_GNUC_UNUSED)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fs_of(req)->lock);

    reply_attr(req, ino);
}

/* libvirt gives the file to QEMU's user and takes it back. */
static void
setattr(fuse_req_t req,
        fuse_ino_t ino,
        struct stat *attr,
        int to_set,
        struct fuse_file_info *fi G_GNUC_UNUSED)
{
    FsnSavefs *fs = fs_of(req);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fs->lock);
    FsnSavefsEntry *entry = fsn_savefs_entry_by_ino(fs, ino);

    if (!entry ||
        ((to_set & FUSE_SET_ATTR_SIZE) && (attr->st_size != 0 || !entry->save ||
                                           fsn_managed_save_length(entry->save) > 0))) {
        fuse_reply_err(req, EPERM);
        return;
    }
    if (to_set & FUSE_SET_ATTR_UID) {
        entry->uid = attr->st_uid;
    }
    if (to_set & FUSE_SET_ATTR_GID) {
        entry->gid = attr->st_gid;
    }
    if (to_set & FUSE_SET_ATTR_MODE) {
        entry->mode = attr->st_mode & 07777;
    }
    reply_attr(req, ino);
}

/* A save begins anew. */
static int
begin_save(FsnSavefs *fs, FsnSavefsEntry *entry)
{
    if (entry->image) {
        return EPERM;
    }
    if (entry->writers > 0 || entry->busy) {
        return EBUSY;
    }
    g_clear_pointer(&entry->save, fsn_managed_save_free);
    entry->save = fsn_managed_save_new(fs->cycle, fs->config->save_folder, entry->name);
    return 0;
}

static void
as_writer(FsnSavefsEntry *entry, struct fuse_file_info *fi)
{
    entry->writers++;
    fi->fh = WRITER;
    fi->direct_io = 1;
}

static void
create(fuse_req_t req,
       fuse_ino_t parent,
       const char *file,
       mode_t mode,
       struct fuse_file_info *fi)
{
    FsnSavefs *fs = fs_of(req);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fs->lock);
    FsnSavefsEntry *entry =
        parent == FUSE_ROOT_ID ? fsn_savefs_entry_by_file(fs, file, true) : NULL;
    struct fuse_entry_param param;
    int status = entry ? begin_save(fs, entry) : EPERM;

    if (status) {
        fuse_reply_err(req, status);
        return;
    }
    entry->mode = mode & 07777;
    as_writer(entry, fi);
    fill_entry(entry, &param);
    if (fuse_reply_create(req, &param, fi) == -ENOENT) {
        entry->writers--; /* the caller was interrupted: there is no release */
    }
}

static void
open_reader(fuse_req_t req, FsnSavefsEntry *entry, struct fuse_file_info *fi)
{
    g_autoptr(GError) error = NULL;

    if (!entry->image) {
        fuse_reply_err(req, entry->save ? EBUSY : ENOENT);
        return;
    }
    if (entry->readers == 0 && !fsn_managed_image_open(entry->image, &error)) {
        reply_error(req, entry->name, error);
        return;
    }
    entry->unsettled = false; /* or it would be busy */
    entry->readers++;
    fi->fh = READER;
    fi->direct_io = 1;
    (void)fuse_reply_open(req, fi);
}

static void
open_writer(fuse_req_t req,
            FsnSavefs *fs,
            FsnSavefsEntry *entry,
            struct fuse_file_info *fi)
{
    int status = 0;

    if ((fi->flags & O_ACCMODE) != O_WRONLY) {
        status = EPERM;
    } else if (fi->flags & O_TRUNC) {
        status = begin_save(fs, entry);
    } else if (!entry->save || !fsn_managed_save_has_begun(entry->save)) {
        status = EPERM;
    }
    if (status) {
        fuse_reply_err(req, status);
        return;
    }
    as_writer(entry, fi);
    (void)fuse_reply_open(req, fi);
}

static void
open_file(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    FsnSavefs *fs = fs_of(req);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fs->lock);
    FsnSavefsEntry *entry = fsn_savefs_entry_by_ino(fs, ino);

    if (!entry) {
        fuse_reply_err(req, ENOENT);
    } else if ((fi->flags & O_ACCMODE) == O_RDONLY) {
        open_reader(req, entry, fi);
    } else {
        open_writer(req, fs, entry, fi);
    }
}

static void
read_file(
    fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
    FsnSavefs *fs = fs_of(req);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fs->lock);
    FsnSavefsEntry *entry = fsn_savefs_entry_by_ino(fs, ino);
    g_autofree char *bytes = NULL;
    g_autoptr(GError) error = NULL;
    size_t n;

    if (!entry || !entry->image || fi->fh != READER) {
        fuse_reply_err(req, EBADF);
        return;
    }
    bytes = g_malloc(size); /* the kernel asks for 1 MiB at most */
    if (!fsn_managed_image_pread(entry->image, bytes, size, (uint64_t)offset, &n,
                                 &error)) {
        reply_error(req, entry->name, error);
        return;
    }
    (void)fuse_reply_buf(req, bytes, n);
}

typedef struct {
    fuse_req_t req;
    size_t written; /* 0: it was an fsync */
} Pending;

static void
on_done(gpointer request, const GError *error)
{
    g_autofree Pending *pending = request;

    if (error) {
        fuse_reply_err(pending->req, errno_of(error));
    } else if (pending->written > 0) {
        (void)fuse_reply_write(pending->req, pending->written);
    } else {
        fuse_reply_err(pending->req, 0);
    }
}

/* What waits for a disk is not for the loop; with the lock. */
static void
defer(fuse_req_t req, FsnSavefsEntry *entry, const char *header, size_t len)
{
    Pending *pending = g_new0(Pending, 1);

    pending->req = req;
    pending->written = len;
    entry->busy = true;
    fsn_savefs_upkeep_add(fs_of(req), entry, header ? g_bytes_new(header, len) : NULL,
                          on_done, pending);
}

static void
write_file(fuse_req_t req,
           fuse_ino_t ino,
           const char *data,
           size_t size,
           off_t offset,
           struct fuse_file_info *fi)
{
    FsnSavefs *fs = fs_of(req);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fs->lock);
    FsnSavefsEntry *entry = fsn_savefs_entry_by_ino(fs, ino);
    g_autoptr(GError) error = NULL;

    if (!entry || fi->fh != WRITER || size == 0) {
        fuse_reply_err(req, EBADF);
    } else if (entry->busy) {
        fuse_reply_err(req, EBUSY);
    } else if (!entry->save) {
        fuse_reply_err(req, EPERM);
    } else if (offset == 0 && fsn_managed_save_length(entry->save) > 0) {
        defer(req, entry, data, size);
    } else if (!fsn_managed_save_write(entry->save, data, size, (uint64_t)offset,
                                       &error)) {
        reply_error(req, entry->name, error);
    } else {
        (void)fuse_reply_write(req, size);
    }
}

static void
fsync_file(fuse_req_t req,
           fuse_ino_t ino,
           int datasync G_GNUC_UNUSED,
           struct fuse_file_info *fi)
{
    FsnSavefs *fs = fs_of(req);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fs->lock);
    FsnSavefsEntry *entry = fsn_savefs_entry_by_ino(fs, ino);

    if (!entry || fi->fh != WRITER || !entry->save) {
        fuse_reply_err(req, 0); /* nothing that is not durable */
    } else if (entry->busy) {
        fuse_reply_err(req, EBUSY);
    } else {
        defer(req, entry, NULL, 0);
    }
}

/* Somebody closes it. Whoever wrote what is no image is told so. */
static void
flush_file(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    FsnSavefs *fs = fs_of(req);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fs->lock);
    FsnSavefsEntry *entry = fsn_savefs_entry_by_ino(fs, ino);
    bool bad = entry && fi->fh == WRITER && entry->save && !entry->busy &&
               fsn_managed_save_length(entry->save) > 0 &&
               !fsn_managed_save_has_begun(entry->save);

    fuse_reply_err(req, bad ? EINVAL : 0);
}

static void
release_reader(FsnSavefs *fs, FsnSavefsEntry *entry)
{
    bool claimed;

    if (--entry->readers > 0) {
        return;
    }
    fsn_managed_image_close(entry->image, &claimed);
    entry->unsettled = claimed;
    entry->closed_us = fsn_monotonic_us();
    entry->settled_us = 0;
}

static void
release_writer(FsnSavefsEntry *entry)
{
    entry->idle_us = fsn_monotonic_us();
    if (--entry->writers == 0 && entry->save && !entry->busy &&
        !fsn_managed_save_has_begun(entry->save)) {
        g_clear_pointer(&entry->save, fsn_managed_save_free);
    }
}

static void
release_file(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    FsnSavefs *fs = fs_of(req);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fs->lock);
    FsnSavefsEntry *entry = fsn_savefs_entry_by_ino(fs, ino);

    if (entry && fi->fh == READER) {
        release_reader(fs, entry);
    } else if (entry && fi->fh == WRITER) {
        release_writer(entry);
    }
    fuse_reply_err(req, 0);
}

/* Nothing here is anybody's to remove. */
static void
unlink_file(fuse_req_t req,
            fuse_ino_t parent G_GNUC_UNUSED,
            const char *file G_GNUC_UNUSED)
{
    fuse_reply_err(req, EPERM);
}

static void
add_dirent(fuse_req_t req, GByteArray *out, const char *file, const struct stat *st)
{
    size_t len = fuse_add_direntry(req, NULL, 0, file, NULL, 0);
    guint at = out->len;

    g_byte_array_set_size(out, at + (guint)len);
    (void)fuse_add_direntry(req, (char *)out->data + at, len, file, st, out->len);
}

static void
read_dir(fuse_req_t req,
         fuse_ino_t ino,
         size_t size,
         off_t offset,
         struct fuse_file_info *fi G_GNUC_UNUSED)
{
    FsnSavefs *fs = fs_of(req);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fs->lock);
    g_autoptr(GByteArray) out = g_byte_array_new();
    struct stat st;

    if (ino != FUSE_ROOT_ID) {
        fuse_reply_err(req, ENOTDIR);
        return;
    }
    fill_root(&st);
    add_dirent(req, out, ".", &st);
    add_dirent(req, out, "..", &st);
    for (guint i = 0; i < fs->entries->len; i++) {
        const FsnSavefsEntry *entry = fs->entries->pdata[i];
        g_autofree char *file = g_strconcat(entry->name, ".save", NULL);

        if (fsn_savefs_entry_visible(entry)) {
            fill_attr(entry, &st);
            add_dirent(req, out, file, &st);
        }
    }
    if ((uint64_t)offset >= out->len) {
        (void)fuse_reply_buf(req, NULL, 0);
    } else {
        (void)fuse_reply_buf(req, (const char *)out->data + offset,
                             MIN(size, out->len - (size_t)offset));
    }
}

/* No "access": the kernel then answers by itself that there is a file, as long as it is
 * mounted somewhere, and libvirt's question for it never depends on this process. */
const struct fuse_lowlevel_ops fsn_savefs_ops = {
    .init = init,
    .lookup = lookup,
    .getattr = getattr,
    .setattr = setattr,
    .create = create,
    .open = open_file,
    .read = read_file,
    .write = write_file,
    .flush = flush_file,
    .fsync = fsync_file,
    .release = release_file,
    .unlink = unlink_file,
    .readdir = read_dir,
};
