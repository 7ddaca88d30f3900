/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packs that have lost frames keep their names and lengths, so that a commit cannot tell
 * from these whether all it needs is there. The list tells it where to look closer. A pack
 * is noted, and a time of grace passes, before anything is taken from it.
 */
#include "config.h"

#include "repo/thinned.h"

#include "base/error.h"
#include "base/json.h"
#include "repo/image-private.h"
#include "repo/live-frames.h"
#include "repo/manifests.h"
#include "repo/pack-frames.h"
#include "repo/repo-private.h"

#include <string.h>

#define MAX_NOTE 4096

bool
fsn_repo_note_thinned(FsnRepo *repo, const char *pack, uint64_t removed, GError **error)
{
    g_autofree char *key = fsn_repo_key(FSN_DIR_THINNED, pack);
    g_autoptr(JsonObject) note = json_object_new();
    g_autofree char *text = NULL;

    json_object_set_int_member(note, "removed", (int64_t)removed);
    text = fsn_json_to_text(note, false);
    return fsn_blob_put(fsn_repo_store(repo), key, text, strlen(text), FSN_BLOB_REPLACE,
                        error);
}

/* The key of the pack of which note @key is. */
static char *
pack_key(const char *key)
{
    return g_strconcat(FSN_DIR_PACKS, key + strlen(FSN_DIR_THINNED), NULL);
}

/* A note that cannot be read still counts. */
static uint64_t
read_note(FsnRepo *repo, const char *key)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(JsonObject) note = NULL;

    if (!fsn_blob_get(fsn_repo_store(repo), key, MAX_NOTE, &bytes, NULL) ||
        !fsn_json_parse_object(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                               MAX_NOTE, key, &note, NULL)) {
        return 0;
    }
    return (uint64_t)MAX(fsn_json_peek_int(note, "removed", 0), 0);
}

bool
fsn_repo_list_thinned(FsnRepo *repo, GHashTable **out_packs, GError **error)
{
    g_autoptr(GPtrArray) keys = NULL;
    g_autoptr(GHashTable) packs =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    if (!fsn_blob_list(fsn_repo_store(repo), FSN_DIR_THINNED, &keys, error)) {
        return false;
    }
    for (guint i = 0; i < keys->len; i++) {
        const char *key = g_ptr_array_index(keys, i);
        uint64_t removed = read_note(repo, key);

        g_hash_table_insert(packs, pack_key(key), g_memdup2(&removed, sizeof removed));
    }
    *out_packs = g_steal_pointer(&packs);
    return true;
}

bool
fsn_repo_forget_thinned(FsnRepo *repo, const char *key, GError **error)
{
    g_autofree char *note =
        g_strconcat(FSN_DIR_THINNED, key + strlen(FSN_DIR_PACKS), NULL);

    return fsn_blob_remove(fsn_repo_store(repo), note, false, error);
}

static bool
is_there(gpointer user, uint32_t offset)
{
    return g_hash_table_contains(user, GUINT_TO_POINTER(offset));
}

/* Whether pack @id has all of @live. */
static bool
check_pack(FsnRepo *repo, const FsnLiveFrames *live, const FsnId *id, GError **error)
{
    g_autofree char *key = fsn_repo_id_key(FSN_DIR_PACKS, id);
    g_autoptr(FsnBlob) blob = fsn_repo_open_blob(repo, key, error);
    g_autoptr(GHashTable) there = g_hash_table_new(NULL, NULL);
    g_autoptr(GArray) frames = NULL;

    if (!blob || !fsn_pack_read_frames(blob, NULL, &frames, error)) {
        return false;
    }
    for (guint i = 0; i < frames->len; i++) {
        const FsnPackFrame *frame = &g_array_index(frames, FsnPackFrame, i);

        if (!fsn_pack_frame_removed(frame)) {
            g_hash_table_add(there, GUINT_TO_POINTER(frame->offset));
        }
    }
    if (!fsn_live_frames_each(live, id, is_there, there)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "frames of '%s' have been removed as garbage", key);
        return false;
    }
    return true;
}

typedef struct {
    FsnRepo *repo;
    GHashTable *thinned; /* keys of packs */
    GHashTable *named;   /* roots that the manifest of the parent names, or null */
} Check;

/* Whether the image with @root has all its frames for sure: it was written here and is
 * committed for the first time, so that nobody else names its packs, which thus are there as a
 * whole or not at all; and its parent's frames nobody may remove, since a snapshot named that
 * all the time. */
static bool
is_on_named(Check *check, const char *root)
{
    g_autofree char *parent = fsn_repo_take_parent(check->repo, root);

    return parent && (*parent == '\0' ||
                      (check->named && g_hash_table_contains(check->named, parent)));
}

/* Looks into the noted packs that the image needs. */
static bool
check_image(gpointer user, const char *folder, const char *hex, GError **error)
{
    Check *check = user;
    g_autoptr(FsnImage) image = NULL;
    g_autoptr(FsnLiveFrames) live = NULL;

    if (strcmp(folder, FSN_DIR_ROOTS) != 0 || is_on_named(check, hex)) {
        return true;
    }
    image = fsn_image_open(check->repo, hex, error);
    if (!image) {
        return false;
    }
    for (guint i = 0; i < fsn_image_root(image)->packs->len; i++) {
        const FsnId *id =
            &g_array_index(fsn_image_root(image)->packs, FsnObjectRef, i).id;
        g_autofree char *key = fsn_repo_id_key(FSN_DIR_PACKS, id);

        if (!g_hash_table_contains(check->thinned, key)) {
            continue;
        }
        if (!live) {
            live = fsn_live_frames_new();
            if (!fsn_live_frames_add(live, image, error)) {
                return false;
            }
        }
        if (!check_pack(check->repo, live, id, error)) {
            return false;
        }
    }
    return true;
}

static bool
forget_parent(gpointer user, const char *folder, const char *hex, GError **error)
{
    g_free(fsn_repo_take_parent(user, hex));
    return true;
}

static bool
add_named(gpointer user, const char *folder, const char *hex, GError **error)
{
    if (strcmp(folder, FSN_DIR_ROOTS) == 0) {
        g_hash_table_add(user, g_strdup(hex));
    }
    return true;
}

/* The roots that the manifest of the snapshot on which @manifest is based names now. */
static GHashTable *
roots_of_parent(FsnRepo *repo, JsonObject *manifest)
{
    const char *id = fsn_json_peek_string(manifest, "parent", NULL);
    g_autoptr(JsonObject) parent = NULL;
    g_autoptr(GHashTable) roots = NULL;

    if (!id || !fsn_repo_load_manifest(repo, id, &parent, NULL)) {
        return NULL;
    }
    roots = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return fsn_manifest_references(parent, add_named, roots, NULL)
               ? g_steal_pointer(&roots)
               : NULL;
}

bool
fsn_repo_check_thinned(FsnRepo *repo, JsonObject *manifest, GError **error)
{
    g_autoptr(GPtrArray) keys = NULL;
    g_autoptr(GHashTable) thinned =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) named = NULL;
    Check check = { .repo = repo, .thinned = thinned };

    if (!fsn_blob_list(fsn_repo_store(repo), FSN_DIR_THINNED, &keys, error)) {
        return false;
    }
    for (guint i = 0; i < keys->len; i++) {
        g_hash_table_add(thinned, pack_key(g_ptr_array_index(keys, i)));
    }
    if (keys->len == 0) {
        return fsn_manifest_references(manifest, forget_parent, repo, error);
    }
    check.named = named = roots_of_parent(repo, manifest);
    return fsn_manifest_references(manifest, check_image, &check, error);
}
