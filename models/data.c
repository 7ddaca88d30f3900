/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a series as measured to what models are fitted to: holes filled, outliers damped,
 * seasons found by the clock. All of it looks only backwards, so that a view of the
 * first values is what one would have had then.
 */
#include "models/data.h"

#include "models/numbers.h"

#include <math.h>

#define HOUR_US (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)
#define DAY_US  (24 * HOUR_US)

double *
fsn_model_fill(const FsnSeries *series, double low, double high)
{
    double *y = g_new(double, MAX(series->n, 1));
    size_t day = fsn_series_season(series, DAY_US);
    size_t first = 0;

    while (first < series->n && !isfinite(series->values[first])) {
        first++;
    }
    if (first == series->n) {
        g_free(y);
        return NULL;
    }
    for (size_t i = 0; i < series->n; i++) {
        double value = series->values[i];

        if (i < first) {
            value = series->values[first];
        } else if (!isfinite(value)) {
            value = day > 0 && i >= first + day ? y[i - day] : y[i - 1];
        }
        y[i] = CLAMP(value, low, high);
    }
    return y;
}

FsnModelData
fsn_model_data(const FsnSeries *series, const double *y, size_t n)
{
    FsnModelData data = {
        .y = y,
        .n = n,
        .hour = MAX(fsn_series_season(series, HOUR_US), 1),
        .day = fsn_series_season(series, DAY_US),
        .week = fsn_series_season(series, 7 * DAY_US),
        .start_us = series->start_us,
        .step_us = series->step_us,
        .low = -INFINITY,
        .high = INFINITY,
    };

    return fsn_model_data_head(&data, n);
}

FsnModelData
fsn_model_data_head(const FsnModelData *data, size_t n)
{
    FsnModelData head = *data;

    head.n = n;
    /* A season of one value is none. */
    head.day = head.day > 1 && n >= 2 * head.day ? head.day : 0;
    head.week = head.week > 1 && n >= 2 * head.week ? head.week : 0;
    return head;
}

/* The phase of @time_us in a day of @day values that begins at @base_us. */
static size_t
phase(const FsnOutlierRule *rule, int64_t time_us, int64_t step_us)
{
    int64_t steps = (time_us - rule->base_us) / step_us % (int64_t)rule->day;

    return (size_t)(steps < 0 ? steps + (int64_t)rule->day : steps);
}

double
fsn_outlier_rule_usual(const FsnOutlierRule *rule, int64_t time_us, int64_t step_us)
{
    return rule->usual[phase(rule, time_us, step_us)];
}

/* Medians of each time of day. */
static void
learn_usual(const FsnModelData *data, FsnOutlierRule *rule)
{
    g_autofree double *column = g_new(double, data->n / rule->day + 1);

    for (size_t p = 0; p < rule->day; p++) {
        size_t n = 0;

        for (size_t i = p; i < data->n; i += rule->day) {
            column[n++] = data->y[i];
        }
        /* As a float, which is how it is stored. */
        rule->usual[p] = (double)(float)fsn_median(column, n);
    }
}

FsnOutlierRule *
fsn_outlier_rule_new(const FsnModelData *data)
{
    FsnOutlierRule *rule = g_new0(FsnOutlierRule, 1);
    g_autofree double *off = g_new(double, data->n);

    rule->day = data->day && data->n >= 4 * data->day ? data->day : 1;
    rule->usual = g_new(double, rule->day);
    rule->base_us = data->start_us;
    learn_usual(data, rule);
    for (size_t i = 0; i < data->n; i++) {
        off[i] = fabs(data->y[i] - rule->usual[i % rule->day]);
    }
    /* Bursts are the nature of VMs: only what is far beyond the usual burst is damped. */
    double q95 = fsn_quantile(off, data->n, .95);
    double q99 = fsn_quantile_sorted(off, data->n, .99);
    double q998 = fsn_quantile_sorted(off, data->n, .998);
    rule->notable = data->n < 48 ? INFINITY : MAX(6 * q95, 3 * q99);
    if (!(rule->notable > 0)) {
        rule->notable = INFINITY;
    }
    /* What was seen several times is not damped, for it may be a level that comes back. */
    rule->limit = MAX(rule->notable, 1.2 * q998);
    return rule;
}

void
fsn_outlier_rule_free(FsnOutlierRule *rule)
{
    if (!rule) {
        return;
    }
    g_free(rule->usual);
    g_free(rule);
}

void
fsn_outlier_rule_damp(const FsnOutlierRule *rule, const FsnSeries *series, double *y)
{
    for (size_t i = 0; i < series->n; i++) {
        double usual =
            fsn_outlier_rule_usual(rule, fsn_series_time(series, i), series->step_us);

        y[i] = CLAMP(y[i], usual - rule->limit, usual + rule->limit);
    }
}
