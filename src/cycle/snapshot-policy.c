/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot's policy: from the domain's metadata, or a profile that was asked for in its place,
 * to decisions on memory and disks. Decides nothing itself: policies/granularity*.c do. What a
 * command asks for by name counts more than any profile.
 */
#include "config.h"

#include "cycle/snapshot-policy.h"

#include "base/clock.h"
#include "cycle/policy.h"
#include "cycle/profile-store.h"
#include "policies/granularity-json.h"

struct FsnSnapshotPolicy {
    FsnPolicy *own;      /* the domain's; NULL = a profile was asked for */
    FsnProfile *profile; /* that profile; NULL = the domain's counts */
    FsnActivity activity;
    FsnLevelDecision levels[FSN_N_RESOURCES];
    char *no_memory;
};

void
fsn_snapshot_policy_free(FsnSnapshotPolicy *policy)
{
    if (policy) {
        for (FsnResourceKind kind = 0; kind < FSN_N_RESOURCES; kind++) {
            fsn_level_decision_clear(&policy->levels[kind]);
        }
        fsn_profile_free(policy->profile);
        fsn_policy_free(policy->own);
        g_free(policy->no_memory);
        g_free(policy);
    }
}

static const FsnProfile *
profile_of(const FsnSnapshotRun *run)
{
    return run->policy->profile ? run->policy->profile : run->policy->own->profile;
}

static FsnLevel
level_of(const FsnSnapshotRun *run, FsnResourceKind kind)
{
    return run->policy->levels[kind].level;
}

static bool
load_profile(FsnSnapshotRun *run, GError **error)
{
    g_autoptr(FsnProfileSet) set = fsn_profiles_load(error);
    FsnSnapshotPolicy *policy = run->policy;

    if (!set) {
        return false;
    }
    if (run->options.profile) {
        policy->profile = fsn_profile_set_resolve(set, run->options.profile, error);
        return policy->profile != NULL;
    }
    policy->own = fsn_policy_load(run->domain, set, error);
    if (policy->own && policy->own->warning) {
        fsn_snapshot_warn(run, policy->own->warning);
    }
    return policy->own != NULL;
}

bool
fsn_snapshot_policy_load(FsnSnapshotRun *run, GError **error)
{
    const FsnValue *bandwidth;
    FsnSnapshotPolicy *policy;

    if (run->comparing || run->options.whole) {
        return true;
    }
    policy = run->policy = g_new0(FsnSnapshotPolicy, 1);
    policy->activity = (FsnActivity)FSN_ACTIVITY_UNKNOWN;
    if (!load_profile(run, error)) {
        return false;
    }
    for (FsnResourceKind kind = 0; kind < FSN_N_RESOURCES; kind++) {
        FsnLevelRule rule = fsn_level_rule(profile_of(run), kind);

        fsn_level_decide(&rule, &policy->activity, &policy->levels[kind]);
    }
    if (level_of(run, FSN_RESOURCE_MEMORY) < FSN_LEVEL_DETAILED) {
        policy->no_memory = g_strdup_printf(
            "profile '%s': level %s keeps no memory", profile_of(run)->name,
            fsn_level_name(level_of(run, FSN_RESOURCE_MEMORY)));
    }
    bandwidth = &profile_of(run)->settings[FSN_KEY_SCHEDULE_BANDWIDTH].value;
    if (run->options.bandwidth == 0 && !bandwidth->off) {
        run->options.bandwidth = bandwidth->number;
    }
    return true;
}

const char *
fsn_snapshot_policy_no_memory(const FsnSnapshotRun *run)
{
    return run->policy ? run->policy->no_memory : NULL;
}

const char *
fsn_snapshot_policy_skip(const FsnSnapshotRun *run, FsnSnapshotDisk *d)
{
    if (run->policy) {
        g_free(d->left_out);
        d->left_out = fsn_granularity_skip_disk(
            profile_of(run), level_of(run, FSN_RESOURCE_DISK), d->facts->target, d->size);
    }
    return d->left_out;
}

static FsnDiskActivity
activity_of(const FsnSnapshotDisk *d, int64_t now_us)
{
    return (FsnDiskActivity){
        .size = d->size,
        .allocated = d->allocated,
        .recorded = d->recorded,
        .dirty = d->dirty,
        .since_us = d->parent_us > 0 ? MAX(now_us - d->parent_us, 0) : 0,
    };
}

void
fsn_snapshot_policy_mode(const FsnSnapshotRun *run, FsnSnapshotDisk *d)
{
    g_auto(FsnReadDecision) read = { 0 };
    FsnDiskActivity activity;

    d->recorded = d->plan->mode == FSN_DISK_INCREMENTAL;
    if (!run->policy || !d->recorded) {
        return;
    }
    d->looked_us = fsn_realtime_us();
    activity = activity_of(d, d->looked_us);
    fsn_read_decide(profile_of(run), level_of(run, FSN_RESOURCE_DISK), &activity, &read);
    if (read.mode == FSN_READ_FULL) {
        g_free(d->plan->reason);
        d->plan->reason = g_steal_pointer(&read.reason);
        d->plan->mode = FSN_DISK_FULL;
        d->plan->estimate = d->allocated > 0 ? MIN(d->allocated, d->size) : d->size;
    }
}

bool
fsn_snapshot_policy_minimal(const FsnSnapshotRun *run)
{
    return run->policy && level_of(run, FSN_RESOURCE_DISK) == FSN_LEVEL_MINIMAL &&
           fsn_snapshot_policy_no_memory(run);
}

static void
add_disk(const FsnSnapshotRun *run, JsonObject *granularity, const FsnSnapshotDisk *d)
{
    const FsnSnapshotPolicy *policy = run->policy;
    FsnDiskActivity activity = activity_of(d, d->looked_us);
    g_auto(FsnReadDecision) read = { 0 };
    JsonObject *decision =
        fsn_granularity_add(granularity, FSN_RESOURCE_DISK, d->facts->target,
                            &policy->activity, &policy->levels[FSN_RESOURCE_DISK]);

    if (d->plan->mode == FSN_DISK_SKIPPED) {
        fsn_granularity_add_left_out(decision, d->plan->reason, NULL);
        return;
    }
    fsn_read_decide(profile_of(run), level_of(run, FSN_RESOURCE_DISK), &activity, &read);
    if (!d->recorded) {
        g_free(read.reason);
        read.reason = g_strdup(d->plan->reason); /* says why nothing is recorded */
    }
    fsn_granularity_add_read(decision, &activity, &read);
}

JsonObject *
fsn_snapshot_policy_json(const FsnSnapshotRun *run)
{
    JsonObject *granularity;

    if (!run->policy) {
        return NULL;
    }
    granularity = fsn_granularity_json(profile_of(run));
    for (FsnResourceKind kind = 0; kind <= FSN_RESOURCE_MEMORY; kind++) {
        JsonObject *decision = fsn_granularity_add(
            granularity, kind, NULL, &run->policy->activity, &run->policy->levels[kind]);

        if (kind == FSN_RESOURCE_MEMORY && run->ram_mode == FSN_RAM_NONE) {
            fsn_granularity_add_left_out(decision, run->ram_reason, NULL);
        }
    }
    for (guint i = 0; i < run->disks->len; i++) {
        add_disk(run, granularity, run->disks->pdata[i]);
    }
    return granularity;
}
