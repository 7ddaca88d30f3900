/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk/extent-overlay.c: plans with parts left out and parts read in any case, beside the same
 * made granule by granule. */
#include "config.h"

#include "disk/extent-overlay.h"
#include "repofmt/granule.h"

#define N 64

static void
fill(const GArray *ranges, FsnPlanAction out[N])
{
    uint64_t end = 0;

    for (guint i = 0; i < ranges->len; i++) {
        const FsnPlanRange *r = &g_array_index(ranges, FsnPlanRange, i);

        g_assert_cmpuint(r->count, >, 0);
        g_assert_cmpuint(r->first, >=, end); /* ascend */
        end = r->first + r->count;
        g_assert_cmpuint(end, <=, N);
        for (uint64_t g = r->first; g < end; g++) {
            out[g] = r->action;
        }
    }
}

static GArray *
random_ranges(bool keep)
{
    GArray *ranges = g_array_new(FALSE, FALSE, sizeof(FsnPlanRange));
    uint64_t first = 0;

    while (g_test_rand_int_range(0, 6) > 0) {
        FsnPlanRange r = { .action =
                               (FsnPlanAction)g_test_rand_int_range(keep ? 0 : 1, 4) };

        r.first = first + (uint64_t)g_test_rand_int_range(0, 10);
        r.count = (uint64_t)g_test_rand_int_range(1, 20);
        if (r.first + r.count > N) {
            break;
        }
        g_array_append_val(ranges, r);
        first = r.first + r.count;
    }
    return ranges;
}

static void
test_overlay(void)
{
    for (unsigned i = 0; i < 20000; i++) {
        g_autoptr(GArray) ranges = random_ranges(false);
        g_autoptr(GArray) overrides = random_ranges(true);
        uint64_t from = (uint64_t)g_test_rand_int_range(0, N / 2);
        uint64_t to = (uint64_t)g_test_rand_int_range((int)from, N + 1);
        FsnPlanAction want[N] = { 0 };
        FsnPlanAction got[N] = { 0 };

        fill(ranges, want);
        fill(overrides, want);
        for (uint64_t g = 0; overrides->len > 0 && g < N; g++) {
            want[g] = g < from || g >= to ? FSN_PLAN_KEEP : want[g];
        }
        fsn_extent_overlay(ranges, from, to, overrides);
        fill(ranges, got);
        for (unsigned g = 0; g < N; g++) {
            g_assert_cmpint(got[g], ==, want[g]);
        }
    }
}

static void
expect(GArray *ranges, guint i, uint64_t first, uint64_t count)
{
    const FsnPlanRange *r = &g_array_index(ranges, FsnPlanRange, i);

    g_assert_cmpuint(i, <, ranges->len);
    g_assert_cmpuint(r->first, ==, first);
    g_assert_cmpuint(r->count, ==, count);
}

static void
test_granules(void)
{
    g_autoptr(GArray) r = g_array_new(FALSE, FALSE, sizeof(FsnPlanRange));

    fsn_extent_add_inside(r, 1, 3 * FSN_GRANULE_SIZE, FSN_PLAN_HOLE);
    expect(r, 0, 1, 2);
    fsn_extent_add_inside(r, 1, FSN_GRANULE_SIZE, FSN_PLAN_HOLE);
    fsn_extent_add_inside(r, 0, FSN_GRANULE_SIZE - 1, FSN_PLAN_HOLE);
    g_assert_cmpuint(r->len, ==, 1);
    fsn_extent_add_around(r, 10 * FSN_GRANULE_SIZE - 1, 2, FSN_PLAN_READ);
    expect(r, 1, 9, 2);
    fsn_extent_add_around(r, 5, 0, FSN_PLAN_READ);
    g_assert_cmpuint(r->len, ==, 2);
    fsn_extent_add_inside(r, UINT64_MAX - 5, UINT64_MAX, FSN_PLAN_HOLE);
    g_assert_cmpuint(r->len, ==, 2);
}

static void
test_order(void)
{
    static const FsnPlanRange given[] = {
        { 10, 5, FSN_PLAN_READ }, { 2, 4, FSN_PLAN_READ },  { 4, 4, FSN_PLAN_READ },
        { 5, 1, FSN_PLAN_READ },  { 10, 2, FSN_PLAN_READ },
    };
    g_autoptr(GArray) r = g_array_new(FALSE, FALSE, sizeof(FsnPlanRange));

    g_array_append_vals(r, given, G_N_ELEMENTS(given));
    fsn_extent_order(r);
    g_assert_cmpuint(r->len, ==, 3);
    expect(r, 0, 2, 4);
    expect(r, 1, 6, 2);
    expect(r, 2, 10, 5);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/extent-overlay/overlay", test_overlay);
    g_test_add_func("/extent-overlay/granules", test_granules);
    g_test_add_func("/extent-overlay/order", test_order);
    return g_test_run();
}
