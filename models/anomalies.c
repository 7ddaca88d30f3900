/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds outliers (by the rule that damps the farthest of them) and a shift of the level within the last days:
 * daily medians before and after the best split, when they do not overlap and differ by
 * several times their own scatter. In the manner of Hampel's identifier (J. of the American
 * Statistical Association 69, 1974).
 */
#include "models/anomalies.h"

#include "models/numbers.h"

#include <math.h>

#define DAY_US     (G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC)
#define SHIFT_DAYS 15  /* that are looked at */
#define SHIFT_SIZE 4.0 /* times the scatter of daily medians */

static void
find_outliers(const FsnSeries *series, const FsnOutlierRule *rule, GArray *found)
{
    bool inside = false;

    for (size_t i = 0; i < series->n; i++) {
        int64_t time_us = fsn_series_time(series, i);
        double usual = fsn_outlier_rule_usual(rule, time_us, series->step_us);
        double value = series->values[i];
        bool is_outlier = !isnan(value) && fabs(value - usual) > rule->notable;

        if (is_outlier && inside) {
            FsnAnomaly *last = &g_array_index(found, FsnAnomaly, found->len - 1);

            last->end_us = time_us + series->step_us;
            if (fabs(value - usual) > fabs(last->value - last->usual)) {
                last->value = value;
                last->usual = usual;
            }
        } else if (is_outlier) {
            FsnAnomaly anomaly = { FSN_ANOMALY_OUTLIER, time_us,
                                   time_us + series->step_us, value, usual };

            g_array_append_val(found, anomaly);
        }
        inside = is_outlier;
    }
}

/* Medians of the last days, oldest first; days without a value are left out. */
static size_t
daily_medians(const FsnSeries *series, size_t day, double *out, size_t *out_first)
{
    g_autofree double *values = g_new(double, day);
    size_t days = MIN(series->n / day, SHIFT_DAYS);
    size_t n = 0;

    for (size_t d = 0; d < days; d++) {
        size_t first = series->n - (days - d) * day;
        size_t count = 0;

        for (size_t i = first; i < first + day; i++) {
            if (!isnan(series->values[i])) {
                values[count++] = series->values[i];
            }
        }
        if (count > 0) {
            out_first[n] = first;
            out[n++] = fsn_median(values, count);
        }
    }
    return n;
}

/* Mean distance from the median. */
static double
scatter(const double *values, size_t n, double middle)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        sum += fabs(values[i] - middle) / (double)n;
    }
    return sum;
}

static double
median_of(const double *values, size_t n)
{
    double copy[SHIFT_DAYS];

    for (size_t i = 0; i < n; i++) {
        copy[i] = values[i];
    }
    return fsn_median(copy, n);
}

static void
find_shift(const FsnSeries *series, GArray *found)
{
    size_t day = fsn_series_season(series, DAY_US);
    double medians[SHIFT_DAYS];
    size_t first[SHIFT_DAYS];
    double best = SHIFT_SIZE;
    FsnAnomaly shift = { 0 };

    if (day == 0 || series->n < 6 * day) {
        return;
    }
    size_t n = daily_medians(series, day, medians, first);
    for (size_t k = 4; k + 2 <= n; k++) {
        double before = median_of(medians, k);
        double after = median_of(medians + k, n - k);
        double noise = scatter(medians, k, before) + scatter(medians + k, n - k, after) +
                       .02 * (fabs(before) + fabs(after));

        if (noise > 0 && fabs(after - before) / noise > best) {
            best = fabs(after - before) / noise;
            shift = (FsnAnomaly){ FSN_ANOMALY_LEVEL, fsn_series_time(series, first[k]),
                                  fsn_series_time(series, series->n), after, before };
        }
    }
    if (best > SHIFT_SIZE) {
        g_array_append_val(found, shift);
    }
}

GArray *
fsn_anomalies_find(const FsnSeries *series, const FsnOutlierRule *rule)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(FsnAnomaly));

    if (rule) {
        find_outliers(series, rule, found);
    }
    find_shift(series, found);
    return found;
}
