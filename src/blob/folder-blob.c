/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects as files of one folder. An object is written to tmp/ under a random name, synced,
 * moved to its key and its folder synced, so that a key always names a whole object. A
 * writer holds a lock on its temporary file: one that nobody holds was left by a dead
 * writer. The files are private to their owner (0600 in folders of 0700), for they hold the
 * memory of guests. No object is ever changed in place.
 */
#include "config.h"

#include "blob/blob-private.h"

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FOLDER_MODE    0700
#define FILE_MODE      0600
/* Writing back starts after so many bytes have come in. */
#define WRITEBACK_STEP (4 * 1024 * 1024)
#define MAX_DEPTH      6

typedef struct {
    FsnBlobWriter writer;
    FsnBlobStore *store; /* borrowed */
    char *key;
    char *temp; /* path; null once it is in place */
    int fd;
    uint64_t length;
    uint64_t started; /* writing back was started up to here */
} FolderWriter;

typedef struct {
    FsnBlob blob;
    int fd;
    uint8_t *map;
} FolderBlob;

static char *
key_path(FsnBlobStore *store, const char *key)
{
    return g_build_filename(store->location, key, NULL);
}

/* Makes the missing folders above @path, each durable in its parent. */
static bool
make_parents(FsnBlobStore *store, const char *path, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(path);
    g_autofree char *above = g_path_get_dirname(dir);

    if (strlen(dir) <= strlen(store->location) || access(dir, F_OK) == 0) {
        return true;
    }
    if (!make_parents(store, dir, error)) {
        return false;
    }
    if (mkdir(dir, FOLDER_MODE) < 0 && errno != EEXIST) {
        return fsn_set_errno(error, errno, "cannot make folder '%s'", dir);
    }
    return fsn_dir_sync(above, error);
}

/* Locks a file that was just made. Whoever looks for left-overs may hold its lock for an
 * instant, or may have taken it for one and removed it: then it has no name any more. */
static bool
lock_temp(int fd)
{
    struct stat st;

    while (flock(fd, LOCK_EX) < 0) {
        if (errno != EINTR) {
            return true; /* without locks nothing counts as left over */
        }
    }
    return fstat(fd, &st) < 0 || st.st_nlink > 0;
}

/* Makes a file in tmp/; its path goes to @out_path. */
static int
create_temp(FsnBlobStore *store, char **out_path, GError **error)
{
    uint8_t random[12];
    g_autofree char *name = NULL;
    g_autofree char *path = NULL;
    int fd;

    fsn_random_bytes(random, sizeof random);
    name = fsn_hex(random, sizeof random);
    path = g_build_filename(store->location, "tmp", name, NULL);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (fd < 0 && errno == ENOENT) {
        if (!make_parents(store, path, error)) {
            return -1;
        }
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    }
    if (fd < 0) {
        fsn_set_errno(error, errno, "cannot create '%s'", path);
        return -1;
    }
    *out_path = g_steal_pointer(&path);
    return fd;
}

/* Opens a new locked file in tmp/; its path goes to @out_path. */
static int
open_temp(FsnBlobStore *store, char **out_path, GError **error)
{
    g_autofree char *path = NULL;
    int fd = create_temp(store, &path, error);

    while (fd >= 0 && !lock_temp(fd)) {
        close(fd);
        g_clear_pointer(&path, g_free);
        fd = create_temp(store, &path, error);
    }
    if (fd >= 0) {
        *out_path = g_steal_pointer(&path);
    }
    return fd;
}

/* Gives the finished file @temp its place. */
static bool
put_in_place(FsnBlobStore *store,
             const char *temp,
             const char *key,
             FsnBlobPutFlags flags,
             GError **error)
{
    g_autofree char *path = key_path(store, key);
    g_autofree char *dir = g_path_get_dirname(path);
    bool create = flags & FSN_BLOB_CREATE;

    if (!make_parents(store, path, error)) {
        return false;
    }
    /* link() fails when the name is taken; rename() would replace it. */
    if ((create ? link(temp, path) : rename(temp, path)) < 0) {
        return fsn_set_errno(error, errno, "cannot create '%s'", path);
    }
    if (create) {
        (void)unlink(temp); /* a left-over temporary file harms nobody */
    }
    return (flags & FSN_BLOB_VOLATILE) || fsn_dir_sync(dir, error);
}

