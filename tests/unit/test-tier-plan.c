/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a prefetch would copy and evict, the estimate of its time, and the bandwidth limit.
 */
#include "config.h"

#include "tier/plan.h"

#include "base/pace.h"
#include "tier/copy.h"
#include "tier/folder.h"

#define MIB ((uint64_t)1 << 20)

static void
entry_free(gpointer data)
{
    g_free(((FsnTierEntry *)data)->key);
    g_free(data);
}

static GPtrArray *
no_entries(void)
{
    return g_ptr_array_new_with_free_func(entry_free);
}

static void
add_entry(GPtrArray *entries, const char *key, uint64_t length, int64_t used_us)
{
    FsnTierEntry *entry = g_new(FsnTierEntry, 1);

    *entry = (FsnTierEntry){ .key = g_strdup(key),
                             .bytes = fsn_tier_copy_size(length),
                             .used_us = used_us };
    g_ptr_array_add(entries, entry);
}

/* In an order that no resume would like. */
static GPtrArray *
some_parts(void)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func((GDestroyNotify)fsn_tier_part_free);

    g_ptr_array_add(parts,
                    fsn_tier_part_new("packs/aa/rest1", 16 * MIB, FSN_TIER_REST, 0));
    g_ptr_array_add(parts,
                    fsn_tier_part_new("packs/aa/some", 16 * MIB, FSN_TIER_LIKELY, 2.5));
    g_ptr_array_add(parts,
                    fsn_tier_part_new("packs/aa/most", 16 * MIB, FSN_TIER_LIKELY, 900));
    g_ptr_array_add(parts,
                    fsn_tier_part_new("sequences/s", 4 * MIB, FSN_TIER_SEQUENCE, 0));
    g_ptr_array_add(parts, fsn_tier_part_new("objects/aa/dev", 1000, FSN_TIER_STATE, 0));
    g_ptr_array_add(parts,
                    fsn_tier_part_new("packs/aa/rest2", 1 * MIB, FSN_TIER_REST, 0));
    g_ptr_array_add(parts, fsn_tier_part_new("roots/aa/r", 5000, FSN_TIER_INDEX, 0));
    return parts;
}

/* Keys to copy, then "-" and those to evict. */
static char *
plan_text(FsnTierPlan *plan)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < plan->copy->len; i++) {
        const FsnTierPart *part = g_ptr_array_index(plan->copy, i);

        g_string_append_printf(text, "%s ", strrchr(part->key, '/') + 1);
    }
    g_string_append(text, "-");
    for (guint i = 0; i < plan->evict->len; i++) {
        const char *key = g_ptr_array_index(plan->evict, i);

        g_string_append_printf(text, " %s", strrchr(key, '/') + 1);
    }
    return g_string_free(text, FALSE);
}

static void
assert_plan(GPtrArray *entries, uint64_t limit, bool all, const char *wanted)
{
    g_autoptr(GPtrArray) parts = some_parts();
    g_autoptr(FsnTierPlan) plan = fsn_tier_plan_new(parts, entries, limit, all);
    g_autofree char *text = plan_text(plan);

    g_assert_cmpstr(text, ==, wanted);
    g_assert_cmpuint(plan->bytes_total, ==,
                     plan->bytes_copy + plan->bytes_present + plan->bytes_skipped);
}

static void
test_order(void)
{
    g_autoptr(GPtrArray) entries = no_entries();

    assert_plan(entries, UINT64_MAX, false, "r dev s most some -");
    assert_plan(entries, UINT64_MAX, true, "r dev s most some rest1 rest2 -");
}

static void
test_nothing_twice(void)
{
    g_autoptr(GPtrArray) entries = no_entries();

    add_entry(entries, "sequences/s", 4 * MIB, 1);
    add_entry(entries, "packs/aa/most", 16 * MIB, 1);
    /* Another length is another object, or part of one. */
    add_entry(entries, "packs/aa/some", 16 * MIB - 1, 1);
    assert_plan(entries, UINT64_MAX, false, "r dev some -");
}

static void
test_cut_at_limit(void)
{
    g_autoptr(GPtrArray) entries = no_entries();

    /* What is left after the first pack is enough for a small one only. */
    assert_plan(entries, 22 * MIB, true, "r dev s most rest2 -");
    assert_plan(entries, 4 * MIB, true, "r dev rest2 -");
    assert_plan(entries, 0, true, "-");
}

