/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Series at regular times. */
#include "models/series.h"

#include <math.h>
#include <string.h>

FsnSeries *
fsn_series_new(int64_t start_us, int64_t step_us, size_t n)
{
    g_return_val_if_fail(step_us > 0, NULL);
    FsnSeries *series = g_new0(FsnSeries, 1);

    series->start_us = start_us;
    series->step_us = step_us;
    series->n = n;
    series->values = g_new(double, MAX(n, 1));
    for (size_t i = 0; i < n; i++)
        series->values[i] = NAN;
    return series;
}

FsnSeries *
fsn_series_head(const FsnSeries *series, size_t n)
{
    FsnSeries *head =
        fsn_series_new(series->start_us, series->step_us, MIN(n, series->n));

    memcpy(head->values, series->values, head->n * sizeof(double));
    return head;
}

FsnSeries *
fsn_series_without_lead(const FsnSeries *series)
{
    size_t first = 0;
    FsnSeries *rest;

    while (first < series->n && isnan(series->values[first])) {
        first++;
    }
    rest = fsn_series_new(fsn_series_time(series, first), series->step_us,
                          series->n - first);
    memcpy(rest->values, series->values + first, rest->n * sizeof(double));
    return rest;
}

void
fsn_series_free(FsnSeries *series)
{
    if (!series)
        return;
    g_free(series->values);
    g_free(series);
}

size_t
fsn_series_season(const FsnSeries *series, int64_t period_us)
{
    return period_us % series->step_us ? 0 : (size_t)(period_us / series->step_us);
}

int64_t
fsn_series_time(const FsnSeries *series, size_t i)
{
    return series->start_us + (int64_t)i * series->step_us;
}