static void
folder_writer_free(FsnBlobWriter *writer)
{
    FolderWriter *self = (FolderWriter *)writer;

    if (self->temp) {
        (void)unlink(self->temp); /* what stays is removed as stale */
    }
    close(self->fd);
    g_free(self->temp);
    g_free(self->key);
    g_free(self);
}

static bool
folder_append(FsnBlobWriter *writer, const void *data, size_t len, GError **error)
{
    FolderWriter *self = (FolderWriter *)writer;

    if (!fsn_write_all(self->fd, data, len, self->key, error)) {
        return false;
    }
    self->length += len;
    if (self->length - self->started >= WRITEBACK_STEP) {
        /* Only a hint: the sync at the end finds less to do. */
        (void)sync_file_range(self->fd, (off_t)self->started,
                              (off_t)(self->length - self->started),
                              SYNC_FILE_RANGE_WRITE);
        self->started = self->length;
    }
    return true;
}

static bool
folder_hole(FsnBlobWriter *writer, size_t len, GError **error)
{
    FolderWriter *self = (FolderWriter *)writer;
    off_t end = (off_t)(self->length + len);

    if (ftruncate(self->fd, end) < 0 || lseek(self->fd, end, SEEK_SET) < 0) {
        return fsn_set_errno(error, errno, "cannot write '%s'", self->key);
    }
    self->length += len;
    return true;
}

static bool
folder_commit(FsnBlobWriter *writer, GError **error)
{
    FolderWriter *self = (FolderWriter *)writer;
    FsnBlobPutFlags flags = writer->is_volatile ? FSN_BLOB_VOLATILE : FSN_BLOB_REPLACE;

    if (!writer->is_volatile && fdatasync(self->fd) < 0) {
        return fsn_set_errno(error, errno, "cannot sync '%s'", self->key);
    }
    if (!put_in_place(self->store, self->temp, self->key, flags, error)) {
        return false;
    }
    g_clear_pointer(&self->temp, g_free);
    return true;
}

static const FsnBlobWriterOps folder_writer_ops = {
    .append = folder_append,
    .hole = folder_hole,
    .commit = folder_commit,
    .free = folder_writer_free,
};

static FsnBlobWriter *
folder_create(FsnBlobStore *store, const char *key, GError **error)
{
    char *temp = NULL;
    int fd = open_temp(store, &temp, error);
    FolderWriter *self;

    if (fd < 0) {
        return NULL;
    }
    self = g_new0(FolderWriter, 1);
    self->writer.ops = &folder_writer_ops;
    self->store = store;
    self->key = g_strdup(key);
    self->temp = temp;
    self->fd = fd;
    return &self->writer;
}

static bool
folder_put(FsnBlobStore *store,
           const char *key,
           const void *data,
           size_t len,
           FsnBlobPutFlags flags,
           GError **error)
{
    g_autofree char *temp = NULL;
    int fd = open_temp(store, &temp, error);
    bool ok;

    if (fd < 0) {
        return false;
    }
    ok = fsn_write_all(fd, data, len, key, error);
    if (ok && !(flags & FSN_BLOB_VOLATILE) && fdatasync(fd) < 0) {
        ok = fsn_set_errno(error, errno, "cannot sync '%s'", key);
    }
    ok = ok && put_in_place(store, temp, key, flags, error);
    if (!ok) {
        (void)unlink(temp); /* the first error is the one to report */
    }
    close(fd);
    return ok;
}

