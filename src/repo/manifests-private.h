/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/manifests.h"

G_BEGIN_DECLS

/* The text of manifest @key, verified, inside *out_bytes, which the caller unrefs. */
bool fsn_manifest_read(FsnRepo *repo,
                       const char *key,
                       GBytes **out_bytes,
                       const char **out_text,
                       size_t *out_len,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* From that text to the object, whose required members are checked. */
bool fsn_manifest_parse(const char *key,
                        const char *text,
                        size_t len,
                        JsonObject **out_manifest,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads all manifests on all processors: @read makes something of each key, or fails.
 * *out_items has what was made, in the order of the keys; *out_damaged a message for each
 * that failed otherwise than by having gone meanwhile. */
typedef gpointer (*FsnManifestRead)(FsnRepo *repo, const char *key, GError **error);
bool fsn_manifest_read_all(FsnRepo *repo,
                           FsnManifestRead read,
                           GDestroyNotify free_item,
                           GPtrArray **out_items,
                           GPtrArray **out_damaged,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The order of lists: newest first, equal times by id. */
int fsn_manifest_order(const char *created_a,
                       const char *id_a,
                       const char *created_b,
                       const char *id_b);

G_END_DECLS
