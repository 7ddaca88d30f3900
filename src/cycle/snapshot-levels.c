/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Levels of resources, decided once in a snapshot and kept: a plan and what is done by it are
 * of one look. Decides nothing itself: policies/granularity.c does.
 */
#include "config.h"

#include "cycle/snapshot-levels.h"

#include "policies/granularity-json.h"

struct FsnSnapshotLevels {
    const FsnProfile *profile;
    FsnActivitySource *source;
    JsonObject *before; /* NULL = none */
    FsnSnapshotLevel kinds[FSN_N_RESOURCES];
    GHashTable *disks; /* by target, FsnSnapshotLevel */
};

void
fsn_snapshot_level_clear(FsnSnapshotLevel *level)
{
    fsn_level_decision_clear(&level->decision);
}

static void
level_free(gpointer level)
{
    fsn_snapshot_level_clear(level);
    g_free(level);
}

static void
decide(const FsnSnapshotLevels *self, FsnResourceKind kind, FsnSnapshotLevel *level)
{
    FsnLevelRule rule = fsn_level_rule(self->profile, kind);

    fsn_level_decide(&rule, &level->activity, &level->decision);
}

static int
step_before(const FsnSnapshotLevels *self, FsnResourceKind kind, const char *name)
{
    return fsn_granularity_step(self->before, kind, name);
}

FsnSnapshotLevels *
fsn_snapshot_levels_new(const FsnProfile *profile,
                        FsnActivitySource *source,
                        JsonObject *before)
{
    FsnSnapshotLevels *self = g_new0(FsnSnapshotLevels, 1);
    FsnActivity activity = fsn_activity_of(source, NULL, 0);

    self->profile = profile;
    self->source = source;
    self->before = before ? json_object_ref(before) : NULL;
    self->disks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, level_free);
    for (FsnResourceKind kind = 0; kind < FSN_N_RESOURCES; kind++) {
        self->kinds[kind].activity = activity;
        self->kinds[kind].activity.previous = step_before(self, kind, NULL);
        decide(self, kind, &self->kinds[kind]);
    }
    return self;
}

void
fsn_snapshot_levels_free(FsnSnapshotLevels *self)
{
    if (self) {
        for (FsnResourceKind kind = 0; kind < FSN_N_RESOURCES; kind++) {
            fsn_snapshot_level_clear(&self->kinds[kind]);
        }
        g_hash_table_unref(self->disks);
        g_clear_pointer(&self->before, json_object_unref);
        fsn_activity_source_free(self->source);
        g_free(self);
    }
}

const FsnSnapshotLevel *
fsn_snapshot_levels_of(const FsnSnapshotLevels *self, FsnResourceKind kind)
{
    return &self->kinds[kind];
}

const FsnSnapshotLevel *
fsn_snapshot_levels_disk(FsnSnapshotLevels *self, const char *target)
{
    FsnSnapshotLevel *level = g_hash_table_lookup(self->disks, target);

    if (!level) {
        level = g_new0(FsnSnapshotLevel, 1);
        level->activity = fsn_activity_of(self->source, target,
                                          step_before(self, FSN_RESOURCE_DISK, target));
        decide(self, FSN_RESOURCE_DISK, level);
        g_hash_table_insert(self->disks, g_strdup(target), level);
    }
    return level;
}

void
fsn_snapshot_levels_partition(const FsnSnapshotLevels *self,
                              const char *target,
                              unsigned number,
                              FsnSnapshotLevel *out_level)
{
    const FsnSnapshotLevel *disk = g_hash_table_lookup(self->disks, target);
    g_autofree char *name = g_strdup_printf("%s:%u", target, number);
    FsnSnapshotLevel level = { .activity = disk->activity };

    level.activity.previous = step_before(self, FSN_RESOURCE_PARTITION, name);
    decide(self, FSN_RESOURCE_PARTITION, &level);
    *out_level = level;
}
