/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store that fails on purpose, so that tests can prove what happens when each single
 * operation of a commit goes wrong. It changes nothing that it does not say it fails.
 */
#include "config.h"

#include "blob/fault-blob.h"

#include "base/error.h"
#include "blob/blob-private.h"

typedef struct {
    FsnBlobStore store;
    FsnBlobStore *inner; /* borrowed */
    FsnBlobFaults faults;
    GMutex lock;
    uint64_t operations; /* the counters are guarded by lock */
    uint64_t reads;
    uint64_t written;
} FaultStore;

typedef struct {
    FsnBlobWriter writer;
    FaultStore *store; /* borrowed */
    FsnBlobWriter *inner;
} FaultWriter;

typedef struct {
    FsnBlob blob;
    FaultStore *store; /* borrowed */
    FsnBlob *inner;
} FaultBlob;

/* Counts one operation that writes @len bytes; false if it is to fail. */
static bool
count(FaultStore *self, size_t len, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    uint64_t n = ++self->operations;

    if (self->faults.fail_at && (n == self->faults.fail_at ||
                                 (self->faults.fail_after && n > self->faults.fail_at))) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "injected fault at %u",
                    (unsigned)n);
        return false;
    }
    self->written += len;
    if (self->faults.space && len > 0 && self->written > self->faults.space) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NO_SPACE, "injected: no space left");
        return false;
    }
    return true;
}

static bool
fault_put(FsnBlobStore *store,
          const char *key,
          const void *data,
          size_t len,
          FsnBlobPutFlags flags,
          GError **error)
{
    FaultStore *self = (FaultStore *)store;

    return count(self, len, error) &&
           fsn_blob_put(self->inner, key, data, len, flags, error);
}

static bool
fault_size(FsnBlobStore *store, const char *key, uint64_t *out, GError **error)
{
    FaultStore *self = (FaultStore *)store;

    return count(self, 0, error) && fsn_blob_size(self->inner, key, out, error);
}

static bool
fault_remove(FsnBlobStore *store, const char *key, bool durable, GError **error)
{
    FaultStore *self = (FaultStore *)store;

    return count(self, 0, error) && fsn_blob_remove(self->inner, key, durable, error);
}

static bool
fault_rename(FsnBlobStore *store, const char *from, const char *to, GError **error)
{
    FaultStore *self = (FaultStore *)store;

    return count(self, 0, error) && fsn_blob_rename(self->inner, from, to, error);
}

static bool
fault_list(FsnBlobStore *store, const char *prefix, GPtrArray **out_keys, GError **error)
{
    FaultStore *self = (FaultStore *)store;

    return count(self, 0, error) && fsn_blob_list(self->inner, prefix, out_keys, error);
}

static bool
fault_space(FsnBlobStore *store, uint64_t *out_free, GError **error)
{
    return fsn_blob_space(((FaultStore *)store)->inner, out_free, error);
}

static int
fault_scratch(FsnBlobStore *store, GError **error)
{
    return fsn_blob_scratch(((FaultStore *)store)->inner, error);
}

static bool
fault_list_stale(FsnBlobStore *store, GPtrArray **out_keys, GError **error)
{
    FaultStore *self = (FaultStore *)store;

    return count(self, 0, error) && fsn_blob_list_stale(self->inner, out_keys, error);
}

static bool
fault_remove_stale(FsnBlobStore *store, const char *key, GError **error)
{
    FaultStore *self = (FaultStore *)store;

    return count(self, 0, error) && fsn_blob_remove_stale(self->inner, key, error);
}

static bool
fault_append(FsnBlobWriter *writer, const void *data, size_t len, GError **error)
{
    FaultWriter *self = (FaultWriter *)writer;

    return count(self->store, len, error) &&
           fsn_blob_append(self->inner, data, len, error);
}

static bool
fault_hole(FsnBlobWriter *writer, size_t len, GError **error)
{
    FaultWriter *self = (FaultWriter *)writer;

    return count(self->store, 0, error) && fsn_blob_append_hole(self->inner, len, error);
}

