/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Series and forecasts: the containers. */
#include "models/forecast.h"
#include "models/series.h"

#include <math.h>

#define HOUR_US (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)

static void
test_series(void)
{
    g_autoptr(FsnSeries) series = fsn_series_new(5, HOUR_US, 3);

    g_assert_true(isnan(series->values[2]));
    for (size_t i = 0; i < 3; i++)
        series->values[i] = (double)i;
    g_assert_cmpint(fsn_series_time(series, 4), ==, 5 + 4 * HOUR_US);
    g_assert_cmpuint(fsn_series_season(series, 24 * HOUR_US), ==, 24);
    g_assert_cmpuint(fsn_series_season(series, HOUR_US / 2), ==, 0);

    g_autoptr(FsnSeries) head = fsn_series_head(series, 2);
    g_assert_cmpuint(head->n, ==, 2);
    g_assert_cmpfloat(head->values[1], ==, 1);
    g_autoptr(FsnSeries) all = fsn_series_head(series, 9);
    g_assert_cmpuint(all->n, ==, 3);

    series->values[0] = NAN;
    g_autoptr(FsnSeries) rest = fsn_series_without_lead(series);
    g_assert_cmpuint(rest->n, ==, 2);
    g_assert_cmpint(rest->start_us, ==, 5 + HOUR_US);
    g_assert_cmpfloat(rest->values[1], ==, 2);
    series->values[1] = series->values[2] = NAN;
    g_autoptr(FsnSeries) none = fsn_series_without_lead(series);
    g_assert_cmpuint(none->n, ==, 0);
}

static void
test_tidy(void)
{
    static const double crossed[FSN_FORECAST_LEVELS] = { 3, 1, 2, 5, 4, 120, 7 };
    static const double wanted[FSN_FORECAST_LEVELS] = { 2, 2, 3, 4, 5, 7, 100 };
    g_autoptr(FsnForecast) forecast = fsn_forecast_new(0, HOUR_US, 1);

    forecast->mean[0] = -1;
    for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++)
        forecast->q[l][0] = crossed[l];
    fsn_forecast_tidy(forecast, 2, 100);
    g_assert_cmpfloat(forecast->mean[0], ==, 2);
    for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++)
        g_assert_cmpfloat(forecast->q[l][0], ==, wanted[l]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/series/containers", test_series);
    g_test_add_func("/forecast/tidy", test_tidy);
    return g_test_run();
}
