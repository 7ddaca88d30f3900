/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/granularity.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Decisions as a manifest keeps them ("granularity" in foresnap-manifest(5)), and told in
 * sentences. Names of references, "image" and "object", do not occur. */

/* The profile, and those of its values that somebody has set, without decisions. */
JsonObject *fsn_granularity_json(const FsnProfile *profile);

/* Adds the decision on a resource, with its inputs; @name NULL where there is only one. The
 * object returned belongs to @granularity. */
JsonObject *fsn_granularity_add(JsonObject *granularity,
                                FsnResourceKind kind,
                                const char *name,
                                const FsnActivity *activity,
                                const FsnLevelDecision *decision);

/* Adds to a disk's decision how it is read. */
void fsn_granularity_add_read(JsonObject *decision,
                              const FsnDiskActivity *activity,
                              const FsnReadDecision *read);

/* Adds to a disk's or partition's decision why it is left out, or kept all the same; each may be
 * NULL. */
void fsn_granularity_add_left_out(JsonObject *decision,
                                  const char *why,
                                  const char *kept);

/* What a snapshot kept and why, a sentence each (char *); the caller unrefs. @granularity may
 * be anything that a manifest has there. */
GPtrArray *fsn_granularity_explain(JsonObject *granularity);

/* The step of the last decision on a resource, to go on from; 0 if there is none.
 * @granularity may be NULL. */
int fsn_granularity_step(JsonObject *granularity, FsnResourceKind kind, const char *name);

G_END_DECLS
