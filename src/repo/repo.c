/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening a repository, and the few things all its parts need: names of objects, the lease
 * of this process, and finding an object that garbage collection has just moved aside.
 */
#include "config.h"

#include "repo/repo-private.h"

#include "base/error.h"
#include "repo/lease.h"

#include <string.h>

#define SUPERBLOCK_KEY "superblock"
/* 128 KiB: measured best for restoring; foresnap-pack(5). */
#define FRAME_GRANULES 32

struct FsnRepo {
    FsnBlobStore *store;
    FsnRepoFlags flags;
    FsnSuperblock superblock;
    GMutex lock;
    FsnLease *lease;     /* made at the first write; guarded by lock */
    GHashTable *parents; /* root -> root of its parent, or ""; guarded by lock */
};

/* Writes the first superblock; another process may be quicker, and then wins. */
static bool
write_superblock(FsnRepo *repo, GError **error)
{
    FsnSuperblock sb = { .id = fsn_id_new(), .frame_granules = FRAME_GRANULES };
    g_autoptr(GByteArray) bytes = NULL;
    g_autoptr(GError) local = NULL;

    fsn_random_bytes(sb.secret, sizeof sb.secret);
    bytes = fsn_superblock_build(&sb);
    if (!fsn_blob_put(repo->store, SUPERBLOCK_KEY, bytes->data, bytes->len,
                      FSN_BLOB_CREATE, &local) &&
        !g_error_matches(local, FSN_ERROR, FSN_ERROR_EXISTS)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    return true;
}

static bool
read_superblock(FsnRepo *repo, FsnSuperblock *out_superblock, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;

    return fsn_blob_get(repo->store, SUPERBLOCK_KEY, 64 * 1024, &bytes, error) &&
           fsn_superblock_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                                SUPERBLOCK_KEY, out_superblock, error);
}

static bool
load_superblock(FsnRepo *repo, GError **error)
{
    return read_superblock(repo, &repo->superblock, error);
}

bool
fsn_repo_check_superblock(FsnRepo *repo, GError **error)
{
    FsnSuperblock now;

    return read_superblock(repo, &now, error) &&
           (fsn_id_equal(&now.id, &repo->superblock.id) ||
            fsn_set_damaged(error, SUPERBLOCK_KEY, "it is another repository's"));
}

FsnRepo *
fsn_repo_new(FsnBlobStore *store, FsnRepoFlags flags, GError **error)
{
    g_autoptr(FsnRepo) repo = g_new0(FsnRepo, 1);
    g_autoptr(GError) local = NULL;
    bool ok;

    repo->store = store;
    repo->flags = flags;
    g_mutex_init(&repo->lock);
    repo->parents = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    ok = load_superblock(repo, &local);
    if (!ok && g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        if (!(flags & FSN_REPO_CREATE)) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "'%s' is not a repository",
                        fsn_repo_location(repo));
            return NULL;
        }
        g_clear_error(&local);
        ok = write_superblock(repo, &local) && load_superblock(repo, &local);
    }
    if (!ok) {
        g_propagate_prefixed_error(
            error, g_steal_pointer(&local),
            "cannot open repository '%s': ", fsn_repo_location(repo));
        return NULL;
    }
    return g_steal_pointer(&repo);
}

FsnRepo *
fsn_repo_open(const char *location, FsnRepoFlags flags, GError **error)
{
    FsnBlobStore *store =
        fsn_blob_store_new_folder(location, flags & FSN_REPO_CREATE, error);

    return store ? fsn_repo_new(store, flags, error) : NULL;
}

void
fsn_repo_free(FsnRepo *repo)
{
    if (repo) {
        fsn_lease_free(repo->lease);
        g_clear_pointer(&repo->parents, g_hash_table_unref);
        fsn_blob_store_free(repo->store);
        g_mutex_clear(&repo->lock);
        g_free(repo);
    }
}

FsnBlobStore *
fsn_repo_store(FsnRepo *repo)
{
    return repo->store;
}

