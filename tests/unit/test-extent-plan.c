/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/disk/extent-plan.c: examples, and random maps against a plan made byte by byte. */
#include "config.h"

#include "disk/extent-plan.h"

#include "repofmt/granule.h"

#include <string.h>

#define G FSN_GRANULE_SIZE

/* base:allocation: data 0, hole that may hold anything 1, zero 2, hole 3. */

typedef struct {
    const char *what;
    uint64_t size;
    uint32_t allocation[12]; /* pairs, ended by length 0 */
    uint32_t bitmap[12];
    const char *ranges; /* "R0+2 H2+1": action, first granule, count */
} Example;

static const Example examples[] = {
    { "data", 2 * G, { 2 * G, 0 }, { 2 * G, 1 }, "R0+2" },
    { "hole and zero", 4 * G, { G, 3, G, 2, 2 * G, 0 }, { 4 * G, 1 }, "H0+1 Z1+1 R2+2" },
    { "a hole of unknown contents", G, { G, 1 }, { G, 1 }, "R0+1" },
    { "clean", 4 * G, { 4 * G, 0 }, { G, 0, G, 1, 2 * G, 0 }, "R1+1" },
    { "dirty hole", 4 * G, { 4 * G, 3 }, { G, 0, 2 * G, 1, G, 0 }, "H1+2" },
    { "aligned outwards",
      3 * G,
      { 3 * G, 0 },
      { G + 10, 0, 20, 1, 2 * G - 30, 0 },
      "R1+1" },
    { "partly clean", 2 * G, { 2 * G, 3 }, { 100, 1, 2 * G - 100, 0 }, "R0+1" },
    { "two kinds of zero", G, { 100, 3, G - 100, 2 }, { G, 1 }, "Z0+1" },
    { "partly data", 2 * G, { 100, 3, 1, 0, 2 * G - 101, 3 }, { 2 * G, 1 }, "R0+1 H1+1" },
    { "end inside a granule", G + 7, { G, 0, 7, 3 }, { G + 7, 1 }, "R0+1 H1+1" },
    { "extents behind each other", 3 * G, { G, 0, G, 0, G, 0 }, { 3 * G, 1 }, "R0+3" },
    { "granule of three extents",
      2 * G,
      { G + 1, 3, 1, 3, G - 2, 3 },
      { 2 * G, 1 },
      "H0+2" },
};

static char *
describe(const FsnExtentPlan *plan)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < plan->ranges->len; i++) {
        FsnPlanRange *r = &g_array_index(plan->ranges, FsnPlanRange, i);

        g_string_append_printf(text, "%s%c%" G_GUINT64_FORMAT "+%" G_GUINT64_FORMAT,
                               i ? " " : "", "KHZR"[r->action], r -> first, r -> count);
    }
    return g_string_free(text, FALSE);
}

static FsnPlanMap
map_of(const uint32_t *pairs)
{
    FsnPlanMap map = { .pairs = pairs };

    while (map.n_pairs < 6 && pairs[2 * map.n_pairs] > 0) {
        map.n_pairs++;
    }
    return map;
}

/* @map from byte @skip on, in @pairs. */
static FsnPlanMap
rest_of(const FsnPlanMap *map, uint64_t skip, GArray *pairs)
{
    for (size_t i = 0; i < map->n_pairs; i++) {
        uint64_t length = map->pairs[2 * i];
        uint64_t gone = MIN(length, skip);
        uint32_t left[] = { (uint32_t)(length - gone), map->pairs[2 * i + 1] };

        skip -= gone;
        if (left[0] > 0) {
            g_array_append_vals(pairs, left, 2);
        }
    }
    return (FsnPlanMap){ .pairs = (const uint32_t *)(gpointer)pairs->data,
                         .n_pairs = pairs->len / 2 };
}

