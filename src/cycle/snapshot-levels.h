/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/activity.h"
#include "policies/granularity.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* The level of every resource of one snapshot, from its profile and from what the domain and its
 * disks do; the last snapshot's decisions are where hysteresis goes on from. */
typedef struct FsnSnapshotLevels FsnSnapshotLevels;

typedef struct {
    FsnActivity activity;
    FsnLevelDecision decision;
} FsnSnapshotLevel;

void fsn_snapshot_level_clear(FsnSnapshotLevel *level);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnSnapshotLevel, fsn_snapshot_level_clear)

/* Decides on the kinds that a domain has one of. @profile is borrowed, @source taken over;
 * @before is the "granularity" of the manifest before this one, or NULL. */
FsnSnapshotLevels *fsn_snapshot_levels_new(const FsnProfile *profile,
                                           FsnActivitySource *source,
                                           JsonObject *before);
void fsn_snapshot_levels_free(FsnSnapshotLevels *levels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnSnapshotLevels, fsn_snapshot_levels_free)

/* The domain's level of @kind; borrowed. */
const FsnSnapshotLevel *fsn_snapshot_levels_of(const FsnSnapshotLevels *levels,
                                               FsnResourceKind kind);
/* That of disk @target, decided at the first call and kept; borrowed. One thread. */
const FsnSnapshotLevel *fsn_snapshot_levels_disk(FsnSnapshotLevels *levels,
                                                 const char *target);
/* That of partition @number of @target, whose disk was decided on: from the activity of the
 * disk, of which partitions know no better. From any thread; the caller clears. */
void fsn_snapshot_levels_partition(const FsnSnapshotLevels *levels,
                                   const char *target,
                                   unsigned number,
                                   FsnSnapshotLevel *out_level);

G_END_DECLS
