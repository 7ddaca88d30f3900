/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much of each partition has changed, for the decision that is made on partitions. Whatever
 * is found here only says how the disk is read: what it has is compared in any case, and what
 * the bitmap names is always read.
 */
#include "config.h"

#include "cycle/snapshot-partitions.h"

#include "base/error.h"
#include "changemap/marker.h"
#include "changemap/qemu-map.h"
#include "cycle/lock.h"

/* For a look of somebody else's, which takes milliseconds. */
#define LOCK_WAIT_MS 2000
#define COPY         FSN_MAP_PREFIX "look"
#define STALL_US     (5 * (int64_t)G_USEC_PER_SEC)

typedef struct {
    uint64_t offset;
    uint64_t length;
} Range;

static void
keep(gpointer user, uint64_t offset, uint64_t length)
{
    Range range = { offset, length };

    g_array_append_val(user, range);
}

/* What is found becomes the disk's. */
static void
take(FsnSnapshotDisk *d, GPtrArray *partitions, const GArray *ranges)
{
    g_autoptr(FsnPartitionSums) sums = fsn_partition_sums_new(partitions);

    for (guint i = 0; i < ranges->len; i++) {
        const Range *r = &g_array_index(ranges, Range, i);

        fsn_partition_sums_add(sums, r->offset, r->length);
    }
    d->seen = g_ptr_array_ref(partitions);
    d->changes = g_array_new(FALSE, FALSE, sizeof(FsnPartitionActivity));
    for (guint i = 0; i < partitions->len; i++) {
        const FsnPartition *p = partitions->pdata[i];
        FsnPartitionActivity a = { .number = p->number, .size = p->size };

        a.dirty = fsn_partition_sums_get(sums, p->number);
        g_array_append_val(d->changes, a);
    }
}

static bool
look_off(FsnSnapshotRun *run, FsnSnapshotDisk *d, GError **error)
{
    g_autofree char *name = fsn_instant_bitmap(run->repo_id, d->parent_id);
    g_autofree char *context = g_strconcat("qemu:dirty-bitmap:", name, NULL);
    g_autoptr(FsnDiskOffline) offline =
        fsn_disk_offline_new(d->facts->source, d->facts->format, name, error);
    FsnDirtyMapOptions options = { .export_name = "",
                                   .bitmap = context,
                                   .stall_us = STALL_US };
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(Range));
    g_autoptr(GPtrArray) partitions = NULL;
    uint64_t size;

    if (!offline) {
        return false;
    }
    options.socket = fsn_disk_offline_socket(offline);
    if (!fsn_dirty_map_read(&options, keep, ranges, &size, &partitions, error)) {
        return false;
    }
    take(d, partitions, ranges);
    return true;
}

static bool
look_by_server(FsnSnapshotRun *run, FsnSnapshotDisk *d, GError **error)
{
    FsnMapServer *server = fsn_map_server_start(run->qmp, d->node, error);
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(Range));
    g_autoptr(GPtrArray) partitions = NULL;
    uint64_t size;
    bool ok;

    if (!server) {
        return false;
    }
    ok = fsn_map_server_read(server, d->node, COPY, NULL, keep, ranges, &size,
                             &partitions, error);
    ok = fsn_map_server_end(server, ok ? error : NULL) && ok;
    if (ok) {
        take(d, partitions, ranges);
    }
    return ok;
}

static bool
look_live(FsnSnapshotRun *run, FsnSnapshotDisk *d, GError **error)
{
    g_autofree char *bitmap = fsn_instant_bitmap(run->repo_id, d->parent_id);
    bool ok = fsn_map_sweep(run->qmp, false, error) &&
              fsn_map_drop(run->qmp, d->node, COPY, error) &&
              fsn_map_copy(run->qmp, d->node, bitmap, COPY, error) &&
              look_by_server(run, d, error);

    return fsn_map_drop(run->qmp, d->node, COPY, ok ? error : NULL) && ok;
}

/* A change map that is being made has a marker of its own, which stays when we are killed. */
static bool
look_marked(FsnSnapshotRun *run, FsnSnapshotDisk *d, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(run->cycle);
    g_autoptr(FsnLock) lock =
        fsn_lock_take(state_dir, FSN_NBD_LOCK, run->facts->uuid, LOCK_WAIT_MS, error);
    FsnMapMarker *marker;
    bool ok;

    if (!lock) {
        return false;
    }
    marker = fsn_map_marker_take(state_dir, run->facts->uuid, NULL);
    ok = look_live(run, d, error);
    if (marker && ok) {
        fsn_map_marker_done(marker);
    } else {
        fsn_map_marker_leave(marker);
    }
    return ok;
}

void
fsn_snapshot_find_partitions(FsnSnapshotRun *run, FsnSnapshotDisk *d)
{
    g_autoptr(GError) error = NULL;

    if (!(run->qmp ? look_marked(run, d, &error) : look_off(run, d, &error))) {
        g_debug("partitions of disk '%s': %s", d->facts->target, error->message);
    }
}

static bool
is_in(const GArray *numbers, unsigned number)
{
    for (guint i = 0; i < numbers->len; i++) {
        if (g_array_index(numbers, unsigned, i) == number) {
            return true;
        }
    }
    return false;
}

void
fsn_snapshot_plan_hybrid(FsnSnapshotDisk *d, const GArray *full)
{
    uint64_t cold = d->dirty;
    uint64_t hot = 0;

    d->full = g_array_copy((GArray *)full);
    d->whole = g_array_new(FALSE, FALSE, sizeof(FsnPlanRange));
    for (guint i = 0; i < d->seen->len; i++) {
        const FsnPartition *p = d->seen->pdata[i];
        const FsnPartitionActivity *a =
            &g_array_index(d->changes, FsnPartitionActivity, i);

        if (is_in(full, p->number)) {
            fsn_extent_add_around(d->whole, p->offset, p->size, FSN_PLAN_READ);
            hot += p->size;
            cold -= MIN(cold, a->dirty);
        }
    }
    fsn_extent_order(d->whole);
    d->plan->mode = FSN_DISK_HYBRID;
    d->plan->estimate = MIN(hot + cold, d->size);
}

bool
fsn_snapshot_reads_whole(const FsnSnapshotDisk *d, unsigned number)
{
    return d->full && is_in(d->full, number);
}
