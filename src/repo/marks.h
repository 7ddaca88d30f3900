/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Tiny durable facts about a snapshot, beside its immutable manifest: "claim", "ran",
 * "armed", "consumed". @id has 32 hex digits; @mark is one word of lower-case letters. */
#define FSN_MARK_MAX 65536

/* Of several callers, on any host, exactly one succeeds; the others get
 * FSN_ERROR_EXISTS. Durable on return. */
bool fsn_repo_mark_create(FsnRepo *repo,
                          const char *id,
                          const char *mark,
                          JsonObject *body,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* FSN_ERROR_NOT_FOUND if it is not there. A mark that is there but damaged is an error of
 * another kind: it counts as set. */
bool fsn_repo_mark_read(FsnRepo *repo,
                        const char *id,
                        const char *mark,
                        JsonObject **out_body,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* All marks of all snapshots, as "ID.MARK": a set of strings. Those that are damaged count as
 * set here too. The caller unrefs. */
bool fsn_repo_mark_list(FsnRepo *repo, GHashTable **out_marks, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* True also if it was not there. */
bool fsn_repo_mark_remove(FsnRepo *repo, const char *id, const char *mark, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
