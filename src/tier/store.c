/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store with tiers before it. This file sends each operation to where it belongs: all but
 * the contents of objects is the affair of the repository behind. How an object is read is in
 * store-blob.c, how a copy is made while one is written in store-through.c.
 */
#include "config.h"

#include "tier/store-private.h"

#include "repo/repo-private.h"

#define SUPERBLOCK_KEY "superblock"

static bool
tier_put(FsnBlobStore *store,
         const char *key,
         const void *data,
         size_t len,
         FsnBlobPutFlags flags,
         GError **error)
{
    FsnTierStore *self = (FsnTierStore *)store;

    if (!fsn_blob_put(self->behind, key, data, len, flags, error)) {
        return false;
    }
    if (self->through && fsn_tier_key_may_be_copied(key)) {
        fsn_tier_through_put(self, key, data, len);
    }
    return true;
}

static bool
tier_size(FsnBlobStore *store, const char *key, uint64_t *out, GError **error)
{
    return fsn_blob_size(((FsnTierStore *)store)->behind, key, out, error);
}

/* The key of the object that @key names, also while it waits to be collected. */
static const char *
own_key(const char *key)
{
    return g_str_has_prefix(key, FSN_DIR_ASIDE "/") ? key + strlen(FSN_DIR_ASIDE "/")
                                                    : key;
}

static void
remove_copy(FsnTierFolder *folder, const char *key)
{
    g_autoptr(GError) ignored = NULL;

    /* One that stays is never asked for again, and evicted some day. */
    (void)fsn_tier_folder_remove(folder, key, &ignored);
}

static bool
tier_remove(FsnBlobStore *store, const char *key, bool durable, GError **error)
{
    FsnTierStore *self = (FsnTierStore *)store;
    const char *own = own_key(key);

    if (fsn_tier_key_may_be_copied(own)) {
        for (guint i = 0; i < self->folders->len; i++) {
            remove_copy(g_ptr_array_index(self->folders, i), own);
        }
        if (self->through) {
            remove_copy(self->through, own);
        }
    }
    return fsn_blob_remove(self->behind, key, durable, error);
}

static bool
tier_rename(FsnBlobStore *store, const char *from, const char *to, GError **error)
{
    return fsn_blob_rename(((FsnTierStore *)store)->behind, from, to, error);
}

static bool
tier_list(FsnBlobStore *store, const char *prefix, GPtrArray **out_keys, GError **error)
{
    return fsn_blob_list(((FsnTierStore *)store)->behind, prefix, out_keys, error);
}

static bool
tier_space(FsnBlobStore *store, uint64_t *out_free, GError **error)
{
    return fsn_blob_space(((FsnTierStore *)store)->behind, out_free, error);
}

static int
tier_scratch(FsnBlobStore *store, GError **error)
{
    return fsn_blob_scratch(((FsnTierStore *)store)->behind, error);
}

static bool
tier_list_stale(FsnBlobStore *store, GPtrArray **out_keys, GError **error)
{
    return fsn_blob_list_stale(((FsnTierStore *)store)->behind, out_keys, error);
}

static bool
tier_remove_stale(FsnBlobStore *store, const char *key, GError **error)
{
    return fsn_blob_remove_stale(((FsnTierStore *)store)->behind, key, error);
}

static FsnBlobWriter *
tier_create(FsnBlobStore *store, const char *key, GError **error)
{
    FsnTierStore *self = (FsnTierStore *)store;

    return self->through && fsn_tier_key_may_be_copied(key)
               ? fsn_tier_through_create(self, key, error)
               : fsn_blob_create(self->behind, key, error);
}

static FsnBlob *
tier_open(FsnBlobStore *store, const char *key, GError **error)
{
    FsnTierStore *self = (FsnTierStore *)store;

    return self->folders->len > 0 && fsn_tier_key_may_be_copied(key)
               ? fsn_tier_blob_open(self, key, error)
               : fsn_blob_open(self->behind, key, error);
}