static void
test_eviction(void)
{
    g_autoptr(GPtrArray) entries = no_entries();

    add_entry(entries, "packs/bb/newer", 16 * MIB, 300);
    add_entry(entries, "packs/bb/oldest", 8 * MIB, 100);
    add_entry(entries, "packs/bb/older", 8 * MIB, 200);
    add_entry(entries, "packs/aa/most", 16 * MIB, 1);
    /* There is room for all. */
    assert_plan(entries, 90 * MIB, false, "r dev s some -");
    /* The longest unused go, but never what is wanted, however old. */
    assert_plan(entries, 62 * MIB, false, "r dev s some - oldest");
    assert_plan(entries, 57 * MIB, false, "r dev s some - oldest older");
    assert_plan(entries, 40 * MIB, false, "r dev s some - oldest older newer");
}

/* What lies in the tier never ends up above the limit. */
static void
test_limit_holds(void)
{
    for (uint64_t limit = 0; limit < 80 * MIB; limit += MIB) {
        g_autoptr(GPtrArray) parts = some_parts();
        g_autoptr(GPtrArray) entries = no_entries();
        g_autoptr(FsnTierPlan) plan = NULL;
        uint64_t bytes = 0;

        add_entry(entries, "packs/bb/x", 10 * MIB, 5);
        add_entry(entries, "packs/aa/some", 16 * MIB, 7);
        add_entry(entries, "packs/aa/rest1", 16 * MIB, 6);
        for (guint i = 0; i < entries->len; i++) {
            bytes += ((FsnTierEntry *)g_ptr_array_index(entries, i))->bytes;
        }
        plan = fsn_tier_plan_new(parts, entries, limit, false);
        g_assert_cmpuint(plan->bytes_evict, <=, bytes);
        bytes -= plan->bytes_evict;
        for (guint i = 0; i < plan->copy->len; i++) {
            const FsnTierPart *part = g_ptr_array_index(plan->copy, i);

            bytes += fsn_tier_copy_size(part->length);
        }
        g_assert_cmpuint(bytes, <=, limit);
    }
}

static void
test_estimate(void)
{
    g_assert_cmpint(fsn_tier_estimate_us(100 * MIB, 10, 50 * MIB, 1000, 0), ==,
                    2 * G_USEC_PER_SEC + 10000);
    g_assert_cmpint(fsn_tier_estimate_us(100 * MIB, 0, 50 * MIB, 0, 10 * MIB), ==,
                    10 * G_USEC_PER_SEC);
    g_assert_cmpint(fsn_tier_estimate_us(100 * MIB, 0, 0, 0, 10 * MIB), ==,
                    10 * G_USEC_PER_SEC);
    g_assert_cmpint(fsn_tier_estimate_us(1, 0, 0, 0, 0), ==, -1);
    g_assert_cmpint(fsn_tier_estimate_us(0, 0, 0, 0, 0), ==, 0);
}

static void
test_pace(void)
{
    FsnPace pace = { .bytes_per_s = 1000000 };
    FsnPace none = { 0 };
    int64_t now = 50 * G_USEC_PER_SEC;
    uint64_t taken = 0;

    /* Whoever waits as told gets the rate, and not more than a burst above it. */
    for (int64_t end = now + 10 * G_USEC_PER_SEC; now < end; taken += 4000) {
        now += fsn_pace_take(&pace, now, 4000);
    }
    g_assert_cmpuint(taken, >=, 9990000);
    g_assert_cmpuint(taken, <=, 10030000);
    /* A pause is not made up for. */
    now += 60 * G_USEC_PER_SEC;
    g_assert_cmpint(fsn_pace_take(&pace, now, 1000000), ==,
                    G_USEC_PER_SEC - FSN_PACE_BURST_US);
    g_assert_cmpint(fsn_pace_take(&none, now, 1000000000), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tier/plan/order", test_order);
    g_test_add_func("/tier/plan/nothing-twice", test_nothing_twice);
    g_test_add_func("/tier/plan/cut", test_cut_at_limit);
    g_test_add_func("/tier/plan/eviction", test_eviction);
    g_test_add_func("/tier/plan/limit-holds", test_limit_holds);
    g_test_add_func("/tier/plan/estimate", test_estimate);
    g_test_add_func("/tier/plan/pace", test_pace);
    return g_test_run();
}
