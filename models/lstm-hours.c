/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the network sees: differences from what is usual at that time of day, in units of
 * the series' own restlessness, so that one network fits all series (Salinas, Flunkert,
 * Gasthaus, DeepAR, Int. J. of Forecasting 36, 2020; Smyl, ibid., a hybrid method of
 * exponential smoothing and recurrent networks). By the hour, whatever the step is: a day
 * of five minutes would be a sequence of 288.
 */
#include "models/lstm-private.h"

#include "models/numbers.h"

#include <math.h>

#define DAYS_BACK 7

/* Medians and maxima of the days before; on the first day, of which nothing is known, the
 * values themselves. */
static void
fill_usual(FsnLstmHours *hours)
{
    double values[DAYS_BACK];

    for (size_t t = 0; t < hours->n + hours->day; t++) {
        size_t n = 0;

        for (size_t k = 1; k <= DAYS_BACK && k * hours->day <= t; k++) {
            values[n++] = hours->value[t - k * hours->day];
        }
        if (n == 0) {
            values[n++] = hours->value[t];
        }
        hours->usual[t] = fsn_median(values, n);
        hours->highest[t] = values[0];
        for (size_t k = 1; k < n; k++) {
            hours->highest[t] = MAX(hours->highest[t], values[k]);
        }
    }
}

FsnLstmHours *
fsn_lstm_hours_new(const FsnModelData *data)
{
    FsnLstmHours *hours = g_new0(FsnLstmHours, 1);
    size_t hour = data->hour;

    hours->data = data;
    hours->day = MAX((data->day + hour / 2) / hour, 1);
    hours->n = data->n / hour;
    hours->value = g_new(double, hours->n);
    hours->usual = g_new(double, hours->n + hours->day);
    hours->highest = g_new(double, hours->n + hours->day);
    hours->off = g_new0(double, hours->n + 1);
    for (size_t i = 0; i < hours->n; i++) {
        hours->value[i] = fsn_mean(data->y + data->n - (hours->n - i) * hour, hour);
    }
    fill_usual(hours);
    for (size_t i = 0; i < hours->n; i++) {
        hours->off[i + 1] = hours->off[i] + fabs(hours->value[i] - hours->usual[i]);
    }
    return hours;
}

void
fsn_lstm_hours_free(FsnLstmHours *hours)
{
    if (hours) {
        g_free(hours->value);
        g_free(hours->usual);
        g_free(hours->highest);
        g_free(hours->off);
        g_free(hours);
    }
}

size_t
fsn_lstm_first_origin(const FsnLstmHours *hours)
{
    return 3 * hours->day;
}

double
fsn_lstm_scale(const FsnLstmHours *hours, size_t origin)
{
    size_t from = origin - MIN(origin - 1, DAYS_BACK * hours->day);
    double scale = (hours->off[origin] - hours->off[from]) / (double)(origin - from);

    return scale + 1e-6 * fabs(hours->usual[origin]) + 1e-12;
}

/* The time of hour @t, as part of a day and whether it is Saturday or Sunday (UTC; the epoch
 * was a Thursday). */
static double
time_of_day(const FsnLstmHours *hours, size_t t, bool *out_weekend)
{
    const FsnModelData *data = hours->data;
    int64_t day_us = G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC;
    int64_t steps = (int64_t)(data->n - hours->n * data->hour + t * data->hour);
    int64_t time_us = data->start_us + steps * data->step_us;
    int64_t in_day = (time_us % day_us + day_us) % day_us;
    int64_t weekday = (((time_us - in_day) / day_us + 3) % 7 + 7) % 7;

    *out_weekend = weekday >= 5;
    return (double)in_day / (double)day_us;
}

void
fsn_lstm_rows(
    const FsnLstmHours *hours, size_t origin, size_t context, double scale, double *x)
{
    double level = fsn_mean(hours->usual + origin - hours->day, hours->day);

    for (size_t t = origin - context; t < origin + hours->day; t++) {
        bool weekend;
        double phase = 2 * G_PI * time_of_day(hours, t, &weekend);
        double usual = hours->usual[t];
        double before = t >= hours->day ? hours->value[t - hours->day] : usual;

        *x++ = t < origin ? asinh((hours->value[t] - usual) / scale) : 0;
        *x++ = t < origin;
        *x++ = asinh((usual - level) / scale);
        *x++ = asinh((before - usual) / scale);
        *x++ = asinh((hours->highest[t] - usual) / scale);
        *x++ = sin(phase);
        *x++ = cos(phase);
        *x++ = weekend;
    }
}
