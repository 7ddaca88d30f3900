/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a snapshot that a resume reads, with what each is good for. Reads the index,
 * no page.
 */
#include "config.h"

#include "tier/parts.h"

#include "base/error.h"
#include "base/json.h"
#include "repo/image-private.h"
#include "repo/manifests.h"
#include "repo/repo-private.h"
#include "tier/plan.h"

#include <string.h>

typedef struct {
    FsnRepo *repo;
    GPtrArray *parts;
    GHashTable *seen; /* keys, borrowed from parts */
} Collect;

static void
add(Collect *c, const char *key, uint64_t length, FsnTierReason reason, double weight)
{
    FsnTierPart *part;

    if (!g_hash_table_contains(c->seen, key)) {
        part = fsn_tier_part_new(key, length, reason, weight);
        g_ptr_array_add(c->parts, part);
        g_hash_table_add(c->seen, part->key);
    }
}

/* The same for an object whose length is not known. */
static bool
add_sized(Collect *c, const char *key, FsnTierReason reason, GError **error)
{
    uint64_t length;

    if (!fsn_blob_size(fsn_repo_store(c->repo), key, &length, error)) {
        return false;
    }
    add(c, key, length, reason, 0);
    return true;
}

static bool
add_object(gpointer user, const char *folder, const char *hex, GError **error)
{
    g_autofree char *key = NULL;
    uint8_t sha[FSN_SHA256_SIZE];

    if (strcmp(folder, FSN_DIR_OBJECTS) != 0) {
        return true;
    }
    if (!fsn_unhex(hex, sha, sizeof sha)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "'%.80s' names no object", hex);
        return false;
    }
    key = fsn_repo_key(folder, hex);
    return add_sized(user, key, FSN_TIER_STATE, error);
}

static bool
add_sequences(Collect *c, const char *id, GError **error)
{
    g_autoptr(GPtrArray) keys = NULL;
    g_autofree char *prefix = g_strconcat(FSN_DIR_SEQUENCES "/", id, NULL);

    if (!fsn_blob_list(fsn_repo_store(c->repo), FSN_DIR_SEQUENCES, &keys, error)) {
        return false;
    }
    for (guint i = 0; i < keys->len; i++) {
        const char *key = g_ptr_array_index(keys, i);

        if (g_str_has_prefix(key, prefix) &&
            !add_sized(c, key, FSN_TIER_SEQUENCE, error)) {
            return false;
        }
    }
    return true;
}

static guint
hash_id(gconstpointer id)
{
    return fsn_get_le32(((const FsnId *)id)->bytes);
}

static gboolean
equal_ids(gconstpointer a, gconstpointer b)
{
    return fsn_id_equal(a, b);
}

/* The weight of each pack (FsnId, borrowed from the image) that has any. */
static bool
weigh_packs(FsnImage *image,
            const FsnTierWeight *weights,
            size_t n,
            GHashTable *out_weights,
            GError **error)
{
    const FsnRoot *root = fsn_image_root(image);

    for (guint i = 0; i < root->packs->len; i++) {
        g_hash_table_insert(out_weights, &g_array_index(root->packs, FsnObjectRef, i).id,
                            g_new0(double, 1));
    }
    for (size_t i = 0; i < n; i++) {
        FsnGranule granule;
        double *sum;

        if (weights[i].granule >= fsn_image_n_granules(image)) {
            continue;
        }
        if (!fsn_image_lookup(image, weights[i].granule, &granule, error)) {
            return false;
        }
        sum = granule.kind == FSN_GRANULE_DATA
                  ? g_hash_table_lookup(out_weights, &granule.pack)
                  : NULL;
        if (sum) {
            *sum += weights[i].weight;
        }
    }
    return true;
}

static bool
add_image(Collect *c,
          const char *root_id,
          const FsnTierWeight *weights,
          size_t n,
          GError **error)
{
    g_autoptr(FsnImage) image = fsn_image_open(c->repo, root_id, error);
    g_autoptr(GHashTable) sums = g_hash_table_new_full(hash_id, equal_ids, NULL, g_free);
    g_autofree char *root_key = fsn_repo_key(FSN_DIR_ROOTS, root_id);
    const FsnRoot *root;

    if (!image || !add_sized(c, root_key, FSN_TIER_INDEX, error) ||
        !weigh_packs(image, weights, n, sums, error)) {
        return false;
    }
    root = fsn_image_root(image);
    for (guint i = 0; i < root->bundles->len; i++) {
        const FsnObjectRef *ref = &g_array_index(root->bundles, FsnObjectRef, i);
        g_autofree char *key = fsn_repo_id_key(FSN_DIR_BUNDLES, &ref->id);

        add(c, key, ref->length, FSN_TIER_INDEX, 0);
    }
    for (guint i = 0; i < root->packs->len; i++) {
        const FsnObjectRef *ref = &g_array_index(root->packs, FsnObjectRef, i);
        const double *sum = g_hash_table_lookup(sums, &ref->id);
        g_autofree char *key = fsn_repo_id_key(FSN_DIR_PACKS, &ref->id);

        add(c, key, ref->length, *sum > 0 ? FSN_TIER_LIKELY : FSN_TIER_REST, *sum);
    }
    return true;
}

bool
fsn_tier_parts_collect(FsnRepo *repo,
                       JsonObject *manifest,
                       const FsnTierWeight *weights,
                       size_t n,
                       GPtrArray **out_parts,
                       GError **error)
{
    g_autoptr(GPtrArray) parts =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_tier_part_free);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    Collect c = { .repo = repo, .parts = parts, .seen = seen };
    const char *id, *root_id;
    JsonObject *memory;

    if (!fsn_json_get_string(manifest, "id", &id, error) ||
        !fsn_json_get_object(manifest, "memory", &memory, error) ||
        !fsn_json_get_string(memory, "image", &root_id, error) ||
        !add_image(&c, root_id, weights, n, error) ||
        !fsn_manifest_references(manifest, add_object, &c, error) ||
        !add_sequences(&c, id, error)) {
        return false;
    }
    *out_parts = g_steal_pointer(&parts);
    return true;
}