static bool
fault_commit(FsnBlobWriter *writer, GError **error)
{
    FaultWriter *self = (FaultWriter *)writer;

    return count(self->store, 0, error) && fsn_blob_commit(self->inner, error);
}

static void
fault_writer_free(FsnBlobWriter *writer)
{
    FaultWriter *self = (FaultWriter *)writer;

    fsn_blob_writer_free(self->inner);
    g_free(self);
}

static const FsnBlobWriterOps fault_writer_ops = {
    .append = fault_append,
    .hole = fault_hole,
    .commit = fault_commit,
    .free = fault_writer_free,
};

static FsnBlobWriter *
fault_create(FsnBlobStore *store, const char *key, GError **error)
{
    FaultStore *self = (FaultStore *)store;
    FsnBlobWriter *inner;
    FaultWriter *writer;

    if (!count(self, 0, error) || !(inner = fsn_blob_create(self->inner, key, error))) {
        return NULL;
    }
    writer = g_new0(FaultWriter, 1);
    writer->writer.ops = &fault_writer_ops;
    writer->store = self;
    writer->inner = inner;
    return &writer->writer;
}

static bool
fault_pread(FsnBlob *blob, void *data, size_t len, uint64_t offset, GError **error)
{
    FaultBlob *self = (FaultBlob *)blob;
    uint64_t n;

    if (!count(self->store, 0, error) ||
        !fsn_blob_pread(self->inner, data, len, offset, error)) {
        return false;
    }
    g_mutex_lock(&self->store->lock);
    n = ++self->store->reads;
    g_mutex_unlock(&self->store->lock);
    if (n == self->store->faults.garble_at && len > 0) {
        ((uint8_t *)data)[len / 2] ^= 0x10;
    }
    return true;
}

static const uint8_t *
fault_map(FsnBlob *blob, GError **error)
{
    return fsn_blob_map(((FaultBlob *)blob)->inner, error);
}

static void
fault_blob_free(FsnBlob *blob)
{
    fsn_blob_free(((FaultBlob *)blob)->inner);
    g_free(blob);
}

static const FsnBlobOps fault_blob_ops = {
    .pread = fault_pread,
    .map = fault_map,
    .free = fault_blob_free,
};

static FsnBlob *
fault_open(FsnBlobStore *store, const char *key, GError **error)
{
    FaultStore *self = (FaultStore *)store;
    FsnBlob *inner;
    FaultBlob *blob;

    if (!count(self, 0, error) || !(inner = fsn_blob_open(self->inner, key, error))) {
        return NULL;
    }
    blob = g_new0(FaultBlob, 1);
    blob->blob.ops = &fault_blob_ops;
    blob->blob.key = g_strdup(key);
    blob->blob.length = inner->length;
    blob->store = self;
    blob->inner = inner;
    return &blob->blob;
}

static void
fault_free(FsnBlobStore *store)
{
    g_mutex_clear(&((FaultStore *)store)->lock);
    g_free(store);
}

static const FsnBlobStoreOps fault_ops = {
    .free = fault_free,
    .put = fault_put,
    .size = fault_size,
    .remove = fault_remove,
    .rename = fault_rename,
    .list = fault_list,
    .space = fault_space,
    .scratch = fault_scratch,
    .list_stale = fault_list_stale,
    .remove_stale = fault_remove_stale,
    .create = fault_create,
    .open = fault_open,
};

FsnBlobStore *
fsn_blob_store_new_fault(FsnBlobStore *inner, const FsnBlobFaults *faults)
{
    FaultStore *self = g_new0(FaultStore, 1);

    self->store.ops = &fault_ops;
    self->store.location = g_strdup(fsn_blob_store_location(inner));
    self->inner = inner;
    self->faults = *faults;
    g_mutex_init(&self->lock);
    return &self->store;
}

uint64_t
fsn_blob_store_fault_count(FsnBlobStore *store)
{
    FaultStore *self = (FaultStore *)store;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    return self->operations;
}
