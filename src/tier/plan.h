/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What to copy to a tier, in which order, and what to evict for it. Pure. */

/* Why an object is wanted; also the order in which a resume needs them. */
typedef enum {
    FSN_TIER_INDEX,    /* where everything is: roots and index segments */
    FSN_TIER_STATE,    /* state of the devices, description, XML */
    FSN_TIER_SEQUENCE, /* the working set in predicted order */
    FSN_TIER_LIKELY,   /* packs with pages that may be touched, likeliest first */
    FSN_TIER_REST,     /* all other packs */
} FsnTierReason;

/* "index", "device state", "working set", "likely pages", "other pages". */
const char *fsn_tier_reason_word(FsnTierReason reason);

/* An object of the snapshot. */
typedef struct {
    char *key;
    uint64_t length; /* bytes in the repository */
    FsnTierReason reason;
    double weight; /* of LIKELY: confidence × frequency, summed over its pages */
} FsnTierPart;

FsnTierPart *fsn_tier_part_new(const char *key,
                               uint64_t length,
                               FsnTierReason reason,
                               double weight);
void fsn_tier_part_free(FsnTierPart *part);

typedef struct {
    GPtrArray *copy;        /* FsnTierPart, borrowed from the parts, in order */
    GPtrArray *evict;       /* keys (char*), longest unused first */
    uint64_t bytes_total;   /* lengths of all that is wanted */
    uint64_t bytes_copy;    /* of these, to be copied */
    uint64_t bytes_present; /* there already */
    uint64_t bytes_skipped; /* the tier has no room for them */
    uint64_t bytes_evict;   /* that evicting frees */
    guint objects;          /* wanted */
    guint skipped;
} FsnTierPlan;

/* @parts (FsnTierPart) each once, in any order; equal ones are taken in this order.
 * @entries (FsnTierEntry) are the copies that the tier has now. @limit is what all copies
 * may take in bytes. Without @all, REST is not wanted. What is wanted first gets room first;
 * what is not wanted is evicted only as far as room is needed, longest unused first. */
FsnTierPlan *fsn_tier_plan_new(GPtrArray *parts,
                               GPtrArray *entries,
                               uint64_t limit,
                               bool all);
void fsn_tier_plan_free(FsnTierPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnTierPlan, fsn_tier_plan_free)

/* How long copying takes, as far as throughput (0: not known) and time per object tell;
 * -1 if not known. @max_rate, bytes/s, 0: none. */
int64_t fsn_tier_estimate_us(uint64_t bytes,
                             uint64_t objects,
                             uint64_t bytes_per_s,
                             int64_t latency_us,
                             uint64_t max_rate);

G_END_DECLS
