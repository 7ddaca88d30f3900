/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading an object that may have a copy in a tier. Each read tries the copy and, if anything
 * is wrong with it, gives it up for good and reads from the repository behind; the caller
 * sees no difference but the time it takes.
 *
 * A copy is never mapped: a tier that goes away would end the process with SIGBUS. An object
 * that is asked for as a whole is read into memory if it is not too long, else mapped from
 * behind.
 */
#include "config.h"

#include "tier/store-private.h"

#include "base/error.h"
#include "repo/repo-private.h"

/* Index bundles of images up to 20 GiB. */
#define MAP_MAX ((uint64_t)128 << 20)

typedef struct {
    FsnBlob blob;
    FsnTierStore *store;   /* borrowed */
    FsnTierFolder *folder; /* of the copy; borrowed */
    FsnTierCopy *copy;
    gint distrusted; /* atomic: the copy is of no use any more */
    GMutex lock;
    FsnBlob *behind; /* opened when needed; guarded by lock until set */
    uint8_t *memory; /* the whole object; guarded by lock until set */
} TierBlob;

static FsnBlob *
open_behind(FsnBlobStore *behind, const char *key, GError **error)
{
    g_autofree char *aside = g_strconcat(FSN_DIR_ASIDE "/", key, NULL);
    g_autoptr(GError) local = NULL;
    FsnBlob *blob = fsn_blob_open(behind, key, &local);

    if (!blob && g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        /* Garbage collection may have moved it since the caller found it. */
        blob = fsn_blob_open(behind, aside, NULL);
    }
    if (!blob) {
        g_propagate_error(error, g_steal_pointer(&local));
    }
    return blob;
}

static FsnBlob *
get_behind(TierBlob *self, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    g_autoptr(FsnBlob) blob = NULL;

    if (!self->behind) {
        blob = open_behind(self->store->behind, self->blob.key, error);
        if (!blob) {
            return NULL;
        }
        if (fsn_blob_length(blob) != self->blob.length) {
            fsn_set_damaged(error, self->blob.key,
                            "it has %" G_GUINT64_FORMAT
                            " bytes, its copy in a tier %" G_GUINT64_FORMAT,
                            fsn_blob_length(blob), self->blob.length);
            return NULL;
        }
        self->behind = g_steal_pointer(&blob);
    }
    return self->behind;
}

/* Gives the copy up because of @why, for this reader; for all if it is damaged. */
static void
distrust(TierBlob *self, const GError *why)
{
    g_autoptr(GError) ignored = NULL;

    if (g_atomic_int_compare_and_exchange(&self->distrusted, 0, 1) &&
        g_error_matches(why, FSN_ERROR, FSN_ERROR_CORRUPT)) {
        g_atomic_int_inc(&self->store->dropped);
        /* One that cannot be removed will be found damaged again. */
        (void)fsn_tier_folder_remove(self->folder, self->blob.key, &ignored);
    }
}

/* Reads from the copy; false if that is of no use. */
static bool
read_copy(TierBlob *self, void *data, size_t len, uint64_t offset)
{
    g_autoptr(GError) local = NULL;

    if (g_atomic_int_get(&self->distrusted)) {
        return false;
    }
    if (!fsn_tier_copy_pread(self->copy, data, len, offset, &local)) {
        distrust(self, local);
        return false;
    }
    return true;
}

static bool
tier_pread(FsnBlob *blob, void *data, size_t len, uint64_t offset, GError **error)
{
    TierBlob *self = (TierBlob *)blob;
    FsnBlob *behind;

    if (read_copy(self, data, len, offset)) {
        return true;
    }
    behind = get_behind(self, error);
    return behind && fsn_blob_pread(behind, data, len, offset, error);
}

/* The whole copy in memory; null if that is of no use. */
static const uint8_t *
load_copy(TierBlob *self)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    g_autofree uint8_t *memory = NULL;

    if (!self->memory && self->blob.length <= MAP_MAX) {
        memory = g_try_malloc((size_t)self->blob.length + 1);
        if (memory && read_copy(self, memory, (size_t)self->blob.length, 0)) {
            self->memory = g_steal_pointer(&memory);
        }
    }
    return self->memory;
}

static const uint8_t *
tier_map(FsnBlob *blob, GError **error)
{
    TierBlob *self = (TierBlob *)blob;
    const uint8_t *memory = load_copy(self);
    FsnBlob *behind;

    if (memory) {
        return memory;
    }
    behind = get_behind(self, error);
    return behind ? fsn_blob_map(behind, error) : NULL;
}

static void
tier_trim(FsnBlob *blob)
{
    TierBlob *self = (TierBlob *)blob;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    if (self->behind) {
        fsn_blob_trim(self->behind);
    }
}

static void
tier_will_need(FsnBlob *blob, uint64_t offset, uint64_t len)
{
    TierBlob *self = (TierBlob *)blob;

    if (!g_atomic_int_get(&self->distrusted)) {
        fsn_tier_copy_will_need(self->copy, offset, len);
    }
}

static void
tier_blob_free(FsnBlob *blob)
{
    TierBlob *self = (TierBlob *)blob;

    fsn_tier_copy_free(self->copy);
    fsn_blob_free(self->behind);
    g_mutex_clear(&self->lock);
    g_free(self->memory);
    g_free(self);
}

static const FsnBlobOps tier_blob_ops = {
    .pread = tier_pread,
    .map = tier_map,
    .trim = tier_trim,
    .will_need = tier_will_need,
    .free = tier_blob_free,
};

static FsnBlob *
new_blob(FsnTierStore *store, FsnTierFolder *folder, FsnTierCopy *copy, const char *key)
{
    TierBlob *self = g_new0(TierBlob, 1);

    self->blob.ops = &tier_blob_ops;
    self->blob.key = g_strdup(key);
    self->blob.length = fsn_tier_copy_length(copy);
    self->store = store;
    self->folder = folder;
    self->copy = copy;
    g_mutex_init(&self->lock);
    return &self->blob;
}

/* Sequences alone may be written anew under the same key. */
static bool
is_current(FsnTierStore *store, const char *key, FsnTierCopy *copy)
{
    g_autoptr(GError) ignored = NULL;
    uint64_t size;

    return !g_str_has_prefix(key, FSN_DIR_SEQUENCES "/") ||
           (fsn_blob_size(store->behind, key, &size, &ignored) &&
            size == fsn_tier_copy_length(copy));
}

FsnBlob *
fsn_tier_blob_open(FsnTierStore *store, const char *key, GError **error)
{
    for (guint i = 0; i < store->folders->len; i++) {
        FsnTierFolder *folder = g_ptr_array_index(store->folders, i);
        g_autoptr(GError) local = NULL;
        g_autoptr(FsnTierCopy) copy = fsn_tier_copy_open(folder, key, &local);

        if (copy && is_current(store, key, copy)) {
            fsn_tier_folder_touch(folder, key);
            return new_blob(store, folder, g_steal_pointer(&copy), key);
        }
        if (!copy && g_error_matches(local, FSN_ERROR, FSN_ERROR_CORRUPT)) {
            g_atomic_int_inc(&store->dropped);
            (void)fsn_tier_folder_remove(folder, key, NULL); /* as in distrust */
        }
    }
    return fsn_blob_open(store->behind, key, error);
}
