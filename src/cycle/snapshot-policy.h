/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/snapshot-private.h"
#include "policies/profile-set.h"

G_BEGIN_DECLS

/* snapshot-policy.c: what the domain's policy, or the profile that was asked for, says about this
 * snapshot. Without one (a comparison of disks) each of these changes nothing. */

bool fsn_snapshot_policy_load(FsnSnapshotRun *run, GError **error);
void fsn_snapshot_policy_free(FsnSnapshotPolicy *policy);

/* The profile that counts; NULL without a policy. Belongs to @run. */
const FsnProfile *fsn_snapshot_policy_profile(const FsnSnapshotRun *run);

/* Decides on the levels, from what the domain does; once the manifests are known. */
void fsn_snapshot_policy_decide(FsnSnapshotRun *run);

/* Why the memory is not taken; NULL = the policy takes it. Belongs to @run. */
const char *fsn_snapshot_policy_no_memory(const FsnSnapshotRun *run);

/* Why a disk that was not asked for is left out; NULL = it is taken. Belongs to @d. */
const char *fsn_snapshot_policy_skip(const FsnSnapshotRun *run, FsnSnapshotDisk *d);

/* Changes the plan of @d to read it, or some of its partitions, in full, if the policy would have
 * that. */
void fsn_snapshot_policy_mode(FsnSnapshotRun *run, FsnSnapshotDisk *d);

/* How much @d is in use: what changes of it in a second, or if that is not known what is read and
 * written; 0 if nothing is. Bytes. */
double fsn_snapshot_policy_heat(const FsnSnapshotRun *run, const FsnSnapshotDisk *d);

/* Fills @leave_out for the partitions of @d, as its capture asks for it; in the thread that
 * reads @d. */
bool fsn_snapshot_policy_choose(const FsnSnapshotRun *run,
                                FsnSnapshotDisk *d,
                                const GPtrArray *partitions,
                                GArray *leave_out,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* What was left out of @d as its manifest has it; NULL = nothing. */
JsonArray *fsn_snapshot_left_out_json(const FsnSnapshotDisk *d);
/* The ranges (FsnPlanRange, @action) that a manifest's @disk says were left out; NULL = none. A
 * bad range is taken for all of the disk. */
GArray *fsn_snapshot_left_out_ranges(JsonObject *disk, FsnPlanAction action);

/* The level of @kind; FSN_LEVEL_DETAILED without a policy. */
FsnLevel fsn_snapshot_policy_level(const FsnSnapshotRun *run, FsnResourceKind kind);

/* How much of each log is its newest part, in bytes. */
uint64_t fsn_snapshot_policy_log_tail(const FsnSnapshotRun *run);

/* Whether the policy leaves everything but the configuration out. */
bool fsn_snapshot_policy_minimal(const FsnSnapshotRun *run);

/* The decisions and their inputs, for the manifest; NULL without a policy. */
JsonObject *fsn_snapshot_policy_json(const FsnSnapshotRun *run);

G_END_DECLS
