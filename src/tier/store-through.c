/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing through: an object that is stored in the repository gets a copy in a tier on the
 * way. The repository comes first in everything: the copy appears after the object is
 * durable, and whatever goes wrong with the copy only means that there is none.
 */
#include "config.h"

#include "tier/copy.h"
#include "tier/store-private.h"

typedef struct {
    FsnBlobWriter writer;
    FsnTierStore *store; /* borrowed */
    FsnBlobWriter *behind;
    FsnTierCopyWriter *copy; /* null once it was given up */
    char *key;
    uint64_t length;
} ThroughWriter;

static int
compare_age(gconstpointer a, gconstpointer b)
{
    const FsnTierEntry *x = *(const FsnTierEntry *const *)a;
    const FsnTierEntry *y = *(const FsnTierEntry *const *)b;

    return (x->used_us > y->used_us) - (x->used_us < y->used_us);
}

bool
fsn_tier_through_start(FsnTierStore *self, GError **error)
{
    if (!fsn_tier_folder_clean(self->through, error) ||
        !fsn_tier_folder_list(self->through, &self->oldest, &self->used, error)) {
        return false;
    }
    g_ptr_array_sort(self->oldest, compare_age);
    return true;
}

/* Makes room for a copy of @bytes and takes it; what this store wrote is never evicted. */
static bool
take_room(FsnTierStore *self, uint64_t bytes)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    while (self->max_bytes && self->used + bytes > self->max_bytes &&
           bytes <= self->max_bytes && self->next_to_evict < self->oldest->len) {
        const FsnTierEntry *entry =
            g_ptr_array_index(self->oldest, self->next_to_evict++);

        if (fsn_tier_folder_remove(self->through, entry->key, NULL)) {
            self->used -= entry->bytes;
        }
    }
    if (self->max_bytes && self->used + bytes > self->max_bytes) {
        return false;
    }
    self->used += bytes;
    return true;
}

static void
drop_copy(ThroughWriter *self)
{
    g_clear_pointer(&self->copy, fsn_tier_copy_writer_free);
    g_atomic_int_inc(&self->store->dropped);
}

static bool
through_append(FsnBlobWriter *writer, const void *data, size_t len, GError **error)
{
    ThroughWriter *self = (ThroughWriter *)writer;

    if (!fsn_blob_append(self->behind, data, len, error)) {
        return false;
    }
    self->length += len;
    if (self->copy && !fsn_tier_copy_append(self->copy, data, len, NULL)) {
        drop_copy(self);
    }
    return true;
}

static bool
through_commit(FsnBlobWriter *writer, GError **error)
{
    ThroughWriter *self = (ThroughWriter *)writer;

    if (!fsn_blob_commit(self->behind, error)) {
        return false;
    }
    if (self->copy && (!take_room(self->store, fsn_tier_copy_size(self->length)) ||
                       !fsn_tier_copy_commit(self->copy, NULL))) {
        drop_copy(self);
    }
    return true;
}

static void
through_free(FsnBlobWriter *writer)
{
    ThroughWriter *self = (ThroughWriter *)writer;

    fsn_blob_writer_free(self->behind);
    fsn_tier_copy_writer_free(self->copy);
    g_free(self->key);
    g_free(self);
}

static const FsnBlobWriterOps through_writer_ops = {
    .append = through_append,
    .commit = through_commit,
    .free = through_free,
};

FsnBlobWriter *
fsn_tier_through_create(FsnTierStore *store, const char *key, GError **error)
{
    FsnBlobWriter *behind = fsn_blob_create(store->behind, key, error);
    ThroughWriter *self;

    if (!behind) {
        return NULL;
    }
    self = g_new0(ThroughWriter, 1);
    self->writer.ops = &through_writer_ops;
    self->store = store;
    self->behind = behind;
    self->key = g_strdup(key);
    self->copy = fsn_tier_copy_create(store->through, key, NULL);
    if (!self->copy) {
        drop_copy(self);
    }
    return &self->writer;
}

void
fsn_tier_through_put(FsnTierStore *store, const char *key, const void *data, size_t len)
{
    g_autoptr(FsnTierCopyWriter) copy = fsn_tier_copy_create(store->through, key, NULL);

    if (!copy || !fsn_tier_copy_append(copy, data, len, NULL) ||
        !take_room(store, fsn_tier_copy_size(len)) || !fsn_tier_copy_commit(copy, NULL)) {
        g_atomic_int_inc(&store->dropped);
    }
}
