/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decides what a prefetch copies and evicts. A function of its arguments only, so that
 * --dry-run prints what a run does.
 */
#include "config.h"

#include "tier/plan.h"

#include "tier/copy.h"
#include "tier/folder.h"

#include <string.h>

const char *
fsn_tier_reason_word(FsnTierReason reason)
{
    switch (reason) {
    case FSN_TIER_INDEX:
        return "index";
    case FSN_TIER_STATE:
        return "device state";
    case FSN_TIER_SEQUENCE:
        return "working set";
    case FSN_TIER_LIKELY:
        return "likely pages";
    case FSN_TIER_REST:
        return "other pages";
    }
    g_assert_not_reached();
}

FsnTierPart *
fsn_tier_part_new(const char *key, uint64_t length, FsnTierReason reason, double weight)
{
    FsnTierPart *part = g_new(FsnTierPart, 1);

    *part = (FsnTierPart){
        .key = g_strdup(key), .length = length, .reason = reason, .weight = weight
    };
    return part;
}

void
fsn_tier_part_free(FsnTierPart *part)
{
    if (part) {
        g_free(part->key);
        g_free(part);
    }
}

/* g_ptr_array_sort() is stable: equal parts stay in their order. */
static int
compare_parts(gconstpointer a, gconstpointer b)
{
    const FsnTierPart *x = *(const FsnTierPart *const *)a;
    const FsnTierPart *y = *(const FsnTierPart *const *)b;

    if (x->reason != y->reason) {
        return x->reason < y->reason ? -1 : 1;
    }
    return (x->weight < y->weight) - (x->weight > y->weight);
}

static GPtrArray *
wanted_in_order(GPtrArray *parts, bool all)
{
    GPtrArray *wanted = g_ptr_array_new();

    for (guint i = 0; i < parts->len; i++) {
        const FsnTierPart *part = g_ptr_array_index(parts, i);

        if (all || part->reason != FSN_TIER_REST) {
            g_ptr_array_add(wanted, g_ptr_array_index(parts, i));
        }
    }
    g_ptr_array_sort(wanted, compare_parts);
    return wanted;
}

/* Sorts what is wanted into present, to be copied and skipped. @kept gets the keys that
 * have room; returns the bytes that they take. */
static uint64_t
place_parts(FsnTierPlan *plan,
            GPtrArray *wanted,
            GHashTable *there,
            GHashTable *kept,
            uint64_t limit)
{
    uint64_t taken = 0;

    for (guint i = 0; i < wanted->len; i++) {
        FsnTierPart *part = g_ptr_array_index(wanted, i);
        const FsnTierEntry *entry = g_hash_table_lookup(there, part->key);
        uint64_t bytes = fsn_tier_copy_size(part->length);

        plan->bytes_total += part->length;
        plan->objects++;
        if (part->length > FSN_TIER_MAX_OBJECT || bytes > limit - taken) {
            plan->bytes_skipped += part->length;
            plan->skipped++;
            continue;
        }
        taken += bytes;
        g_hash_table_add(kept, part->key);
        if (entry && entry->bytes == bytes) {
            plan->bytes_present += part->length;
        } else {
            plan->bytes_copy += part->length;
            g_ptr_array_add(plan->copy, part);
        }
    }
    return taken;
}

static int
compare_entries(gconstpointer a, gconstpointer b)
{
    const FsnTierEntry *x = *(const FsnTierEntry *const *)a;
    const FsnTierEntry *y = *(const FsnTierEntry *const *)b;

    if (x->used_us != y->used_us) {
        return x->used_us < y->used_us ? -1 : 1;
    }
    return strcmp(x->key, y->key);
}

/* Evicts until what is left fits beside the @taken bytes. */
static void
evict_entries(FsnTierPlan *plan,
              GPtrArray *entries,
              GHashTable *kept,
              uint64_t taken,
              uint64_t limit)
{
    g_autoptr(GPtrArray) others = g_ptr_array_new();
    uint64_t bytes = 0;

    for (guint i = 0; i < entries->len; i++) {
        const FsnTierEntry *entry = g_ptr_array_index(entries, i);

        if (!g_hash_table_contains(kept, entry->key)) {
            g_ptr_array_add(others, g_ptr_array_index(entries, i));
            bytes += entry->bytes;
        }
    }
    g_ptr_array_sort(others, compare_entries);
    for (guint i = 0; i < others->len && bytes > limit - taken; i++) {
        const FsnTierEntry *entry = g_ptr_array_index(others, i);

        g_ptr_array_add(plan->evict, g_strdup(entry->key));
        plan->bytes_evict += entry->bytes;
        bytes -= entry->bytes;
    }
}

FsnTierPlan *
fsn_tier_plan_new(GPtrArray *parts, GPtrArray *entries, uint64_t limit, bool all)
{
    FsnTierPlan *plan = g_new0(FsnTierPlan, 1);
    g_autoptr(GPtrArray) wanted = wanted_in_order(parts, all);
    g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) kept = g_hash_table_new(g_str_hash, g_str_equal);
    uint64_t taken;

    plan->copy = g_ptr_array_new();
    plan->evict = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < entries->len; i++) {
        FsnTierEntry *entry = g_ptr_array_index(entries, i);

        g_hash_table_insert(there, entry->key, entry);
    }
    taken = place_parts(plan, wanted, there, kept, limit);
    evict_entries(plan, entries, kept, taken, limit);
    return plan;
}

void
fsn_tier_plan_free(FsnTierPlan *plan)
{
    if (plan) {
        g_ptr_array_unref(plan->copy);
        g_ptr_array_unref(plan->evict);
        g_free(plan);
    }
}

int64_t
fsn_tier_estimate_us(uint64_t bytes,
                     uint64_t objects,
                     uint64_t bytes_per_s,
                     int64_t latency_us,
                     uint64_t max_rate)
{
    uint64_t rate = bytes_per_s;

    if (max_rate && (rate == 0 || max_rate < rate)) {
        rate = max_rate;
    }
    if (rate == 0) {
        return bytes == 0 ? 0 : -1;
    }
    return (int64_t)((double)bytes / (double)rate * G_USEC_PER_SEC) +
           (int64_t)objects * latency_us;
}
