/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/prune-profile.h"
#include "cli/snapshot-view.h"
#include "policies/retention.h"

#include <glib.h>

G_BEGIN_DECLS

/* What prune would do with one snapshot, and why. */
typedef struct {
    const FsnCatalogueEntry *entry; /* borrowed */
    FsnSnapshotState state;
    bool keep;
    GPtrArray *reasons; /* char* */
} FsnPruneItem;

/* The state of a snapshot, by its id. */
typedef FsnSnapshotState (*FsnPruneState)(gpointer user, const char *id);

/* Applies @rules to the snapshots of each domain (by its UUID) in @entries, which are newest
 * first and are borrowed as long as the plan lives. Returns FsnPruneItem, in the same order;
 * the caller unrefs. Pure. */
GArray *fsn_prune_plan(GPtrArray *entries,
                       FsnPruneState state,
                       gpointer user,
                       const FsnRetentionRules *rules,
                       GTimeZone *zone,
                       int64_t now_us,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same by what each domain's profile says: @profiles (UUID → FsnPruneProfile). Those of
 * domains that are not in it stay. */
GArray *fsn_prune_plan_profiles(GPtrArray *entries,
                                FsnPruneState state,
                                gpointer user,
                                GHashTable *profiles,
                                GTimeZone *zone,
                                int64_t now_us,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