const char *
fsn_repo_location(FsnRepo *repo)
{
    return fsn_blob_store_location(repo->store);
}

char *
fsn_repo_id(FsnRepo *repo)
{
    return fsn_id_to_string(&repo->superblock.id);
}

bool
fsn_repo_space(FsnRepo *repo, uint64_t *out_free_bytes, GError **error)
{
    return fsn_blob_space(repo->store, out_free_bytes, error);
}

const FsnSuperblock *
fsn_repo_superblock(FsnRepo *repo)
{
    return &repo->superblock;
}

char *
fsn_repo_key(const char *folder, const char *hex)
{
    return g_strdup_printf("%s/%.2s/%s", folder, hex, hex);
}

char *
fsn_repo_id_key(const char *folder, const FsnId *id)
{
    g_autofree char *hex = fsn_id_to_string(id);

    return fsn_repo_key(folder, hex);
}

bool
fsn_repo_begin_write(FsnRepo *repo, FsnId *out_writer, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&repo->lock);

    if (repo->flags & FSN_REPO_READ_ONLY) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "'%s' is open for reading only",
                    fsn_repo_location(repo));
        return false;
    }
    if (!repo->lease && !(repo->lease = fsn_lease_new(repo->store, error))) {
        return false;
    }
    *out_writer = fsn_lease_id(repo->lease);
    return true;
}

bool
fsn_repo_protect(FsnRepo *repo, const char *folder, const char *hex, GError **error)
{
    FsnId writer;

    return fsn_repo_begin_write(repo, &writer, error) &&
           fsn_lease_add(repo->lease, folder, hex, error);
}

void
fsn_repo_set_parent(FsnRepo *repo, const char *child, const char *parent)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&repo->lock);

    g_hash_table_replace(repo->parents, g_strdup(child), g_strdup(parent));
}

char *
fsn_repo_take_parent(FsnRepo *repo, const char *child)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&repo->lock);
    g_autofree char *key = NULL;
    gpointer parent = NULL;

    (void)g_hash_table_steal_extended(repo->parents, child, (gpointer *)&key, &parent);
    return parent;
}

FsnBlob *
fsn_repo_open_blob(FsnRepo *repo, const char *key, GError **error)
{
    g_autofree char *aside = g_strconcat(FSN_DIR_ASIDE "/", key, NULL);
    g_autoptr(GError) local = NULL;
    FsnBlob *blob = fsn_blob_open(repo->store, key, &local);

    if (!blob && g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        blob = fsn_blob_open(repo->store, aside, NULL);
    }
    if (!blob && g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        /* It may have been put back between the two looks. */
        g_clear_error(&local);
        blob = fsn_blob_open(repo->store, key, &local);
    }
    if (!blob) {
        g_propagate_error(error, g_steal_pointer(&local));
    }
    return blob;
}

bool
fsn_repo_get_blob(
    FsnRepo *repo, const char *key, size_t max, GBytes **out_bytes, GError **error)
{
    g_autofree char *aside = g_strconcat(FSN_DIR_ASIDE "/", key, NULL);
    g_autoptr(GError) local = NULL;

    if (fsn_blob_get(repo->store, key, max, out_bytes, &local) ||
        (g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND) &&
         fsn_blob_get(repo->store, aside, max, out_bytes, NULL))) {
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

bool
fsn_repo_ensure(FsnRepo *repo, const char *key, uint64_t size, GError **error)
{
    g_autofree char *aside = g_strconcat(FSN_DIR_ASIDE "/", key, NULL);
    g_autoptr(GError) local = NULL;
    uint64_t found;

    if (!fsn_blob_size(repo->store, key, &found, &local)) {
        if (!g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND) ||
            !fsn_blob_size(repo->store, aside, &found, NULL) ||
            !fsn_blob_rename(repo->store, aside, key, NULL)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
    }
    if (size != UINT64_MAX && found != size) {
        return fsn_set_damaged(error, key,
                               "it has %" G_GUINT64_FORMAT
                               " bytes and should have %" G_GUINT64_FORMAT,
                               found, size);
    }
    return true;
}