static bool
folder_size(FsnBlobStore *store, const char *key, uint64_t *out, GError **error)
{
    g_autofree char *path = key_path(store, key);
    struct stat st;

    if (stat(path, &st) < 0) {
        return errno == ENOENT ? fsn_blob_set_not_found(store, key, error)
                               : fsn_set_errno(error, errno, "cannot look at '%s'", path);
    }
    *out = (uint64_t)st.st_size;
    return true;
}

static bool
folder_remove(FsnBlobStore *store, const char *key, bool durable, GError **error)
{
    g_autofree char *path = key_path(store, key);
    g_autofree char *dir = g_path_get_dirname(path);

    if (unlink(path) < 0) {
        return errno == ENOENT || fsn_set_errno(error, errno, "cannot remove '%s'", path);
    }
    return !durable || fsn_dir_sync(dir, error);
}

static bool
folder_rename(FsnBlobStore *store, const char *from, const char *to, GError **error)
{
    g_autofree char *source = key_path(store, from);
    g_autofree char *target = key_path(store, to);

    if (!make_parents(store, target, error)) {
        return false;
    }
    if (rename(source, target) < 0) {
        return errno == ENOENT
                   ? fsn_blob_set_not_found(store, from, error)
                   : fsn_set_errno(error, errno, "cannot move '%s' to '%s'", from, to);
    }
    return true;
}

/* Asks the file system only where the entry does not say. */
static bool
is_folder(DIR *dir, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK) {
        return entry->d_type == DT_DIR;
    }
    return fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static bool
list_below(
    FsnBlobStore *store, const char *prefix, int depth, GPtrArray *keys, GError **error)
{
    g_autofree char *path = key_path(store, prefix);
    DIR *dir = opendir(path);
    struct dirent *entry;
    bool ok = true;

    if (!dir) {
        return errno == ENOENT || fsn_set_errno(error, errno, "cannot list '%s'", path);
    }
    while (ok && (errno = 0, entry = readdir(dir))) {
        g_autofree char *key = NULL;

        if (entry->d_name[0] == '.') {
            continue;
        }
        key = g_strconcat(prefix, "/", entry->d_name, NULL);
        if (!is_folder(dir, entry)) {
            g_ptr_array_add(keys, g_steal_pointer(&key));
        } else if (depth > 1) {
            ok = list_below(store, key, depth - 1, keys, error);
        }
    }
    if (ok && errno != 0) {
        ok = fsn_set_errno(error, errno, "cannot list '%s'", path);
    }
    closedir(dir);
    return ok;
}

static bool
folder_list(FsnBlobStore *store, const char *prefix, GPtrArray **out_keys, GError **error)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);

    if (!list_below(store, prefix, MAX_DEPTH, keys, error)) {
        return false;
    }
    *out_keys = g_steal_pointer(&keys);
    return true;
}

static bool
folder_space(FsnBlobStore *store, uint64_t *out_free, GError **error)
{
    struct statvfs st;

    if (statvfs(store->location, &st) < 0) {
        return fsn_set_errno(error, errno, "cannot look at '%s'", store->location);
    }
    *out_free = (uint64_t)st.f_bavail * st.f_frsize;
    return true;
}

static int
folder_scratch(FsnBlobStore *store, GError **error)
{
    g_autofree char *path = NULL;
    int fd = open_temp(store, &path, error);

    if (fd >= 0) {
        (void)unlink(path); /* the file lives on until it is closed */
    }
    return fd;
}

