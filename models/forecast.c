/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Forecasts: a centre and quantiles for each step. */
#include "models/forecast.h"

#include <math.h>

const double fsn_forecast_levels[FSN_FORECAST_LEVELS] = { .025, .05, .25, .5,
                                                          .75,  .95, .975 };

static double *
unknown(size_t n)
{
    double *values = g_new(double, MAX(n, 1));

    for (size_t i = 0; i < n; i++)
        values[i] = NAN;
    return values;
}

FsnForecast *
fsn_forecast_new(int64_t start_us, int64_t step_us, size_t n)
{
    FsnForecast *forecast = g_new0(FsnForecast, 1);

    forecast->start_us = start_us;
    forecast->step_us = step_us;
    forecast->n = n;
    forecast->mean = unknown(n);
    for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++)
        forecast->q[l] = unknown(n);
    return forecast;
}

void
fsn_forecast_free(FsnForecast *forecast)
{
    if (!forecast)
        return;
    g_free(forecast->mean);
    for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++)
        g_free(forecast->q[l]);
    g_free(forecast);
}

/* Insertion sort: seven values, nearly always in order. */
static void
rearrange(FsnForecast *forecast, size_t step)
{
    for (size_t l = 1; l < FSN_FORECAST_LEVELS; l++)
        for (size_t k = l; k > 0 && forecast->q[k - 1][step] > forecast->q[k][step];
             k--) {
            double higher = forecast->q[k - 1][step];

            forecast->q[k - 1][step] = forecast->q[k][step];
            forecast->q[k][step] = higher;
        }
}

void
fsn_forecast_tidy(FsnForecast *forecast, double low, double high)
{
    for (size_t i = 0; i < forecast->n; i++) {
        rearrange(forecast, i);
        forecast->mean[i] = CLAMP(forecast->mean[i], low, high);
        for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++)
            forecast->q[l][i] = CLAMP(forecast->q[l][i], low, high);
    }
}