/* Where all is looked at the bitmap does not count, and allocation does. */
static void
test_whole(void)
{
    static const uint32_t allocation[] = { 4 * G, 0, 2 * G, 3, 4 * G, 0, 0 };
    static const uint32_t bitmap[] = { G, 1, 8 * G, 0, G, 1, 0 };
    static const FsnPlanRange where[] = { { 2, 1, FSN_PLAN_READ },
                                          { 3, 4, FSN_PLAN_READ } };
    FsnPlanMap a = map_of(allocation);
    FsnPlanMap b = map_of(bitmap);
    g_autoptr(GArray) whole = g_array_new(FALSE, FALSE, sizeof(FsnPlanRange));

    g_array_append_vals(whole, where, G_N_ELEMENTS(where));
    for (uint64_t limit = 1; limit <= 10 * G; limit += 3 * G + 1) {
        g_auto(FsnExtentPlan) plan = { 0 };
        g_autofree char *text = NULL;

        fsn_extent_plan_init(&plan, 10 * G);
        plan.whole = whole;
        while (!fsn_extent_plan_is_whole(&plan)) {
            /* One byte at a time is slow, and the maps begin where they are asked for. */
            uint64_t n = MAX(limit, G / 4);
            uint64_t skip = plan.position;
            g_autoptr(GArray) rest_a = g_array_new(FALSE, FALSE, sizeof(uint32_t));
            g_autoptr(GArray) rest_b = g_array_new(FALSE, FALSE, sizeof(uint32_t));
            FsnPlanMap ra = rest_of(&a, skip, rest_a);
            FsnPlanMap rb = rest_of(&b, skip, rest_b);

            g_assert_cmpuint(fsn_extent_plan_add(&plan, &ra, &rb, n), >, 0);
        }
        text = describe(&plan);
        g_assert_cmpstr(text, ==, "R0+1 R2+2 H4+2 R6+1 R9+1");
        g_assert_cmpuint(plan.dirty, ==, 2 * G);
    }
}

/* What is known to be unchanged, in whole granules. */
static void
test_inverse(void)
{
    static const uint32_t allocation[] = { 5 * G, 0, G, 3, 0 };
    static const uint32_t bitmap[] = {
        G, 0, G + 10, 1, G - 20, 0, G + 10, 1, 2 * G, 0, 0
    };
    FsnPlanMap a = { .pairs = allocation, .n_pairs = 2 };
    FsnPlanMap b = { .pairs = bitmap, .n_pairs = 5 };
    g_auto(FsnExtentPlan) plan = { 0 };
    g_autofree char *text = NULL;

    fsn_extent_plan_init(&plan, 6 * G);
    plan.inverse = true;
    g_assert_cmpuint(fsn_extent_plan_add(&plan, &a, &b, 6 * G), ==, 6 * G);
    text = describe(&plan);
    g_assert_cmpstr(text, ==, "R0+1 R4+1 H5+1");
    g_assert_cmpuint(plan.dirty, ==, 2 * G + 20);
}

static void
test_examples(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(examples); i++) {
        const Example *e = &examples[i];
        FsnPlanMap allocation = map_of(e->allocation), bitmap = map_of(e->bitmap);
        g_auto(FsnExtentPlan) plan = { 0 };
        g_autofree char *text = NULL;

        fsn_extent_plan_init(&plan, e->size);
        g_assert_cmpuint(fsn_extent_plan_add(&plan, &allocation, &bitmap, G_MAXUINT64),
                         ==, e->size);
        g_assert_true(fsn_extent_plan_is_whole(&plan));
        text = describe(&plan);
        g_test_message("%s", e->what);
        g_assert_cmpstr(text, ==, e->ranges);
    }
}

static void
test_unknown(void)
{
    uint32_t pair[] = { G, 1 };
    FsnPlanMap bitmap = { pair, 1 }, nothing = { pair, 0 };
    g_auto(FsnExtentPlan) plan = { 0 };
    g_autofree char *text = NULL;

    fsn_extent_plan_init(&plan, 10 * G);
    g_assert_cmpuint(fsn_extent_plan_add(&plan, NULL, NULL, 3 * G), ==, 3 * G);
    g_assert_cmpuint(fsn_extent_plan_add(&plan, NULL, &bitmap, G_MAXUINT64), ==, G);
    g_assert_cmpuint(fsn_extent_plan_add(&plan, &nothing, NULL, G_MAXUINT64), ==, 0);
    g_assert_cmpuint(plan.dirty, ==, G);
    g_assert_cmpuint(plan.read, ==, 4);
    g_assert_false(fsn_extent_plan_is_whole(&plan));
    g_assert_cmpuint(fsn_extent_plan_add(&plan, NULL, NULL, G_MAXUINT64), ==, 6 * G);
    g_assert_true(fsn_extent_plan_is_whole(&plan));
    text = describe(&plan);
    g_assert_cmpstr(text, ==, "R0+10");
}

