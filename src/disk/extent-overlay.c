/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of a disk that are left out of a snapshot, or read although nothing says that they have
 * changed: laid over the plan that was made of the server's maps.
 */
#include "config.h"

#include "disk/extent-overlay.h"

#include "repofmt/granule.h"

static const FsnPlanRange *
at(const GArray *ranges, guint i)
{
    return &g_array_index(ranges, FsnPlanRange, i);
}

static void
add(GArray *ranges, uint64_t first, uint64_t end, FsnPlanAction action)
{
    FsnPlanRange range = { .first = first, .count = end - first, .action = action };

    if (end > first) {
        g_array_append_val(ranges, range);
    }
}

void
fsn_extent_add_inside(GArray *overrides,
                      uint64_t offset,
                      uint64_t length,
                      FsnPlanAction action)
{
    uint64_t last = offset + MIN(length, UINT64_MAX - offset);
    uint64_t first = offset / FSN_GRANULE_SIZE + (offset % FSN_GRANULE_SIZE != 0);

    if (last / FSN_GRANULE_SIZE > first) {
        add(overrides, first, last / FSN_GRANULE_SIZE, action);
    }
}

void
fsn_extent_add_around(GArray *overrides,
                      uint64_t offset,
                      uint64_t length,
                      FsnPlanAction action)
{
    uint64_t last = offset + MIN(length, UINT64_MAX - offset);

    if (length > 0) {
        add(overrides, offset / FSN_GRANULE_SIZE,
            last / FSN_GRANULE_SIZE + (last % FSN_GRANULE_SIZE != 0), action);
    }
}

static int
by_first(gconstpointer a, gconstpointer b)
{
    const FsnPlanRange *x = a;
    const FsnPlanRange *y = b;

    return x->first < y->first ? -1 : x->first > y->first;
}

void
fsn_extent_order(GArray *overrides)
{
    g_autoptr(GArray) sorted = g_array_copy(overrides);
    uint64_t end = 0;

    g_array_sort(sorted, by_first);
    g_array_set_size(overrides, 0);
    for (guint i = 0; i < sorted->len; i++) {
        const FsnPlanRange *r = at(sorted, i);

        add(overrides, MAX(r->first, end), MAX(r->first + r->count, end), r->action);
        end = MAX(end, r->first + r->count);
    }
}

/* What @ranges say of @position: the action (KEEP if nothing), and up to where they say it.
 * *@i is the first range that does not end before it. */
static FsnPlanAction
look(const GArray *ranges, guint *i, uint64_t position, uint64_t *end, bool *out_found)
{
    const FsnPlanRange *r;

    while (*i < ranges->len &&
           at(ranges, *i)->first + at(ranges, *i)->count <= position) {
        (*i)++;
    }
    *out_found = false;
    if (*i == ranges->len) {
        return FSN_PLAN_KEEP;
    }
    r = at(ranges, *i);
    if (r->first > position) {
        *end = MIN(*end, r->first);
        return FSN_PLAN_KEEP;
    }
    *end = MIN(*end, r->first + r->count);
    *out_found = true;
    return r->action;
}

static void
append(GArray *ranges, uint64_t first, uint64_t end, FsnPlanAction action)
{
    if (ranges->len > 0) {
        FsnPlanRange *last = &g_array_index(ranges, FsnPlanRange, ranges->len - 1);

        if (last->action == action && last->first + last->count == first) {
            last->count += end - first;
            return;
        }
    }
    add(ranges, first, end, action);
}

void
fsn_extent_overlay(GArray *ranges, uint64_t from, uint64_t to, const GArray *overrides)
{
    g_autoptr(GArray) planned = NULL;
    guint i = 0;
    guint j = 0;

    if (overrides->len == 0) {
        return;
    }
    planned = g_array_copy(ranges);
    g_array_set_size(ranges, 0);
    while (from < to) {
        uint64_t end = to;
        bool is_planned;
        bool is_overridden;
        FsnPlanAction action = look(planned, &i, from, &end, &is_planned);
        FsnPlanAction instead = look(overrides, &j, from, &end, &is_overridden);

        action = is_overridden ? instead : action;
        if (action != FSN_PLAN_KEEP) {
            append(ranges, from, end, action);
        }
        from = end;
    }
}
