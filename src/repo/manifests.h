/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Longest manifest. */
#define FSN_MANIFEST_MAX ((size_t)16 << 20)

/* A snapshot exists when its manifest does: foresnap-manifest(5). @manifest must have "id"
 * (32 hex digits), "created", "kind" and "domain" with "name" and "uuid". Members anywhere
 * whose name is "image" (root of an image) or "object" (SHA-256 of an object) and whose
 * value is a string are references: all they need is checked to be there, before and
 * after the manifest is written, so that no garbage collection can have come between.
 * Durable on return; on error there is no such snapshot. */
bool fsn_repo_commit_manifest(FsnRepo *repo, JsonObject *manifest, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* @id is an id, or a prefix of one of at least 4 digits that is unique. The caller unrefs
 * *out_manifest. */
bool fsn_repo_load_manifest(FsnRepo *repo,
                            const char *id,
                            JsonObject **out_manifest,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* All manifests (JsonObject*), newest first, and a message for each that cannot be read;
 * one bad manifest hides no other. Both arrays own their elements. */
bool fsn_repo_list_manifests(FsnRepo *repo,
                             GPtrArray **out_manifests,
                             GPtrArray **out_damaged,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes a snapshot's manifest, then its marks and sequences; what it named becomes
 * garbage unless others name it too. Also removes a damaged manifest. */
bool fsn_repo_delete_manifest(FsnRepo *repo, const char *id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same for many at once, by their whole ids. If it fails, some may have gone. */
bool fsn_repo_delete_manifests(FsnRepo *repo,
                               const char *const *ids,
                               size_t n,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Calls @each for every reference in @manifest until it fails; @folder is "roots" or
 * "objects". */
typedef bool (*FsnReferenceFunc)(gpointer user,
                                 const char *folder,
                                 const char *hex,
                                 GError **error);
bool fsn_manifest_references(JsonObject *manifest,
                             FsnReferenceFunc each,
                             gpointer user,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* True if object @hex is named by "history", "models" or "samples" of @manifest: a snapshot is whole without
 * these. */
bool fsn_manifest_is_extra(JsonObject *manifest, const char *hex);

G_END_DECLS
