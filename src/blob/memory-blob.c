/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects in a hash table: what tests run on, and the model of what a store must do. It
 * keeps no more promises than the interface makes.
 */
#include "config.h"

#include "blob/blob-private.h"

#include "base/error.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

typedef struct {
    FsnBlobStore store;
    GMutex lock;
    GHashTable *objects; /* key -> GBytes; guarded by lock */
} MemoryStore;

typedef struct {
    FsnBlobWriter writer;
    MemoryStore *store; /* borrowed */
    char *key;
    GByteArray *data;
} MemoryWriter;

typedef struct {
    FsnBlob blob;
    GBytes *bytes;
} MemoryBlob;

static bool
memory_put(FsnBlobStore *store,
           const char *key,
           const void *data,
           size_t len,
           FsnBlobPutFlags flags,
           GError **error)
{
    MemoryStore *self = (MemoryStore *)store;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    if ((flags & FSN_BLOB_CREATE) && g_hash_table_contains(self->objects, key)) {
        return fsn_set_errno(error, EEXIST, "cannot create '%s'", key);
    }
    g_hash_table_replace(self->objects, g_strdup(key), g_bytes_new(data, len));
    return true;
}

static bool
memory_size(FsnBlobStore *store, const char *key, uint64_t *out, GError **error)
{
    MemoryStore *self = (MemoryStore *)store;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    GBytes *bytes = g_hash_table_lookup(self->objects, key);

    if (!bytes) {
        return fsn_blob_set_not_found(store, key, error);
    }
    *out = g_bytes_get_size(bytes);
    return true;
}

static bool
memory_remove(FsnBlobStore *store, const char *key, bool durable, GError **error)
{
    MemoryStore *self = (MemoryStore *)store;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    g_hash_table_remove(self->objects, key);
    return true;
}

static bool
memory_rename(FsnBlobStore *store, const char *from, const char *to, GError **error)
{
    MemoryStore *self = (MemoryStore *)store;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    GBytes *bytes = g_hash_table_lookup(self->objects, from);

    if (!bytes) {
        return fsn_blob_set_not_found(store, from, error);
    }
    g_hash_table_replace(self->objects, g_strdup(to), g_bytes_ref(bytes));
    g_hash_table_remove(self->objects, from);
    return true;
}

static bool
memory_list(FsnBlobStore *store, const char *prefix, GPtrArray **out_keys, GError **error)
{
    MemoryStore *self = (MemoryStore *)store;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
    size_t len = strlen(prefix);
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, self->objects);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        if (g_str_has_prefix(key, prefix) && ((char *)key)[len] == '/') {
            g_ptr_array_add(keys, g_strdup(key));
        }
    }
    *out_keys = keys;
    return true;
}

static bool
memory_space(FsnBlobStore *store, uint64_t *out_free, GError **error)
{
    *out_free = (uint64_t)1 << 40;
    return true;
}

static int
memory_scratch(FsnBlobStore *store, GError **error)
{
    int fd = memfd_create("foresnap-scratch", MFD_CLOEXEC);

    if (fd < 0) {
        fsn_set_errno(error, errno, "cannot make a scratch file");
    }
    return fd;
}

static bool
memory_list_stale(FsnBlobStore *store, GPtrArray **out_keys, GError **error)
{
    *out_keys = g_ptr_array_new_with_free_func(g_free);
    return true;
}

static bool
memory_remove_stale(FsnBlobStore *store, const char *key, GError **error)
{
    return true;
}

static bool
memory_append(FsnBlobWriter *writer, const void *data, size_t len, GError **error)
{
    g_byte_array_append(((MemoryWriter *)writer)->data, data, (guint)len);
    return true;
}

static bool
memory_commit(FsnBlobWriter *writer, GError **error)
{
    MemoryWriter *self = (MemoryWriter *)writer;

    return memory_put(&self->store->store, self->key, self->data->data, self->data->len,
                      FSN_BLOB_REPLACE, error);
}

static void
memory_writer_free(FsnBlobWriter *writer)
{
    MemoryWriter *self = (MemoryWriter *)writer;

    g_byte_array_unref(self->data);
    g_free(self->key);
    g_free(self);
}

static const FsnBlobWriterOps memory_writer_ops = {
    .append = memory_append,
    .commit = memory_commit,
    .free = memory_writer_free,
};

static FsnBlobWriter *
memory_create(FsnBlobStore *store, const char *key, GError **error)
{
    MemoryWriter *self = g_new0(MemoryWriter, 1);

    self->writer.ops = &memory_writer_ops;
    self->store = (MemoryStore *)store;
    self->key = g_strdup(key);
    self->data = g_byte_array_new();
    return &self->writer;
}

static bool
memory_pread(FsnBlob *blob, void *data, size_t len, uint64_t offset, GError **error)
{
    const uint8_t *p = g_bytes_get_data(((MemoryBlob *)blob)->bytes, NULL);

    if (len > 0) {
        memcpy(data, p + offset, len);
    }
    return true;
}

static const uint8_t *
memory_map(FsnBlob *blob, GError **error)
{
    static const uint8_t empty[1];
    const uint8_t *p = g_bytes_get_data(((MemoryBlob *)blob)->bytes, NULL);

    return p ? p : empty;
}

static void
memory_blob_free(FsnBlob *blob)
{
    g_bytes_unref(((MemoryBlob *)blob)->bytes);
    g_free(blob);
}

static const FsnBlobOps memory_blob_ops = {
    .pread = memory_pread,
    .map = memory_map,
    .free = memory_blob_free,
};

static FsnBlob *
memory_open(FsnBlobStore *store, const char *key, GError **error)
{
    MemoryStore *self = (MemoryStore *)store;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    GBytes *bytes = g_hash_table_lookup(self->objects, key);
    MemoryBlob *blob;

    if (!bytes) {
        fsn_blob_set_not_found(store, key, error);
        return NULL;
    }
    blob = g_new0(MemoryBlob, 1);
    blob->blob.ops = &memory_blob_ops;
    blob->blob.key = g_strdup(key);
    blob->blob.length = g_bytes_get_size(bytes);
    blob->bytes = g_bytes_ref(bytes);
    return &blob->blob;
}

static void
memory_free(FsnBlobStore *store)
{
    MemoryStore *self = (MemoryStore *)store;

    g_hash_table_unref(self->objects);
    g_mutex_clear(&self->lock);
    g_free(self);
}

static const FsnBlobStoreOps memory_ops = {
    .free = memory_free,
    .put = memory_put,
    .size = memory_size,
    .remove = memory_remove,
    .rename = memory_rename,
    .list = memory_list,
    .space = memory_space,
    .scratch = memory_scratch,
    .list_stale = memory_list_stale,
    .remove_stale = memory_remove_stale,
    .create = memory_create,
    .open = memory_open,
};

FsnBlobStore *
fsn_blob_store_new_memory(void)
{
    MemoryStore *self = g_new0(MemoryStore, 1);

    self->store.ops = &memory_ops;
    self->store.location = g_strdup("memory");
    g_mutex_init(&self->lock);
    self->objects = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                          (GDestroyNotify)g_bytes_unref);
    return &self->store;
}
