/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo-common.h"

#include "tier/folder.h"

#include "base/files.h"
#include "repo/repo-private.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the tests of tiers share: a temporary folder with a repository "repo" that holds one
 * image of TIER_GRANULES, and a tier "fast" beside it. */
#define TIER_GRANULES 6000u
#define TIER_ID       "00112233445566778899aabbccddeeff"

typedef struct {
    char *dir;
    char *repo_path;
    char *tier_path;
    FsnRepo *repo;
    char root[FSN_ID_HEX + 1];
    char *state; /* an object */
} TierFixture;

static inline int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    return remove(path);
}

/* Seeds 1 … : incompressible, so that there are packs of some size. */
static inline void
tier_fixture_setup(TierFixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnImageWriter) writer = NULL;
    g_autoptr(JsonObject) manifest = NULL;
    JsonObject *state = json_object_new();
    FsnImageStats stats;
    bool ok;

    f->dir = g_dir_make_tmp("fsn-tier-XXXXXX", &error);
    g_assert_no_error(error);
    f->repo_path = g_build_filename(f->dir, "repo", NULL);
    f->tier_path = g_build_filename(f->dir, "fast", NULL);
    g_assert_cmpint(mkdir(f->tier_path, 0700), ==, 0);
    f->repo = fsn_repo_open(f->repo_path, FSN_REPO_CREATE, &error);
    g_assert_no_error(error);
    writer = new_writer(f->repo, TIER_GRANULES, NULL);
    for (uint64_t g = 0; g < TIER_GRANULES; g++) {
        put_seed(writer, g, g + 1);
    }
    stats = commit_writer(writer);
    g_strlcpy(f->root, stats.root, sizeof f->root);
    ok = fsn_repo_put_object(f->repo, "state", 5, &f->state, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    manifest = new_manifest(TIER_ID, "2026-01-02T03:04:05Z", f->root);
    json_object_set_string_member(state, "object", f->state);
    json_object_set_object_member(manifest, "device_state", state);
    ok = fsn_repo_commit_manifest(f->repo, manifest, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
}

static inline void
tier_fixture_teardown(TierFixture *f, gconstpointer data)
{
    fsn_repo_free(f->repo);
    nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    g_free(f->dir);
    g_free(f->repo_path);
    g_free(f->tier_path);
    g_free(f->state);
}

static inline FsnTierFolder *
open_tier_folder(TierFixture *f)
{
    g_autoptr(GError) error = NULL;
    FsnTierFolder *folder =
        fsn_tier_folder_open(f->tier_path, fsn_repo_superblock(f->repo), true, &error);

    g_assert_no_error(error);
    return folder;
}

/* Copies object @key of the repository as it is. */
static inline void
copy_object(TierFixture *f, FsnTierFolder *folder, const char *key)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(FsnTierCopyWriter) writer = fsn_tier_copy_create(folder, key, &error);

    g_assert_no_error(error);
    g_assert_true(fsn_blob_get(fsn_repo_store(f->repo), key, SIZE_MAX, &bytes, &error));
    g_assert_true(fsn_tier_copy_append(writer, g_bytes_get_data(bytes, NULL),
                                       g_bytes_get_size(bytes), &error));
    g_assert_true(fsn_tier_copy_commit(writer, &error));
}

/* Copies everything in folder @prefix of the repository; how many that was. */
static inline guint
copy_objects(TierFixture *f, FsnTierFolder *folder, const char *prefix)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) keys = NULL;

    g_assert_true(fsn_blob_list(fsn_repo_store(f->repo), prefix, &keys, &error));
    for (guint i = 0; i < keys->len; i++) {
        copy_object(f, folder, g_ptr_array_index(keys, i));
    }
    return keys->len;
}

/* Flips one bit at @offset of the file of each copy below @prefix, and cuts them to
 * @keep bytes if that is not 0; how many there were. */
static inline guint
damage_copies(FsnTierFolder *folder, const char *prefix, uint64_t offset, uint64_t keep)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) entries = NULL;
    uint64_t bytes;
    guint n = 0;

    g_assert_true(fsn_tier_folder_list(folder, &entries, &bytes, &error));
    for (guint i = 0; i < entries->len; i++) {
        const FsnTierEntry *entry = g_ptr_array_index(entries, i);
        g_autofree char *path =
            g_build_filename(fsn_tier_folder_path(folder), entry->key, NULL);
        FILE *file;
        int c;

        if (!g_str_has_prefix(entry->key, prefix)) {
            continue;
        }
        n++;
        file = fopen(path, "r+");
        g_assert_nonnull(file);
        g_assert_cmpint(fseek(file, (long)offset, SEEK_SET), ==, 0);
        c = fgetc(file);
        g_assert_cmpint(c, !=, EOF);
        g_assert_cmpint(fseek(file, (long)offset, SEEK_SET), ==, 0);
        fputc(c ^ 1, file);
        g_assert_cmpint(fclose(file), ==, 0);
        if (keep) {
            g_assert_cmpint(truncate(path, (off_t)keep), ==, 0);
        }
    }
    return n;
}

/* Removes everything in folder @prefix of the repository, which leaves it to the tier. */
static inline void
lose_objects(TierFixture *f, const char *prefix)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) keys = NULL;

    g_assert_true(fsn_blob_list(fsn_repo_store(f->repo), prefix, &keys, &error));
    for (guint i = 0; i < keys->len; i++) {
        g_assert_true(fsn_blob_remove(fsn_repo_store(f->repo), g_ptr_array_index(keys, i),
                                      false, &error));
    }
}
