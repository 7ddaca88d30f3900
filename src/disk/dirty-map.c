/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a bitmap says, taken off the server piece by piece, and how much of it lies in which
 * partition. Contents are not read, but for the partition table, a failure of which only means
 * that no partitions are known.
 */
#include "config.h"

#include "disk/dirty-map.h"

#include "base/clock.h"
#include "repofmt/granule.h"

#define WAIT_US 100000

static bool
read_now(gpointer user, uint64_t offset, size_t len, uint8_t *out, GError **error)
{
    FsnNbd *nbd = user;
    FsnNbdRead read;
    bool done = false;

    if (!fsn_nbd_start_read(nbd, out, len, offset, &read, error)) {
        return false;
    }
    while (fsn_nbd_check_read(nbd, &read, &done, error)) {
        if (done) {
            return true;
        }
        if (!fsn_nbd_wait(nbd, fsn_monotonic_us() + WAIT_US, error)) {
            break;
        }
    }
    return false;
}

/* Whatever is done with a granule, the bitmap calls it dirty: the plan leaves the others out. */
static void
take_ranges(const FsnExtentPlan *plan,
            uint64_t *begin,
            uint64_t *end,
            FsnDirtyEach each,
            gpointer user)
{
    for (guint i = 0; i < plan->ranges->len; i++) {
        const FsnPlanRange *r = &g_array_index(plan->ranges, FsnPlanRange, i);
        uint64_t first = r->first * FSN_GRANULE_SIZE;
        uint64_t last = MIN((r->first + r->count) * FSN_GRANULE_SIZE, plan->size);

        if (first > *end || *end == *begin) {
            if (*end > *begin) {
                each(user, *begin, *end - *begin);
            }
            *begin = first;
        }
        *end = last;
    }
}

bool
fsn_dirty_map_read(const FsnDirtyMapOptions *options,
                   FsnDirtyEach each,
                   gpointer user,
                   uint64_t *out_size,
                   GPtrArray **out_partitions,
                   GError **error)
{
    const FsnNbdOptions nbd_options = {
        .socket = options->socket,
        .export_name = options->export_name,
        .bitmap = options->bitmap,
        .connections = 1,
        .cancel = options->cancel,
        .stall_us = options->stall_us,
    };
    g_autoptr(FsnNbd) nbd = fsn_nbd_open(&nbd_options, error);
    g_auto(FsnExtentPlan) plan = { 0 };
    uint64_t begin = 0;
    uint64_t end = 0;

    if (!nbd) {
        return false;
    }
    *out_size = fsn_nbd_size(nbd);
    if (out_partitions &&
        !fsn_partitions_find(read_now, nbd, *out_size, 0, out_partitions, NULL)) {
        *out_partitions = g_ptr_array_new();
    }
    if (options->found) {
        options->found(user, *out_size, *out_partitions);
    }
    fsn_extent_plan_init(&plan, *out_size);
    while (!fsn_extent_plan_is_whole(&plan)) {
        if (!fsn_nbd_map(nbd, &plan, error)) {
            if (out_partitions) {
                g_clear_pointer(out_partitions, g_ptr_array_unref);
            }
            return false;
        }
        take_ranges(&plan, &begin, &end, each, user);
        g_array_set_size(plan.ranges, 0);
    }
    if (end > begin) {
        each(user, begin, end - begin);
    }
    return true;
}

typedef struct {
    unsigned number;
    uint64_t begin;
    uint64_t end;
    uint64_t bytes;
} Sum;

struct FsnPartitionSums {
    GArray *sums;
};

FsnPartitionSums *
fsn_partition_sums_new(const GPtrArray *partitions)
{
    FsnPartitionSums *self = g_new0(FsnPartitionSums, 1);

    self->sums = g_array_new(FALSE, FALSE, sizeof(Sum));
    for (guint i = 0; i < partitions->len; i++) {
        const FsnPartition *p = partitions->pdata[i];
        const Sum sum = { p->number, p->offset, p->offset + p->size, 0 };

        g_array_append_val(self->sums, sum);
    }
    return self;
}

void
fsn_partition_sums_free(FsnPartitionSums *self)
{
    if (self) {
        g_array_unref(self->sums);
        g_free(self);
    }
}

void
fsn_partition_sums_add(gpointer user, uint64_t offset, uint64_t length)
{
    FsnPartitionSums *self = user;

    for (guint i = 0; i < self->sums->len; i++) {
        Sum *sum = &g_array_index(self->sums, Sum, i);
        uint64_t begin = MAX(sum->begin, offset);
        uint64_t end = MIN(sum->end, offset + length);

        sum->bytes += end > begin ? end - begin : 0;
    }
}

uint64_t
fsn_partition_sums_get(const FsnPartitionSums *self, unsigned number)
{
    for (guint i = 0; i < self->sums->len; i++) {
        const Sum *sum = &g_array_index(self->sums, Sum, i);

        if (sum->number == number) {
            return sum->bytes;
        }
    }
    return 0;
}
