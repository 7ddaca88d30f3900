/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is usual and how it sums up: the same whether it was made for the values that are looked
 * at, for more of them, or piece by piece; and sorting, which all quantiles stand on. */
#include "models/numbers.h"
#include "models/past.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAY 24

static FsnSeries *
noise(size_t n, guint32 seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    FsnSeries *series = fsn_series_new(0, 3600 * (int64_t)G_USEC_PER_SEC, n);

    for (size_t i = 0; i < n; i++) {
        /* Few different ones, so that there are equal ones. */
        series->values[i] = (double)g_rand_int_range(rand, -9, 10) / 2;
    }
    return series;
}

static double
median_by_hand(const double *y, size_t i, size_t lag, size_t count)
{
    double values[7];
    size_t n = 0;

    for (size_t k = 1; k <= count && k * lag <= i; k++) {
        values[n++] = y[i - k * lag];
    }
    return fsn_median(values, n);
}

static void
test_usual(void)
{
    g_autoptr(FsnSeries) series = noise(40 * DAY, 1);
    FsnModelData data = fsn_model_data(series, series->values, series->n);
    g_autoptr(FsnPast) past = fsn_past_new(&data);
    const double *y = data.y;

    for (size_t i = DAY; i < data.n + DAY; i++) {
        double high = -INFINITY;

        g_assert_cmpfloat(past->usual[i], ==, median_by_hand(y, i, DAY, 7));
        if (i >= data.week) {
            g_assert_cmpfloat(past->weekly[i], ==, median_by_hand(y, i, data.week, 4));
        }
        for (size_t k = 1; k <= 7 && k * DAY <= i; k++) {
            high = MAX(high, y[i - k * DAY]);
        }
        g_assert_cmpfloat(past->high[i], ==, high);
        g_assert_cmpfloat(past->low[i], <=, past->usual[i]);
    }
    g_assert_cmpfloat(past->least[data.n], ==, -4.5);
    g_assert_cmpfloat(past->most[0], ==, -INFINITY);
}

static void
assert_same(const FsnPast *a, const FsnPast *b, size_t n)
{
    const size_t far = (n + DAY) * sizeof(double);
    const size_t near = (n + 1) * sizeof(double);

    g_assert_cmpmem(a->usual, far, b->usual, far);
    g_assert_cmpmem(a->slow, far, b->slow, far);
    g_assert_cmpmem(a->weekly, far, b->weekly, far);
    g_assert_cmpmem(a->high, far, b->high, far);
    g_assert_cmpmem(a->low, far, b->low, far);
    g_assert_cmpmem(a->sum_usual, far, b->sum_usual, far);
    g_assert_cmpmem(a->sum, near, b->sum, near);
    g_assert_cmpmem(a->sum_off, near, b->sum_off, near);
    g_assert_cmpmem(a->sum_size, near, b->sum_size, near);
    g_assert_cmpmem(a->least, near, b->least, near);
    g_assert_cmpmem(a->most, near, b->most, near);
}

/* What a backtest relies on: nothing of what comes after the first values shows in theirs. */
static void
test_views(void)
{
    g_autoptr(FsnSeries) series = noise(30 * DAY, 2);
    FsnModelData all = fsn_model_data(series, series->values, series->n);
    g_autoptr(FsnPast) whole = fsn_past_new(&all);

    for (size_t n = 14 * DAY; n <= all.n; n += 5) {
        FsnModelData head = fsn_model_data_head(&all, n);
        g_autoptr(FsnPast) own = fsn_past_new(&head);

        assert_same(whole, own, n);
    }
}

static void
test_extend(void)
{
    g_autoptr(FsnSeries) series = noise(30 * DAY, 3);
    FsnModelData all = fsn_model_data(series, series->values, series->n);
    FsnModelData head = fsn_model_data_head(&all, 20 * DAY + 7);
    g_autoptr(FsnPast) whole = fsn_past_new(&all);
    g_autoptr(FsnPast) copy = fsn_past_copy(whole, head.n, all.n);

    assert_same(whole, copy, head.n);
    for (size_t n = head.n; n <= all.n; n += 11) {
        FsnModelData longer = fsn_model_data_head(&all, n);

        fsn_past_extend(copy, &longer);
        assert_same(whole, copy, n);
    }
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
test_sort(void)
{
    static const double levels[] = { 0, .025, .5, .77, 1 };

    for (size_t n = 1; n < 300; n += n < 40 ? 1 : 13) {
        g_autoptr(FsnSeries) series = noise(n, (guint32)n);
        g_autofree double *sorted = g_memdup2(series->values, n * sizeof(double));
        g_autofree double *values = g_memdup2(series->values, n * sizeof(double));
        g_autofree double *weights = g_new(double, n);

        qsort(sorted, n, sizeof(double), compare);
        for (size_t l = 0; l < G_N_ELEMENTS(levels); l++) {
            double p = levels[l];
            size_t at = (size_t)MAX(ceil(p * (double)n) - 1, 0);

            for (size_t i = 0; i < n; i++) {
                weights[i] = 1;
            }
            memcpy(values, series->values, n * sizeof(double));
            g_assert_cmpfloat(fsn_quantile(values, n, p), ==,
                              fsn_quantile_sorted(sorted, n, p));
            g_assert_cmpmem(values, n * sizeof(double), sorted, n * sizeof(double));
            memcpy(values, series->values, n * sizeof(double));
            g_assert_cmpfloat(fsn_weighted_quantile(values, weights, n, p), ==,
                              sorted[at]);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/past/usual", test_usual);
    g_test_add_func("/past/views", test_views);
    g_test_add_func("/past/extend", test_extend);
    g_test_add_func("/past/sort", test_sort);
    return g_test_run();
}
