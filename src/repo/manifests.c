/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manifests: the commit point of a snapshot. The check after writing closes the race with
 * garbage collection: the collector moves objects aside, looks at the manifests again and
 * only then unlinks. Either it sees this manifest and puts its objects back, or this check
 * brings them back, or it finds one gone and withdraws the manifest.
 */
#include "config.h"

#include "repo/manifests-private.h"

#include "base/error.h"
#include "base/json.h"
#include "base/parallel.h"
#include "repo/needs.h"
#include "repo/repo-private.h"
#include "repo/thinned.h"
#include "repofmt/envelope.h"

#include <string.h>

#define KIND          "manifest"
/* Fewer are read faster than threads are made. */
#define WORTH_THREADS 32

typedef struct {
    FsnReferenceFunc each;
    gpointer user;
} Walk;

static bool walk_node(const Walk *walk, const char *name, JsonNode *node, GError **error);

static bool
walk_object(const Walk *walk, JsonObject *object, GError **error)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    json_object_iter_init_ordered(&iter, object);
    while (json_object_iter_next_ordered(&iter, &name, &node)) {
        if (!walk_node(walk, name, node, error)) {
            return false;
        }
    }
    return true;
}

static bool
walk_node(const Walk *walk, const char *name, JsonNode *node, GError **error)
{
    bool ok = true;

    if (JSON_NODE_HOLDS_OBJECT(node)) {
        return walk_object(walk, json_node_get_object(node), error);
    }
    if (JSON_NODE_HOLDS_ARRAY(node)) {
        JsonArray *array = json_node_get_array(node);

        for (guint i = 0; ok && i < json_array_get_length(array); i++) {
            ok = walk_node(walk, name, json_array_get_element(array, i), error);
        }
    } else if (JSON_NODE_HOLDS_VALUE(node) &&
               json_node_get_value_type(node) == G_TYPE_STRING) {
        const char *text = json_node_get_string(node);

        if (strcmp(name, "image") == 0) {
            ok = walk->each(walk->user, FSN_DIR_ROOTS, text, error);
        } else if (strcmp(name, "object") == 0) {
            ok = walk->each(walk->user, FSN_DIR_OBJECTS, text, error);
        }
    }
    return ok;
}

bool
fsn_manifest_references(JsonObject *manifest,
                        FsnReferenceFunc each,
                        gpointer user,
                        GError **error)
{
    Walk walk = { .each = each, .user = user };

    return walk_object(&walk, manifest, error);
}

bool
fsn_manifest_is_extra(JsonObject *manifest, const char *hex)
{
    static const char *const members[] = { "history", "models", "samples" };

    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        JsonObject *ref;

        if (fsn_json_get_object(manifest, members[i], &ref, NULL) &&
            strcmp(fsn_json_peek_string(ref, "object", ""), hex) == 0) {
            return true;
        }
    }
    return false;
}

static bool
check_members(JsonObject *manifest, const char **out_id, GError **error)
{
    const char *text;
    JsonObject *domain;
    FsnId id;

    if (!fsn_json_get_string(manifest, "id", out_id, error) ||
        !fsn_json_get_string(manifest, "created", &text, error) ||
        !fsn_json_get_string(manifest, "kind", &text, error) ||
        !fsn_json_get_object(manifest, "domain", &domain, error) ||
        !fsn_json_get_string(domain, "name", &text, error) ||
        !fsn_json_get_string(domain, "uuid", &text, error)) {
        return false;
    }
    if (!fsn_id_parse(*out_id, &id)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "'%.80s' is not a snapshot's id",
                    *out_id);
        return false;
    }
    return true;
}

/* Makes sure that a needed object is in place. */
static bool
ensure_need(gpointer user, const char *key, uint64_t size, GError **error)
{
    return fsn_repo_ensure(user, key, size, error);
}

static char *
manifest_key(const char *id)
{
    return g_strconcat(FSN_DIR_MANIFESTS "/", id, NULL);
}

