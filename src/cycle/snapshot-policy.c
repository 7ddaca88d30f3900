/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot's policy: from the domain's metadata, or a profile that was asked for in its place,
 * to decisions on memory and disks. Decides nothing itself: policies/granularity*.c do. What a
 * command asks for by name counts more than any profile.
 */
#include "config.h"

#include "cycle/snapshot-policy.h"

#include "base/clock.h"
#include "base/json.h"
#include "cycle/disk-parts.h"
#include "cycle/policy.h"
#include "cycle/profile-store.h"
#include "cycle/snapshot-levels.h"
#include "cycle/snapshot-partitions.h"
#include "history/store.h"
#include "policies/granularity-json.h"

/* Of a swap area its first pages stay, so that it is one after a restore. */
#define SWAP_HEAD  (UINT64_C(64) << 10)
/* Where tables of partitions are. */
#define TABLE_HEAD (UINT64_C(1) << 20)
#define TABLE_TAIL (UINT64_C(64) << 10)

struct FsnSnapshotPolicy {
    FsnPolicy *own;      /* the domain's; NULL = a profile was asked for */
    FsnProfile *profile; /* that profile; NULL = the domain's counts */
    FsnSnapshotLevels *levels;
    char *no_memory;
};

void
fsn_snapshot_policy_free(FsnSnapshotPolicy *policy)
{
    if (policy) {
        fsn_snapshot_levels_free(policy->levels);
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

const FsnProfile *
fsn_snapshot_policy_profile(const FsnSnapshotRun *run)
{
    return run->policy ? profile_of(run) : NULL;
}

static const FsnSnapshotLevel *
disk_level(const FsnSnapshotRun *run, const FsnSnapshotDisk *d)
{
    return fsn_snapshot_levels_disk(run->policy->levels, d->facts->target);
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

    if (run->comparing || run->options.whole) {
        return true;
    }
    run->policy = g_new0(FsnSnapshotPolicy, 1);
    if (!load_profile(run, error)) {
        return false;
    }
    bandwidth = &profile_of(run)->settings[FSN_KEY_SCHEDULE_BANDWIDTH].value;
    if (run->options.bandwidth == 0 && !bandwidth->off) {
        run->options.bandwidth = bandwidth->number;
    }
    return true;
}

/* The decisions of the last snapshot of the domain that has any; borrowed. */
static JsonObject *
decisions_before(const FsnSnapshotRun *run)
{
    for (guint i = 0; i < run->manifests->len; i++) {
        JsonObject *m = run->manifests->pdata[i];
        JsonObject *domain;
        JsonObject *granularity;

        if (fsn_json_get_object(m, "domain", &domain, NULL) &&
            g_str_equal(fsn_json_peek_string(domain, "uuid", ""), run->facts->uuid) &&
            fsn_json_get_object(m, "granularity", &granularity, NULL)) {
            return granularity;
        }
    }
    return NULL;
}

void
fsn_snapshot_policy_decide(FsnSnapshotRun *run)
{
    FsnSnapshotPolicy *policy = run->policy;
    g_autofree char *history = fsn_history_default_path();
    const FsnLevelDecision *memory;

    if (!policy) {
        return;
    }
    policy->levels = fsn_snapshot_levels_new(
        profile_of(run),
        fsn_activity_source_new(history, run->facts->uuid, fsn_realtime_us()),
        decisions_before(run));
    memory = &fsn_snapshot_levels_of(policy->levels, FSN_RESOURCE_MEMORY)->decision;
    if (memory->level < FSN_LEVEL_DETAILED) {
        policy->no_memory = g_strdup_printf(
            "profile '%s': level %s keeps no memory%s%s", profile_of(run)->name,
            fsn_level_name(memory->level), memory->level == memory->base ? "" : "; ",
            memory->level == memory->base ? "" : memory->reason);
    }
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
        d->left_out =
            fsn_granularity_skip_disk(profile_of(run), disk_level(run, d)->decision.level,
                                      d->facts->target, d->size);
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
        .partitions =
            d->changes ? (const FsnPartitionActivity *)(gpointer)d->changes->data : NULL,
        .n_partitions = d->changes ? d->changes->len : 0,
    };
}

/* Partitions are looked at only where it depends on them. */
static bool
depends_on_partitions(const FsnSnapshotRun *run, const FsnReadDecision *read)
{
    return read->mode == FSN_READ_FULL && read->change_rate >= 0 &&
           fsn_profile_number(profile_of(run), FSN_KEY_MODE_RULE) == 0;
}

static void
decide_mode(const FsnSnapshotRun *run, FsnSnapshotDisk *d, FsnReadDecision *out_read)
{
    FsnDiskActivity activity = activity_of(d, d->looked_us);

    fsn_read_decision_clear(out_read);
    fsn_read_decide(profile_of(run), disk_level(run, d)->decision.level, &activity,
                    out_read);
}

void
fsn_snapshot_policy_mode(FsnSnapshotRun *run, FsnSnapshotDisk *d)
{
    g_auto(FsnReadDecision) read = { 0 };

    d->recorded = d->plan->mode == FSN_DISK_INCREMENTAL;
    if (!run->policy) {
        return;
    }
    (void)disk_level(run, d); /* now: threads that read look it up */
    if (!d->recorded) {
        return;
    }
    d->looked_us = fsn_realtime_us();
    decide_mode(run, d, &read);
    if (depends_on_partitions(run, &read) &&
        disk_level(run, d)->decision.level != FSN_LEVEL_RAW) {
        fsn_snapshot_find_partitions(run, d);
        decide_mode(run, d, &read);
    }
    switch (read.mode) {
    case FSN_READ_INCREMENTAL:
        return;
    case FSN_READ_HYBRID:
        fsn_snapshot_plan_hybrid(d, read.full);
        break;
    case FSN_READ_FULL:
        d->plan->mode = FSN_DISK_FULL;
        d->plan->estimate = d->allocated > 0 ? MIN(d->allocated, d->size) : d->size;
        break;
    }
    g_free(d->plan->reason);
    d->plan->reason = g_steal_pointer(&read.reason);
}

double
fsn_snapshot_policy_heat(const FsnSnapshotRun *run, const FsnSnapshotDisk *d)
{
    if (!run->policy) {
        return 0;
    }
    if (d->recorded && d->parent_us > 0 && d->looked_us > d->parent_us) {
        return (double)d->dirty * 1e6 / (double)(d->looked_us - d->parent_us);
    }
    return MAX(disk_level(run, d)->activity.io_rate, 0);
}

static void
part_free(gpointer data)
{
    FsnSnapshotPart *part = data;

    fsn_snapshot_level_clear(&part->level);
    g_free(part->why);
    g_free(part->kept);
    g_free(part);
}

/* The bytes of @p that may be left out: what says that it is a swap area stays, and so do
 * tables of partitions, wherever a partition claims to be. */
static void
set_range(FsnSnapshotPart *part, const FsnPartition *p, uint64_t size)
{
    uint64_t first = MAX(p->offset + (p->swap_area ? SWAP_HEAD : 0), TABLE_HEAD);
    uint64_t last = MIN(p->offset + p->size, size > TABLE_TAIL ? size - TABLE_TAIL : 0);

    part->offset = (first + FSN_GRANULE_SIZE - 1) / FSN_GRANULE_SIZE * FSN_GRANULE_SIZE;
    last = last / FSN_GRANULE_SIZE * FSN_GRANULE_SIZE;
    part->length = last > part->offset ? last - part->offset : 0;
}

/* What was asked for by name counts more than what a policy says of partitions. */
static bool
choose_asked(const FsnSnapshotRun *run,
             FsnSnapshotDisk *d,
             const GPtrArray *partitions,
             GArray *leave_out,
             GError **error)
{
    g_autoptr(GArray) gaps = NULL;

    if (!fsn_disk_parts_gaps(run->options.parts, d->facts->target, partitions, d->size,
                             &gaps, error)) {
        return false;
    }
    for (guint i = 0; i < gaps->len; i++) {
        const FsnDiskGap *gap = &g_array_index(gaps, FsnDiskGap, i);
        FsnSnapshotPart *part = g_new0(FsnSnapshotPart, 1);

        part->offset = gap->offset;
        part->length = gap->length;
        part->why = g_strdup("only parts of the disk were asked for");
        g_ptr_array_add(d->parts, part);
        fsn_extent_add_inside(leave_out, gap->offset, gap->length, FSN_PLAN_HOLE);
    }
    return true;
}

bool
fsn_snapshot_policy_choose(const FsnSnapshotRun *run,
                           FsnSnapshotDisk *d,
                           const GPtrArray *partitions,
                           GArray *leave_out,
                           GError **error)
{
    d->parts = g_ptr_array_new_with_free_func(part_free);
    if (fsn_disk_parts_name(run->options.parts, d->facts->target)) {
        return choose_asked(run, d, partitions, leave_out, error);
    }
    for (guint i = 0; i < partitions->len; i++) {
        const FsnPartition *p = partitions->pdata[i];
        const FsnPartitionFacts facts = { .disk = d->facts->target,
                                          .number = p->number,
                                          .size = p->size,
                                          .type = p->type,
                                          .name = p->name,
                                          .overlaps = p->overlaps,
                                          .swap_area = p->swap_area };
        g_autofree FsnSnapshotPart *part = g_new0(FsnSnapshotPart, 1);

        part->number = p->number;
        fsn_snapshot_levels_partition(run->policy->levels, d->facts->target, p->number,
                                      &part->level);
        part->why = fsn_granularity_skip_partition(
            profile_of(run), part->level.decision.level, &facts,
            run->ram_mode != FSN_RAM_NONE, &part->kept);
        if (part->why) {
            set_range(part, p, d->size);
            fsn_extent_add_inside(leave_out, part->offset, part->length, FSN_PLAN_HOLE);
        }
        if (part->why || part->kept || part->level.decision.step != 0) {
            g_ptr_array_add(d->parts, g_steal_pointer(&part));
        }
    }
    return fsn_snapshot_databases_check(run, d, partitions, error);
}

JsonArray *
fsn_snapshot_left_out_json(const FsnSnapshotDisk *d)
{
    JsonArray *array = NULL;

    for (guint i = 0; d->parts && i < d->parts->len; i++) {
        const FsnSnapshotPart *part = d->parts->pdata[i];
        JsonObject *o;

        if (part->length == 0) {
            continue;
        }
        o = json_object_new();
        if (part->number > 0) {
            json_object_set_int_member(o, "partition", part->number);
        }
        json_object_set_int_member(o, "offset", (int64_t)part->offset);
        json_object_set_int_member(o, "length", (int64_t)part->length);
        json_object_set_string_member(o, "reason", part->why);
        array = array ? array : json_array_new();
        json_array_add_object_element(array, o);
    }
    return array;
}

GArray *
fsn_snapshot_left_out_ranges(JsonObject *disk, FsnPlanAction action)
{
    GArray *ranges;
    JsonArray *array;

    if (!json_object_has_member(disk, "left_out")) {
        return NULL;
    }
    ranges = g_array_new(FALSE, FALSE, sizeof(FsnPlanRange));
    if (!fsn_json_get_array(disk, "left_out", &array, NULL)) {
        fsn_extent_add_around(ranges, 0, G_MAXINT64, action);
        return ranges;
    }
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *o;
        int64_t offset = 0;
        int64_t length = G_MAXINT64;

        if (!fsn_json_get_element(array, i, &o, NULL) ||
            !fsn_json_get_int(o, "offset", 0, G_MAXINT64, &offset, NULL) ||
            !fsn_json_get_int(o, "length", 0, G_MAXINT64, &length, NULL)) {
            offset = 0;
            length = G_MAXINT64;
        }
        fsn_extent_add_around(ranges, (uint64_t)offset, (uint64_t)length, action);
    }
    fsn_extent_order(ranges);
    return ranges;
}

