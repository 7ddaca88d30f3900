/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * What is kept of a domain's change map: the file changemaps/UUID.json of the state folder, with the
 * document of the last look and, of each disk, rows of what changed where (heat/rows.h). It is
 * written by whoever makes the map, of which there is one, and may be read at any time.
 */
typedef struct FsnMapKept FsnMapKept;

/* Takes up the rows that there are; a file that cannot be read counts as none. */
FsnMapKept *fsn_map_kept_new(const char *state_dir, const char *uuid);
void fsn_map_kept_free(FsnMapKept *kept);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnMapKept, fsn_map_kept_free)

/* Adds the last round of @disks (FsnHeatMap), which lasted @length_us and ended at @now_us (real
 * time). Disks that are not among them are forgotten. */
void fsn_map_kept_add(FsnMapKept *kept,
                      GPtrArray *disks,
                      int64_t now_us,
                      int64_t length_us);
/* Adds to @document, which has "disks", the member "kept" and, in each disk, "heat". */
void fsn_map_kept_fill(const FsnMapKept *kept, JsonObject *document, int64_t now_us);
/* Writes @document. Durable when it returns. */
bool fsn_map_kept_save(FsnMapKept *kept, JsonObject *document, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The document that is kept; FSN_ERROR_NOT_FOUND if there is none. The caller unrefs. */
JsonObject *fsn_map_kept_load(const char *state_dir, const char *uuid, GError **error);
/* When it was written last; 0: never. */
int64_t fsn_map_kept_time_us(const char *state_dir, const char *uuid);
/* Removes those that were written last before @before_us: their domains are gone. */
void fsn_map_kept_forget(const char *state_dir, int64_t before_us);

/* The domains that are on and whose profile asks for a change map, as elements
 * {"domain", "uuid"} by name; the caller unrefs. */
bool fsn_changemap_wanted(FsnCycle *cycle, JsonArray **out_domains, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