bool
fsn_repo_commit_manifest(FsnRepo *repo, JsonObject *manifest, GError **error)
{
    g_autofree char *text = NULL;
    g_autofree char *key = NULL;
    g_autoptr(GByteArray) bytes = NULL;
    const char *id;
    FsnId writer;

    if (!check_members(manifest, &id, error) ||
        !fsn_repo_begin_write(repo, &writer, error) ||
        !fsn_repo_needs_of_manifest(repo, manifest, ensure_need, repo, error)) {
        g_prefix_error(error, "cannot commit the snapshot: ");
        return false;
    }
    text = fsn_json_to_text(manifest, true);
    bytes = fsn_envelope_build(KIND, text, strlen(text));
    if (bytes->len > FSN_MANIFEST_MAX) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "the manifest is too large: %u bytes", bytes->len);
        return false;
    }
    key = manifest_key(id);
    if (!fsn_blob_put(fsn_repo_store(repo), key, bytes->data, bytes->len, FSN_BLOB_CREATE,
                      error)) {
        g_autoptr(GError) local = NULL;

        /* It may be there although the last step, its durability, failed. */
        if (error && *error && !g_error_matches(*error, FSN_ERROR, FSN_ERROR_EXISTS)) {
            (void)fsn_blob_remove(fsn_repo_store(repo), key, true, &local);
        }
        return false;
    }
    if (!fsn_repo_needs_of_manifest(repo, manifest, ensure_need, repo, error) ||
        !fsn_repo_check_thinned(repo, manifest, error)) {
        g_prefix_error(error, "the snapshot lost a part while it was committed: ");
        (void)fsn_blob_remove(fsn_repo_store(repo), key, true,
                              NULL); /* gc would refuse */
        return false;
    }
    return true;
}

bool
fsn_manifest_read(FsnRepo *repo,
                  const char *key,
                  GBytes **out_bytes,
                  const char **out_text,
                  size_t *out_len,
                  GError **error)
{
    g_autoptr(GBytes) bytes = NULL;
    const uint8_t *value;

    if (!fsn_blob_get(fsn_repo_store(repo), key, FSN_MANIFEST_MAX, &bytes, error) ||
        !fsn_envelope_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), KIND,
                            key, &value, out_len, error)) {
        return false;
    }
    *out_text = (const char *)value;
    *out_bytes = g_steal_pointer(&bytes);
    return true;
}

bool
fsn_manifest_parse(const char *key,
                   const char *text,
                   size_t len,
                   JsonObject **out_manifest,
                   GError **error)
{
    g_autoptr(JsonObject) object = NULL;
    const char *id;

    if (!fsn_json_parse_object(text, len, FSN_MANIFEST_MAX, key, &object, error) ||
        !check_members(object, &id, error)) {
        return false;
    }
    if (strcmp(id, key + strlen(FSN_DIR_MANIFESTS "/")) != 0) {
        return fsn_set_damaged(error, key, "it is the manifest of snapshot %s", id);
    }
    *out_manifest = g_steal_pointer(&object);
    return true;
}

static bool
load_key(FsnRepo *repo, const char *key, JsonObject **out_manifest, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;
    const char *text;
    size_t len;

    return fsn_manifest_read(repo, key, &bytes, &text, &len, error) &&
           fsn_manifest_parse(key, text, len, out_manifest, error);
}

/* The key that the id or prefix @id stands for. */
static bool
find_key(FsnRepo *repo, const char *id, char **out_key, GError **error)
{
    g_autoptr(GPtrArray) keys = NULL;
    g_autofree char *prefix = manifest_key(id);
    const char *found = NULL;

    if (strlen(id) < FSN_ID_MIN_PREFIX || strlen(id) > FSN_ID_HEX ||
        strspn(id, "0123456789abcdef") != strlen(id)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "there is no snapshot '%.80s'",
                    id);
        return false;
    }
    if (strlen(id) == FSN_ID_HEX) {
        *out_key = g_steal_pointer(&prefix);
        return true;
    }
    if (!fsn_blob_list(fsn_repo_store(repo), FSN_DIR_MANIFESTS, &keys, error)) {
        return false;
    }
    for (guint i = 0; i < keys->len; i++) {
        const char *key = g_ptr_array_index(keys, i);

        if (!g_str_has_prefix(key, prefix)) {
            continue;
        }
        if (found) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                        "'%s' is the beginning of several snapshots' ids", id);
            return false;
        }
        found = key;
    }
    if (!found) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "there is no snapshot '%s'",
                    id);
        return false;
    }
    *out_key = g_strdup(found);
    return true;
}

bool
fsn_repo_load_manifest(FsnRepo *repo,
                       const char *id,
                       JsonObject **out_manifest,
                       GError **error)
{
    g_autofree char *key = NULL;

    return find_key(repo, id, &key, error) && load_key(repo, key, out_manifest, error);
}

/* RFC 3339 in UTC sorts as text. */
int
fsn_manifest_order(const char *created_a,
                   const char *id_a,
                   const char *created_b,
                   const char *id_b)
{
    int order = strcmp(created_b, created_a);

    return order ? order : strcmp(id_a, id_b);
}

static int
compare_manifests(gconstpointer a, gconstpointer b)
{
    JsonObject *x = *(JsonObject *const *)a, *y = *(JsonObject *const *)b;

    return fsn_manifest_order(
        fsn_json_peek_string(x, "created", ""), fsn_json_peek_string(x, "id", ""),
        fsn_json_peek_string(y, "created", ""), fsn_json_peek_string(y, "id", ""));
}