/* Opens and locks the temporary file of @key; -1 if somebody holds it. */
static int
lock_stale(FsnBlobStore *store, const char *key)
{
    g_autofree char *path = key_path(store, key);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Whether nobody holds the temporary file of @key. */
static bool
is_stale(FsnBlobStore *store, const char *key)
{
    int fd = lock_stale(store, key);

    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static bool
folder_list_stale(FsnBlobStore *store, GPtrArray **out_keys, GError **error)
{
    g_autoptr(GPtrArray) keys = NULL;

    if (!folder_list(store, "tmp", &keys, error)) {
        return false;
    }
    for (guint i = keys->len; i > 0; i--) {
        if (!is_stale(store, g_ptr_array_index(keys, i - 1))) {
            g_ptr_array_remove_index_fast(keys, i - 1);
        }
    }
    *out_keys = g_steal_pointer(&keys);
    return true;
}

static bool
folder_remove_stale(FsnBlobStore *store, const char *key, GError **error)
{
    int fd = g_str_has_prefix(key, "tmp/") ? lock_stale(store, key) : -1;
    bool ok;

    if (fd < 0) {
        return true;
    }
    /* Under its lock, so that a writer that has just made it sees that it is gone. */
    ok = folder_remove(store, key, false, error);
    close(fd);
    return ok;
}

static bool
folder_pread(FsnBlob *blob, void *data, size_t len, uint64_t offset, GError **error)
{
    return fsn_pread_all(((FolderBlob *)blob)->fd, data, len, offset, blob->key, error);
}

static const uint8_t *
folder_map(FsnBlob *blob, GError **error)
{
    FolderBlob *self = (FolderBlob *)blob;
    void *map;

    if (!self->map) {
        map = mmap(NULL, MAX(blob->length, 1), PROT_READ, MAP_SHARED, self->fd, 0);
        if (map == MAP_FAILED) {
            fsn_set_errno(error, errno, "cannot map '%s'", blob->key);
            return NULL;
        }
        self->map = map;
    }
    return self->map;
}

static void
folder_trim(FsnBlob *blob)
{
    FolderBlob *self = (FolderBlob *)blob;

    if (self->map) {
        (void)madvise(self->map, MAX(blob->length, 1), MADV_DONTNEED); /* a hint */
    }
}

static void
folder_will_need(FsnBlob *blob, uint64_t offset, uint64_t len)
{
    (void)posix_fadvise(((FolderBlob *)blob)->fd, (off_t)offset, (off_t)len,
                        POSIX_FADV_WILLNEED); /* a hint */
}

static void
folder_blob_free(FsnBlob *blob)
{
    FolderBlob *self = (FolderBlob *)blob;

    if (self->map) {
        (void)munmap(self->map, MAX(blob->length, 1));
    }
    close(self->fd);
    g_free(self);
}

static const FsnBlobOps folder_blob_ops = {
    .pread = folder_pread,
    .map = folder_map,
    .trim = folder_trim,
    .will_need = folder_will_need,
    .free = folder_blob_free,
};

static FsnBlob *
folder_open(FsnBlobStore *store, const char *key, GError **error)
{
    g_autofree char *path = key_path(store, key);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    FolderBlob *self;
    struct stat st;

    if (fd < 0) {
        if (errno == ENOENT) {
            fsn_blob_set_not_found(store, key, error);
        } else {
            fsn_set_errno(error, errno, "cannot open '%s'", path);
        }
        return NULL;
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "'%s' is not a file", path);
        close(fd);
        return NULL;
    }
    self = g_new0(FolderBlob, 1);
    self->blob.ops = &folder_blob_ops;
    self->blob.key = g_strdup(key);
    self->blob.length = (uint64_t)st.st_size;
    self->fd = fd;
    return &self->blob;
}

static void
folder_free(FsnBlobStore *store)
{
    g_free(store);
}

static const FsnBlobStoreOps folder_ops = {
    .free = folder_free,
    .put = folder_put,
    .size = folder_size,
    .remove = folder_remove,
    .rename = folder_rename,
    .list = folder_list,
    .space = folder_space,
    .scratch = folder_scratch,
    .list_stale = folder_list_stale,
    .remove_stale = folder_remove_stale,
    .create = folder_create,
    .open = folder_open,
};

FsnBlobStore *
fsn_blob_store_new_folder(const char *path, bool create, GError **error)
{
    FsnBlobStore *store;

    if (create && !fsn_mkdirs(path, FOLDER_MODE, error)) {
        return NULL;
    }
    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "'%s' is not a folder", path);
        return NULL;
    }
    store = g_new0(FsnBlobStore, 1);
    store->ops = &folder_ops;
    store->location = g_canonicalize_filename(path, NULL);
    return store;
}
