/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder of a tier: which copies there are, how old, and how to be rid of them. When a
 * copy was last of use is the time of its file, so that no list has to be kept that could
 * disagree with the folder. The copies' contents are the affair of copy-file.c.
 */
#include "config.h"

#include "tier/folder-private.h"

#include "base/error.h"
#include "base/files.h"
#include "repo/repo-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const copied[] = { FSN_DIR_PACKS, FSN_DIR_BUNDLES, FSN_DIR_ROOTS,
                                      FSN_DIR_OBJECTS, FSN_DIR_SEQUENCES };

bool
fsn_tier_key_may_be_copied(const char *key)
{
    for (size_t i = 0; i < G_N_ELEMENTS(copied); i++) {
        size_t n = strlen(copied[i]);

        if (strncmp(key, copied[i], n) == 0 && key[n] == '/') {
            return true;
        }
    }
    return false;
}

FsnTierFolder *
fsn_tier_folder_open(const char *folder,
                     const FsnSuperblock *repository,
                     bool create,
                     GError **error)
{
    g_autofree char *id = fsn_id_to_string(&repository->id);
    g_autofree char *path = g_build_filename(folder, FSN_TIER_SUBDIR, id, NULL);
    FsnBlobStore *store;
    FsnTierFolder *self;

    if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "'%s' is not a folder",
                    folder);
        return NULL;
    }
    store = fsn_blob_store_new_folder(path, create, error);
    if (!store) {
        g_prefix_error(error, "'%s' holds no tier of this repository: ", folder);
        return NULL;
    }
    self = g_new0(FsnTierFolder, 1);
    self->store = store;
    memcpy(self->secret, repository->secret, sizeof self->secret);
    return self;
}

void
fsn_tier_folder_free(FsnTierFolder *self)
{
    if (self) {
        fsn_blob_store_free(self->store);
        g_free(self);
    }
}

const char *
fsn_tier_folder_path(FsnTierFolder *self)
{
    return fsn_blob_store_location(self->store);
}

static char *
copy_path(FsnTierFolder *self, const char *key)
{
    return g_build_filename(fsn_tier_folder_path(self), key, NULL);
}

static void
entry_free(gpointer data)
{
    FsnTierEntry *entry = data;

    g_free(entry->key);
    g_free(entry);
}

bool
fsn_tier_folder_list(FsnTierFolder *self,
                     GPtrArray **out_entries,
                     uint64_t *out_bytes,
                     GError **error)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(entry_free);
    uint64_t bytes = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(copied); i++) {
        g_autoptr(GPtrArray) keys = NULL;

        if (!fsn_blob_list(self->store, copied[i], &keys, error)) {
            return false;
        }
        for (guint k = 0; k < keys->len; k++) {
            g_autofree char *path = copy_path(self, g_ptr_array_index(keys, k));
            FsnTierEntry *entry;
            struct stat st;

            if (stat(path, &st) < 0) {
                continue; /* it has just been removed */
            }
            entry = g_new(FsnTierEntry, 1);
            entry->key = g_strdup(g_ptr_array_index(keys, k));
            entry->bytes = (uint64_t)st.st_size;
            entry->used_us =
                (int64_t)st.st_mtim.tv_sec * G_USEC_PER_SEC + st.st_mtim.tv_nsec / 1000;
            bytes += entry->bytes;
            g_ptr_array_add(entries, entry);
        }
    }
    *out_entries = g_steal_pointer(&entries);
    *out_bytes = bytes;
    return true;
}

void
fsn_tier_folder_touch(FsnTierFolder *self, const char *key)
{
    g_autofree char *path = copy_path(self, key);

    (void)utimensat(AT_FDCWD, path, NULL, 0); /* then it is only evicted sooner */
}

bool
fsn_tier_folder_remove(FsnTierFolder *self, const char *key, GError **error)
{
    return fsn_blob_remove(self->store, key, false, error);
}

bool
fsn_tier_folder_clean(FsnTierFolder *self, GError **error)
{
    g_autoptr(GPtrArray) keys = NULL;

    if (!fsn_blob_list_stale(self->store, &keys, error)) {
        return false;
    }
    for (guint i = 0; i < keys->len; i++) {
        if (!fsn_blob_remove_stale(self->store, g_ptr_array_index(keys, i), error)) {
            return false;
        }
    }
    return true;
}

/* Removes the empty folders at and below @path; others stay. */
static void
remove_empty_folders(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        if (!g_file_test(child, G_FILE_TEST_IS_SYMLINK) &&
            g_file_test(child, G_FILE_TEST_IS_DIR)) {
            remove_empty_folders(child);
        }
    }
    (void)rmdir(path); /* one that is not empty holds something that is not ours */
}

bool
fsn_tier_folder_purge(FsnTierFolder *self, GError **error)
{
    g_autoptr(GPtrArray) entries = NULL;
    g_autofree char *above = g_path_get_dirname(fsn_tier_folder_path(self));
    uint64_t bytes;

    if (!fsn_tier_folder_list(self, &entries, &bytes, error) ||
        !fsn_tier_folder_clean(self, error)) {
        return false;
    }
    for (guint i = 0; i < entries->len; i++) {
        const FsnTierEntry *entry = g_ptr_array_index(entries, i);

        if (!fsn_tier_folder_remove(self, entry->key, error)) {
            return false;
        }
    }
    remove_empty_folders(fsn_tier_folder_path(self));
    (void)rmdir(above); /* other repositories may have copies there */
    return true;
}

bool
fsn_tier_folder_space(FsnTierFolder *self, uint64_t *out_free, GError **error)
{
    return fsn_blob_space(self->store, out_free, error);
}
