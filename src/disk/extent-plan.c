/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From extents to granules. An extent may begin and end at any byte; a granule is left
 * unread only if all of it is known: all kept, or all zero. In doubt it is read, so a
 * coarse or torn map costs time and never contents. Pure.
 */
#include "config.h"

#include "disk/extent-plan.h"

#include "repofmt/granule.h"

/* NBD's flags of base:allocation and of qemu:dirty-bitmap. */
#define ALLOCATION_HOLE 1u
#define ALLOCATION_ZERO 2u
#define BITMAP_DIRTY    1u

void
fsn_extent_plan_init(FsnExtentPlan *plan, uint64_t size)
{
    *plan = (FsnExtentPlan){
        .size = size,
        .ranges = g_array_new(FALSE, FALSE, sizeof(FsnPlanRange)),
    };
}

void
fsn_extent_plan_clear(FsnExtentPlan *plan)
{
    g_clear_pointer(&plan->ranges, g_array_unref);
}

/* What a granule needs whose parts need @a and @b. */
static FsnPlanAction
join(const FsnExtentPlan *plan, FsnPlanAction a, FsnPlanAction b)
{
    if (a == b) {
        return a;
    }
    if (plan->inverse && MIN(a, b) == FSN_PLAN_KEEP) {
        return FSN_PLAN_KEEP; /* what is partly dirty is not known to be unchanged */
    }
    /* Zeroes of both kinds are zero; what is partly kept has to be read. */
    return MIN(a, b) == FSN_PLAN_HOLE && MAX(a, b) == FSN_PLAN_ZERO ? FSN_PLAN_ZERO
                                                                    : FSN_PLAN_READ;
}

static void
append(FsnExtentPlan *plan, uint64_t first, uint64_t count, FsnPlanAction action)
{
    FsnPlanRange range = { .first = first, .count = count, .action = action };
    FsnPlanRange *last;

    if (count == 0 || action == FSN_PLAN_KEEP) {
        return;
    }
    plan->read += action == FSN_PLAN_READ ? count : 0;
    if (plan->ranges->len > 0) {
        last = &g_array_index(plan->ranges, FsnPlanRange, plan->ranges->len - 1);
        if (last->action == action && last->first + last->count == first) {
            last->count += count;
            return;
        }
    }
    g_array_append_val(plan->ranges, range);
}

/* Ends the granule that was begun, if the bytes up to @position complete it. */
static void
close_granule(FsnExtentPlan *plan)
{
    if (plan->open &&
        (plan->position % FSN_GRANULE_SIZE == 0 || plan->position == plan->size)) {
        append(plan, (plan->position - 1) / FSN_GRANULE_SIZE, 1, plan->pending);
        plan->open = false;
    }
}

static void
add_bytes(FsnExtentPlan *plan, uint64_t length, FsnPlanAction action)
{
    uint64_t inside = plan->position % FSN_GRANULE_SIZE;
    uint64_t part = inside ? MIN(length, FSN_GRANULE_SIZE - inside) : 0;

    if (part > 0) {
        plan->pending = join(plan, plan->pending, action);
        plan->position += part;
        length -= part;
        close_granule(plan);
    }
    append(plan, plan->position / FSN_GRANULE_SIZE, length / FSN_GRANULE_SIZE, action);
    plan->position += length - length % FSN_GRANULE_SIZE;
    if (length % FSN_GRANULE_SIZE > 0) {
        plan->open = true;
        plan->pending = action;
        plan->position += length % FSN_GRANULE_SIZE;
        close_granule(plan);
    }
}

/* A place in a map. */
typedef struct {
    const FsnPlanMap *map; /* null: one extent without end */
    size_t at;
    uint64_t left; /* of the extent at @at */
    uint32_t flags;
} Cursor;

/* Bytes that @c knows to be alike from here on; 0 at the end of the map. */
static uint64_t
known(Cursor *c)
{
    if (!c->map) {
        return G_MAXUINT64;
    }
    while (c->left == 0 && c->at < c->map->n_pairs) {
        c->left = c->map->pairs[2 * c->at];
        c->flags = c->map->pairs[2 * c->at + 1];
        c->at++;
    }
    return c->left;
}

static bool
is_dirty(const Cursor *bitmap)
{
    return bitmap->map && (bitmap->flags & BITMAP_DIRTY);
}

/* Whether the bitmap does not count at the plan's position, and for how many bytes that is so. */
static bool
is_whole(FsnExtentPlan *plan, uint64_t *n)
{
    while (plan->whole && plan->next_whole < plan->whole->len) {
        const FsnPlanRange *r =
            &g_array_index(plan->whole, FsnPlanRange, plan->next_whole);
        uint64_t begin = r->first * FSN_GRANULE_SIZE;
        uint64_t end = begin + r->count * FSN_GRANULE_SIZE;

        if (plan->position < begin) {
            *n = MIN(*n, begin - plan->position);
            return false;
        }
        if (plan->position < end) {
            *n = MIN(*n, end - plan->position);
            return true;
        }
        plan->next_whole++;
    }
    return false;
}

static FsnPlanAction
action_of(const FsnExtentPlan *plan,
          const Cursor *allocation,
          const Cursor *bitmap,
          bool whole)
{
    if (bitmap->map && !whole && is_dirty(bitmap) == plan->inverse) {
        return FSN_PLAN_KEEP;
    }
    /* A hole that is not said to read as zero may hold anything. */
    if (!allocation->map || !(allocation->flags & ALLOCATION_ZERO)) {
        return FSN_PLAN_READ;
    }
    return allocation->flags & ALLOCATION_HOLE ? FSN_PLAN_HOLE : FSN_PLAN_ZERO;
}

uint64_t
fsn_extent_plan_add(FsnExtentPlan *plan,
                    const FsnPlanMap *allocation,
                    const FsnPlanMap *bitmap,
                    uint64_t limit)
{
    Cursor a = { .map = allocation }, b = { .map = bitmap };
    uint64_t start = plan->position;

    limit = MIN(limit, plan->size - plan->position);
    while (limit > 0) {
        uint64_t n = MIN(MIN(known(&a), known(&b)), limit);
        FsnPlanAction action;
        bool whole;

        if (n == 0) {
            break;
        }
        whole = is_whole(plan, &n);
        action = action_of(plan, &a, &b, whole);
        plan->dirty += is_dirty(&b) ? n : 0;
        add_bytes(plan, n, action);
        a.left -= a.map ? n : 0;
        b.left -= b.map ? n : 0;
        limit -= n;
    }
    return plan->position - start;
}
