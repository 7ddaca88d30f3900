/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* The list of packs that lack frames, or are about to: thinned/ab/abcd… beside the packs. */

/* Says that @pack (32 hex digits) lacks @removed bytes of frames, or, before anything is
 * removed, with 0 that it is about to. Durable on return. */
bool fsn_repo_note_thinned(FsnRepo *repo,
                           const char *pack,
                           uint64_t removed,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* All that are noted: key of the pack (char*) -> bytes removed (uint64_t*); the caller
 * unrefs. */
bool fsn_repo_list_thinned(FsnRepo *repo, GHashTable **out_packs, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Forgets the pack with @key. */
bool fsn_repo_forget_thinned(FsnRepo *repo, const char *key, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether all frames that the images of @manifest need are there. Next to free if no pack that
 * they need is on the list, or if they were written by this @repo on images of the snapshot
 * that the manifest names as its parent; otherwise their indexes are read. */
bool fsn_repo_check_thinned(FsnRepo *repo, JsonObject *manifest, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
