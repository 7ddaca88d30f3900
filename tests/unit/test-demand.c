/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scale/demand.c: forecasts in, one number out. */
#include "config.h"

#include "scale/demand.h"

#include <math.h>

static void
test_peak(void)
{
    g_autoptr(FsnForecast) forecast = fsn_forecast_new(0, 1, 4);

    g_assert_true(isnan(fsn_demand_peak(forecast, .95, 4)));
    for (size_t i = 0; i < 4; i++) {
        for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
            forecast->q[l][i] = (double)(i + 1) * fsn_forecast_levels[l];
        }
    }
    forecast->q[FSN_Q95][2] = NAN;
    g_assert_cmpfloat_with_epsilon(fsn_demand_peak(forecast, .95, 4), 3.8, 1e-9);
    /* the third step is not known at this level, and beyond the second nothing counts */
    g_assert_cmpfloat_with_epsilon(fsn_demand_peak(forecast, .95, 3), 1.9, 1e-9);
    g_assert_cmpfloat_with_epsilon(fsn_demand_peak(forecast, .95, 99), 3.8, 1e-9);
    /* between two levels, and outside of all */
    g_assert_cmpfloat_with_epsilon(fsn_demand_peak(forecast, .6, 1), .6, 1e-9);
    g_assert_cmpfloat_with_epsilon(fsn_demand_peak(forecast, .5, 1), .5, 1e-9);
    g_assert_cmpfloat_with_epsilon(fsn_demand_peak(forecast, .999, 1), .975, 1e-9);
    g_assert_cmpfloat_with_epsilon(fsn_demand_peak(forecast, .001, 1), .025, 1e-9);
    g_assert_true(isnan(fsn_demand_peak(forecast, .95, 0)));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/demand/peak", test_peak);
    return g_test_run();
}