static void
tier_free(FsnBlobStore *store)
{
    FsnTierStore *self = (FsnTierStore *)store;

    g_ptr_array_unref(self->folders);
    fsn_tier_folder_free(self->through);
    g_clear_pointer(&self->oldest, g_ptr_array_unref);
    fsn_blob_store_free(self->behind);
    g_mutex_clear(&self->lock);
    g_free(self);
}

static const FsnBlobStoreOps tier_ops = {
    .free = tier_free,
    .put = tier_put,
    .size = tier_size,
    .remove = tier_remove,
    .rename = tier_rename,
    .list = tier_list,
    .space = tier_space,
    .scratch = tier_scratch,
    .list_stale = tier_list_stale,
    .remove_stale = tier_remove_stale,
    .create = tier_create,
    .open = tier_open,
};

static FsnTierStore *
new_store(FsnBlobStore *behind)
{
    FsnTierStore *self = g_new0(FsnTierStore, 1);

    self->store.ops = &tier_ops;
    self->store.location = g_strdup(fsn_blob_store_location(behind));
    self->behind = behind;
    self->folders = g_ptr_array_new_with_free_func((GDestroyNotify)fsn_tier_folder_free);
    g_mutex_init(&self->lock);
    return self;
}

/* The copies of one repository are found by its id and checked with its secret. */
static bool
read_superblock(FsnBlobStore *behind, FsnSuperblock *out, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;

    return fsn_blob_get(behind, SUPERBLOCK_KEY, 64 * 1024, &bytes, error) &&
           fsn_superblock_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                                SUPERBLOCK_KEY, out, error);
}

FsnBlobStore *
fsn_tier_store_new(FsnBlobStore *behind, const char *const *folders, GError **error)
{
    FsnTierStore *self = new_store(behind);
    g_autoptr(FsnBlobStore) store = &self->store;
    FsnSuperblock superblock;

    if (!read_superblock(behind, &superblock, error)) {
        return NULL;
    }
    for (; folders && *folders; folders++) {
        g_autoptr(GError) ignored = NULL;
        FsnTierFolder *folder =
            fsn_tier_folder_open(*folders, &superblock, false, &ignored);

        if (folder) {
            g_ptr_array_add(self->folders, folder);
        }
    }
    return g_steal_pointer(&store);
}

FsnBlobStore *
fsn_tier_store_new_write_through(FsnBlobStore *behind,
                                 const char *folder,
                                 uint64_t max_bytes,
                                 GError **error)
{
    FsnTierStore *self = new_store(behind);
    g_autoptr(FsnBlobStore) store = &self->store;
    g_autoptr(GError) ignored = NULL;
    FsnSuperblock superblock;

    if (!read_superblock(behind, &superblock, error)) {
        return NULL;
    }
    self->max_bytes = max_bytes;
    self->through = fsn_tier_folder_open(folder, &superblock, false, &ignored);
    if (self->through && !fsn_tier_through_start(self, &ignored)) {
        g_clear_pointer(&self->through, fsn_tier_folder_free);
    }
    return g_steal_pointer(&store);
}

uint64_t
fsn_tier_store_dropped(FsnBlobStore *store)
{
    return (uint64_t)g_atomic_int_get(&((FsnTierStore *)store)->dropped);
}

FsnRepo *
fsn_tier_open_repo(const char *location,
                   const char *const *folders,
                   FsnRepoFlags flags,
                   GError **error)
{
    FsnBlobStore *store = fsn_blob_store_new_folder(location, false, error);

    store = store ? fsn_tier_store_new(store, folders, error) : NULL;
    return store ? fsn_repo_new(store, flags, error) : NULL;
}

FsnRepo *
fsn_tier_open_repo_write_through(const char *location,
                                 const char *folder,
                                 uint64_t max_bytes,
                                 GError **error)
{
    FsnBlobStore *store = fsn_blob_store_new_folder(location, false, error);

    store =
        store ? fsn_tier_store_new_write_through(store, folder, max_bytes, error) : NULL;
    return store ? fsn_repo_new(store, 0, error) : NULL;
}
