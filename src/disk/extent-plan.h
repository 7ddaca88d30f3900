/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What is to be done with a range of granules. */
typedef enum {
    FSN_PLAN_KEEP = 0, /* nothing: it is as in the previous image */
    FSN_PLAN_HOLE,     /* unallocated, reads as zero */
    FSN_PLAN_ZERO,     /* allocated, or not known, and all zero */
    FSN_PLAN_READ,
} FsnPlanAction;

typedef struct {
    uint64_t first; /* granule */
    uint64_t count;
    FsnPlanAction action;
} FsnPlanRange;

/* Pairs of length and flags as NBD gives them, behind each other from one offset on. */
typedef struct {
    const uint32_t *pairs;
    size_t n_pairs;
} FsnPlanMap;

/* Turns what a server says about the bytes of a disk into ranges of granules, in the order of
 * the disk. Public so that it can be embedded; only the functions write it. */
typedef struct {
    uint64_t size;     /* bytes of the disk */
    uint64_t position; /* bytes that were added */
    GArray *ranges;    /* FsnPlanRange; KEEP is left out; the caller may take them out */
    uint64_t read;     /* granules of all READ ranges so far */
    uint64_t dirty;    /* bytes that the bitmap called dirty so far */
    bool inverse; /* what the bitmap calls clean is looked at, what is dirty is kept */
    bool open;    /* a granule is begun: the next two count */
    FsnPlanAction pending;
    const GArray
        *whole; /* of FsnPlanRange, ascending: all of them is looked at, whatever the
                          * bitmap says; or null. The caller's */
    guint next_whole; /* the first that is not behind @position */
} FsnExtentPlan;

void fsn_extent_plan_init(FsnExtentPlan *plan, uint64_t size);
void fsn_extent_plan_clear(FsnExtentPlan *plan);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnExtentPlan, fsn_extent_plan_clear)

/* Adds what is known from @position on, as far as both maps reach but at most @limit bytes.
 * A null @allocation: nothing is known, all is read; a null @bitmap: all is looked at. Returns
 * the bytes added; 0 if a map says nothing. */
uint64_t fsn_extent_plan_add(FsnExtentPlan *plan,
                             const FsnPlanMap *allocation,
                             const FsnPlanMap *bitmap,
                             uint64_t limit);

/* Whether the whole disk was added; all ranges are there then. */
static inline bool
fsn_extent_plan_is_whole(const FsnExtentPlan *plan)
{
    return plan->position == plan->size;
}

G_END_DECLS