#define RANDOM_SIZE (40 * G + 1234)

/* Extents of any length; most are some granules, some are a few bytes. */
static size_t
random_map(uint32_t *pairs, uint8_t *bytes, uint32_t flags)
{
    size_t n = 0;

    for (uint32_t at = 0; at < RANDOM_SIZE;) {
        uint32_t len = g_test_rand_bit() ? (uint32_t)g_test_rand_int_range(1, 4) * G
                                         : (uint32_t)g_test_rand_int_range(1, 6000);
        uint32_t flag = (uint32_t)g_test_rand_int_range(0, 1 << 20) & flags;

        len = MIN(len, RANDOM_SIZE - at);
        pairs[2 * n] = len;
        pairs[2 * n + 1] = flag;
        memset(bytes + at, (int)flag, len);
        at += len;
        n++;
    }
    return n;
}

/* What is to be done with granule @i, by looking at each byte. */
static FsnPlanAction
wanted(const uint8_t *allocation, const uint8_t *bitmap, uint64_t i)
{
    uint64_t end = MIN((i + 1) * G, RANDOM_SIZE), clean = 0, zero = 0, hole = 0;
    uint64_t n = end - i * G;

    for (uint64_t at = i * G; at < end; at++) {
        clean += bitmap[at] == 0;
        zero += (allocation[at] & 2) != 0;
        hole += allocation[at] == 3;
    }
    if (clean == n) {
        return FSN_PLAN_KEEP;
    }
    if (clean > 0 || zero < n) {
        return FSN_PLAN_READ;
    }
    return hole == n ? FSN_PLAN_HOLE : FSN_PLAN_ZERO;
}

/* The maps are given piece by piece, of different lengths, as a server may. */
static void
test_random(void)
{
    static uint32_t pairs[2][2 * RANDOM_SIZE];
    static uint8_t bytes[2][RANDOM_SIZE];

    for (int round = 0; round < 200; round++) {
        size_t n[2], at[2] = { 0, 0 };
        g_auto(FsnExtentPlan) plan = { 0 };
        uint64_t granule = 0;

        n[0] = random_map(pairs[0], bytes[0], 3);
        n[1] = random_map(pairs[1], bytes[1], 1);
        fsn_extent_plan_init(&plan, RANDOM_SIZE);
        while (!fsn_extent_plan_is_whole(&plan)) {
            FsnPlanMap maps[2];
            uint64_t added;

            for (int k = 0; k < 2; k++) {
                maps[k].pairs = pairs[k] + 2 * at[k];
                maps[k].n_pairs = MIN(n[k] - at[k], (size_t)g_test_rand_int_range(1, 9));
            }
            added = fsn_extent_plan_add(&plan, &maps[0], &maps[1],
                                        (uint64_t)g_test_rand_int_range(1, 50000));
            g_assert_cmpuint(added, >, 0);
            for (int k = 0; k < 2; k++) {
                uint64_t left = added;

                while (left > 0 && left >= pairs[k][2 * at[k]]) {
                    left -= pairs[k][2 * at[k]];
                    at[k]++;
                }
                if (left > 0) {
                    pairs[k][2 * at[k]] -= (uint32_t)left;
                }
            }
        }
        for (guint i = 0; i < plan.ranges->len; i++) {
            FsnPlanRange *r = &g_array_index(plan.ranges, FsnPlanRange, i);

            for (; granule < r->first; granule++) {
                g_assert_cmpint(wanted(bytes[0], bytes[1], granule), ==, FSN_PLAN_KEEP);
            }
            for (; granule < r->first + r->count; granule++) {
                g_assert_cmpint(wanted(bytes[0], bytes[1], granule), ==, r->action);
            }
        }
        for (; granule * G < RANDOM_SIZE; granule++) {
            g_assert_cmpint(wanted(bytes[0], bytes[1], granule), ==, FSN_PLAN_KEEP);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk/extent-plan/examples", test_examples);
    g_test_add_func("/disk/extent-plan/inverse", test_inverse);
    g_test_add_func("/disk/extent-plan/whole", test_whole);
    g_test_add_func("/disk/extent-plan/unknown", test_unknown);
    g_test_add_func("/disk/extent-plan/random", test_random);
    return g_test_run();
}
