/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From references to the objects they need. Committing, collecting garbage, verifying and
 * counting all use this one walk, so that they cannot disagree.
 */
#include "config.h"

#include "repo/needs.h"

#include "base/error.h"
#include "repo/image-private.h"
#include "repo/manifests.h"
#include "repo/repo-private.h"

#include <string.h>

static bool
walk_refs(
    const char *folder, GArray *refs, FsnNeedFunc each, gpointer user, GError **error)
{
    for (guint i = 0; i < refs->len; i++) {
        const FsnObjectRef *ref = &g_array_index(refs, FsnObjectRef, i);
        g_autofree char *key = fsn_repo_id_key(folder, &ref->id);

        if (!each(user, key, ref->length, error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_repo_needs_of(FsnRepo *repo,
                  const char *folder,
                  const char *hex,
                  FsnNeedFunc each,
                  gpointer user,
                  GError **error)
{
    bool object = strcmp(folder, FSN_DIR_OBJECTS) == 0;
    g_autoptr(FsnImage) image = NULL;
    g_autofree char *key = NULL;
    uint8_t sha[FSN_SHA256_SIZE];

    if (object && !fsn_unhex(hex, sha, sizeof sha)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "'%.80s' names no object", hex);
        return false;
    }
    if (!object && !(image = fsn_image_open(repo, hex, error))) {
        return false;
    }
    key = fsn_repo_key(folder, object ? hex : fsn_image_root_id(image));
    if (!each(user, key, UINT64_MAX, error)) {
        return false;
    }
    return object ||
           (walk_refs(FSN_DIR_BUNDLES, fsn_image_root(image)->bundles, each, user,
                      error) &&
            walk_refs(FSN_DIR_PACKS, fsn_image_root(image)->packs, each, user, error));
}

typedef struct {
    FsnRepo *repo;
    FsnNeedFunc each;
    gpointer user;
} Walk;

static bool
walk_reference(gpointer user, const char *folder, const char *hex, GError **error)
{
    Walk *walk = user;

    return fsn_repo_needs_of(walk->repo, folder, hex, walk->each, walk->user, error);
}

bool
fsn_repo_needs_of_manifest(
    FsnRepo *repo, JsonObject *manifest, FsnNeedFunc each, gpointer user, GError **error)
{
    Walk walk = { .repo = repo, .each = each, .user = user };

    return fsn_manifest_references(manifest, walk_reference, &walk, error);
}
