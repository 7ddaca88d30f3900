/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Features of the direct regression. Each is a difference of two levels, so that a series
 * that moves up or down as a whole moves its forecast by as much.
 */
#include "models/regression-features.h"

#include "models/numbers.h"

#include <math.h>

#define USUAL_DAYS  7
#define USUAL_WEEKS 4
#define SLOW        .15

/* Median of the values at @i minus 1 to @count times @lag; @i may be up to @lag beyond
 * the end. */
static double
median_of_lags(const FsnModelData *data, size_t i, size_t lag, size_t count)
{
    double values[MAX(USUAL_DAYS, USUAL_WEEKS)];
    size_t n = 0;

    for (size_t k = 1; k <= count && k * lag <= i; k++) {
        values[n++] = data->y[i - k * lag];
    }
    return fsn_median(values, n);
}

static void
fill_typical(FsnFeatures *f)
{
    const FsnModelData *data = f->data;
    size_t day = data->day;

    for (size_t i = 0; i < data->n + day; i++) {
        if (i < day) {
            f->usual[i] = f->slow[i] = data->y[i];
        } else {
            f->usual[i] = median_of_lags(data, i, day, USUAL_DAYS);
            f->slow[i] = f->slow[i - day] + SLOW * (data->y[i - day] - f->slow[i - day]);
        }
        f->weekly[i] = data->week && i >= data->week
                           ? median_of_lags(data, i, data->week, USUAL_WEEKS)
                           : f->usual[i];
    }
}

FsnFeatures *
fsn_features_new(const FsnModelData *data)
{
    FsnFeatures *f = g_new0(FsnFeatures, 1);
    size_t all = data->n + data->day;

    f->data = data;
    f->usual = g_new(double, all);
    f->slow = g_new(double, all);
    f->weekly = g_new(double, all);
    f->sum = g_new0(double, data->n + 1);
    f->sum_off = g_new0(double, data->n + 1);
    f->sum_usual = g_new0(double, all + 1);
    f->least = INFINITY;
    f->most = -INFINITY;
    fill_typical(f);
    for (size_t i = 0; i < all; i++) {
        f->sum_usual[i + 1] = f->sum_usual[i] + f->usual[i];
    }
    for (size_t i = 0; i < data->n; i++) {
        double off = data->y[i] - f->usual[i];

        f->sum[i + 1] = f->sum[i] + data->y[i];
        f->sum_off[i + 1] = f->sum_off[i] + off;
        f->size += fabs(off) / (double)data->n;
        f->least = MIN(f->least, data->y[i]);
        f->most = MAX(f->most, data->y[i]);
    }
    return f;
}

void
fsn_features_free(FsnFeatures *features)
{
    if (!features) {
        return;
    }
    g_free(features->usual);
    g_free(features->slow);
    g_free(features->weekly);
    g_free(features->sum);
    g_free(features->sum_off);
    g_free(features->sum_usual);
    g_free(features);
}

/* Mean over [@from, @to) of what @sums adds up. */
static double
mean_between(const double *sums, size_t from, size_t to)
{
    return (sums[to] - sums[from]) / (double)(to - from);
}

/* Mean over the last @count before @origin, or all if there are fewer. */
static double
mean_last(const double *sums, size_t origin, size_t count)
{
    return mean_between(sums, origin - MIN(count, origin), origin);
}

double
fsn_features_row(const FsnFeatures *f, size_t origin, size_t h, double *out)
{
    const FsnModelData *data = f->data;
    const double *y = data->y;
    size_t day = data->day;
    size_t target = origin + h - 1;
    size_t half = MAX(data->hour / 2, 1);
    size_t lag = target - day; /* before @origin, for h is at most a day */
    size_t to = MIN(target + half + 1, origin + day);
    double base = mean_between(f->sum_usual, target - half, to);
    double last = y[origin - 1];
    size_t i = 0;

    out[i++] = f->size;
    out[i++] = f->usual[target] - base;
    out[i++] = y[lag] - base;
    out[i++] =
        mean_between(f->sum, lag > half ? lag - half : 0, MIN(lag + half + 1, origin)) -
        base;
    out[i++] = y[lag >= day ? lag - day : lag] - base;
    out[i++] = f->weekly[target] - base;
    out[i++] = data->week && target >= data->week ? y[target - data->week] - base : 0;
    out[i++] = f->slow[target] - base;
    out[i++] = last - base;
    out[i++] = last - f->usual[origin - 1];
    out[i++] = mean_last(f->sum_off, origin, MAX(data->hour, 2));
    out[i++] = mean_last(f->sum_off, origin, 3 * data->hour);
    out[i++] = mean_last(f->sum_off, origin, 12 * data->hour);
    out[i++] = mean_last(f->sum_off, origin, day);
    out[i++] = mean_last(f->sum, origin, 6 * data->hour) - base;
    out[i++] = mean_last(f->sum, origin, day) - base;
    out[i++] = mean_last(f->sum, origin, 7 * day) - base;
    g_assert(i == FSN_FEATURES);
    return base;
}
