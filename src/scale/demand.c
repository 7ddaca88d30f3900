/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a forecast demands of a size that has to be enough for a while: its highest step. */
#include "config.h"

#include "scale/demand.h"

#include <math.h>

static double
at_level(const FsnForecast *forecast, double level, size_t step)
{
    size_t above = 1;
    double low;
    double high;
    double share;

    while (above < FSN_FORECAST_LEVELS - 1 && fsn_forecast_levels[above] < level) {
        above++;
    }
    low = fsn_forecast_levels[above - 1];
    high = fsn_forecast_levels[above];
    share = CLAMP((level - low) / (high - low), 0, 1);
    return forecast->q[above - 1][step] * (1 - share) + forecast->q[above][step] * share;
}

double
fsn_demand_peak(const FsnForecast *forecast, double level, size_t n)
{
    double peak = NAN;

    for (size_t i = 0; i < MIN(n, forecast->n); i++) {
        double value = at_level(forecast, level, i);

        if (!isnan(value) && !(value <= peak)) {
            peak = value;
        }
    }
    return peak;
}