typedef struct {
    FsnRepo *repo;
    FsnManifestRead read;
    GPtrArray *keys;
    gpointer *items; /* one per key: what became of it … */
    GError **errors; /* … or why nothing did */
} ReadAll;

static void
read_one(gpointer user, size_t i)
{
    ReadAll *all = user;

    all->items[i] = all->read(all->repo, all->keys->pdata[i], &all->errors[i]);
}

bool
fsn_manifest_read_all(FsnRepo *repo,
                      FsnManifestRead read,
                      GDestroyNotify free_item,
                      GPtrArray **out_items,
                      GPtrArray **out_damaged,
                      GError **error)
{
    g_autoptr(GPtrArray) keys = NULL;
    g_autofree gpointer *items = NULL;
    g_autofree GError **errors = NULL;
    ReadAll all = { .repo = repo, .read = read };

    if (!fsn_blob_list(fsn_repo_store(repo), FSN_DIR_MANIFESTS, &keys, error)) {
        return false;
    }
    all.keys = keys;
    all.items = items = g_new0(gpointer, keys->len + 1);
    all.errors = errors = g_new0(GError *, keys->len + 1);
    fsn_parallel_for(keys->len, WORTH_THREADS, read_one, &all);
    *out_items = g_ptr_array_new_with_free_func(free_item);
    *out_damaged = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < keys->len; i++) {
        if (items[i]) {
            g_ptr_array_add(*out_items, items[i]);
        } else if (!g_error_matches(errors[i], FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            g_ptr_array_add(*out_damaged, g_strdup(errors[i]->message));
        }
        g_clear_error(&errors[i]);
    }
    return true;
}

static gpointer
read_manifest(FsnRepo *repo, const char *key, GError **error)
{
    JsonObject *manifest;

    return load_key(repo, key, &manifest, error) ? manifest : NULL;
}

bool
fsn_repo_list_manifests(FsnRepo *repo,
                        GPtrArray **out_manifests,
                        GPtrArray **out_damaged,
                        GError **error)
{
    if (!fsn_manifest_read_all(repo, read_manifest, (GDestroyNotify)json_object_unref,
                               out_manifests, out_damaged, error)) {
        return false;
    }
    g_ptr_array_sort(*out_manifests, compare_manifests);
    return true;
}

/* Removes what is in @folder under names that begin with "ID." or are "ID", for an ID of
 * @ids. */
static bool
remove_named(FsnRepo *repo, const char *folder, GHashTable *ids, GError **error)
{
    g_autoptr(GPtrArray) keys = NULL;
    size_t start = strlen(folder) + 1;

    if (!fsn_blob_list(fsn_repo_store(repo), folder, &keys, error)) {
        return false;
    }
    for (guint i = 0; i < keys->len; i++) {
        const char *name = (const char *)g_ptr_array_index(keys, i) + start;
        g_autofree char *id = g_strndup(name, FSN_ID_HEX);

        if (g_hash_table_contains(ids, id) &&
            (name[FSN_ID_HEX] == '\0' || name[FSN_ID_HEX] == '.') &&
            !fsn_blob_remove(fsn_repo_store(repo), g_ptr_array_index(keys, i), false,
                             error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_repo_delete_manifest(FsnRepo *repo, const char *id, GError **error)
{
    g_autofree char *key = NULL;
    const char *full;
    uint64_t size;

    if (!find_key(repo, id, &key, error) ||
        !fsn_blob_size(fsn_repo_store(repo), key, &size, error)) {
        return false;
    }
    full = key + strlen(FSN_DIR_MANIFESTS "/");
    return fsn_repo_delete_manifests(repo, &full, 1, error);
}

bool
fsn_repo_delete_manifests(FsnRepo *repo, const char *const *ids, size_t n, GError **error)
{
    g_autoptr(GHashTable) set = g_hash_table_new(g_str_hash, g_str_equal);
    FsnId writer;

    if (!fsn_repo_begin_write(repo, &writer, error)) {
        return false;
    }
    /* The manifests first: a mark such as "consumed" must not go before its manifest. They
     * are in one folder, so that the last one makes the removal of all durable. */
    for (size_t i = 0; i < n; i++) {
        g_autofree char *key = manifest_key(ids[i]);

        if (!fsn_blob_remove(fsn_repo_store(repo), key, i + 1 == n, error)) {
            return false;
        }
        g_hash_table_add(set, (gpointer)ids[i]);
    }
    return n == 0 || (remove_named(repo, FSN_DIR_MARKS, set, error) &&
                      remove_named(repo, FSN_DIR_SEQUENCES, set, error));
}