FsnLevel
fsn_snapshot_policy_level(const FsnSnapshotRun *run, FsnResourceKind kind)
{
    return run->policy ? fsn_snapshot_levels_of(run->policy->levels, kind)->decision.level
                       : FSN_LEVEL_DETAILED;
}

uint64_t
fsn_snapshot_policy_log_tail(const FsnSnapshotRun *run)
{
    const FsnValue *tail =
        run->policy ? &profile_of(run)->settings[FSN_KEY_LOG_TAIL].value : NULL;

    return tail && !tail->off ? tail->number : G_MAXUINT64;
}

bool
fsn_snapshot_policy_minimal(const FsnSnapshotRun *run)
{
    for (guint i = 0; run->policy && i < run->disks->len; i++) {
        if (disk_level(run, run->disks->pdata[i])->decision.level != FSN_LEVEL_MINIMAL) {
            return false;
        }
    }
    return run->policy && fsn_snapshot_policy_no_memory(run);
}

static void
add_disk(const FsnSnapshotRun *run, JsonObject *granularity, const FsnSnapshotDisk *d)
{
    const FsnSnapshotLevel *level = disk_level(run, d);
    FsnDiskActivity activity = activity_of(d, d->looked_us);
    g_auto(FsnReadDecision) read = { 0 };
    JsonObject *decision =
        fsn_granularity_add(granularity, FSN_RESOURCE_DISK, d->facts->target,
                            &level->activity, &level->decision);

    if (d->plan->mode == FSN_DISK_SKIPPED) {
        fsn_granularity_add_left_out(decision, d->plan->reason, NULL);
        return;
    }
    fsn_read_decide(profile_of(run), disk_level(run, d)->decision.level, &activity,
                    &read);
    if (!d->recorded) {
        g_free(read.reason);
        read.reason = g_strdup(d->plan->reason); /* says why nothing is recorded */
    }
    fsn_granularity_add_read(decision, &activity, &read);
    json_object_set_int_member(decision, "order", fsn_snapshot_order(run, d) + 1);
    for (guint i = 0; d->parts && i < d->parts->len; i++) {
        const FsnSnapshotPart *part = d->parts->pdata[i];
        g_autofree char *name =
            part->number == 0 ? NULL
                              : g_strdup_printf("%s:%u", d->facts->target, part->number);

        if (!name) {
            continue; /* no decision: it was asked for */
        }
        fsn_granularity_add_left_out(
            fsn_granularity_add(granularity, FSN_RESOURCE_PARTITION, name,
                                &part->level.activity, &part->level.decision),
            part->why, part->kept);
    }
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
        const FsnSnapshotLevel *level = fsn_snapshot_levels_of(run->policy->levels, kind);
        JsonObject *decision = fsn_granularity_add(granularity, kind, NULL,
                                                   &level->activity, &level->decision);

        if (kind == FSN_RESOURCE_MEMORY && run->ram_mode == FSN_RAM_NONE) {
            fsn_granularity_add_left_out(decision, run->ram_reason, NULL);
        }
    }
    for (guint i = 0; i < run->disks->len; i++) {
        add_disk(run, granularity, run->disks->pdata[i]);
    }
    if (*fsn_profile_text(profile_of(run), FSN_KEY_DATABASE_DECLARE)) {
        const FsnSnapshotLevel *level =
            fsn_snapshot_levels_of(run->policy->levels, FSN_RESOURCE_DATABASE);

        (void)fsn_granularity_add(granularity, FSN_RESOURCE_DATABASE, NULL,
                                  &level->activity, &level->decision); /* is in there */
    }
    return granularity;
}
