/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Features of the direct regression. Each is a difference of two levels, so that a series
 * that moves up or down as a whole moves its forecast by as much.
 */
#include "models/regression-features.h"

FsnFeatures *
fsn_features_new(const FsnModelData *data)
{
    FsnFeatures *f = g_new0(FsnFeatures, 1);

    f->data = data;
    f->own = data->past ? NULL : fsn_past_new(data);
    f->past = data->past ? data->past : f->own;
    f->size = f->past->sum_size[data->n] / (double)data->n;
    f->least = f->past->least[data->n];
    f->most = f->past->most[data->n];
    return f;
}

void
fsn_features_free(FsnFeatures *features)
{
    if (!features) {
        return;
    }
    fsn_past_free(features->own);
    g_free(features);
}

const double *
fsn_features_weekly(const FsnFeatures *f)
{
    return f->data->week ? f->past->weekly : f->past->usual;
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
    const FsnPast *past = f->past;
    const double *y = data->y;
    size_t day = data->day;
    size_t target = origin + h - 1;
    size_t half = MAX(data->hour / 2, 1);
    size_t lag = target - day; /* before @origin, for h is at most a day */
    size_t to = MIN(target + half + 1, origin + day);
    double base = mean_between(past->sum_usual, target - half, to);
    double last = y[origin - 1];
    size_t i = 0;

    out[i++] = f->size;
    out[i++] = past->usual[target] - base;
    out[i++] = y[lag] - base;
    out[i++] = mean_between(past->sum, lag > half ? lag - half : 0,
                            MIN(lag + half + 1, origin)) -
               base;
    out[i++] = y[lag >= day ? lag - day : lag] - base;
    out[i++] = fsn_features_weekly(f)[target] - base;
    out[i++] = data->week && target >= data->week ? y[target - data->week] - base : 0;
    out[i++] = past->slow[target] - base;
    out[i++] = last - base;
    out[i++] = last - past->usual[origin - 1];
    out[i++] = mean_last(past->sum_off, origin, MAX(data->hour, 2));
    out[i++] = mean_last(past->sum_off, origin, 3 * data->hour);
    out[i++] = mean_last(past->sum_off, origin, 12 * data->hour);
    out[i++] = mean_last(past->sum_off, origin, day);
    out[i++] = mean_last(past->sum, origin, 6 * data->hour) - base;
    out[i++] = mean_last(past->sum, origin, day) - base;
    out[i++] = mean_last(past->sum, origin, 7 * day) - base;
    g_assert(i == FSN_FEATURES);
    return base;
}
