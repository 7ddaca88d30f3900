/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The prior of similar VMs: quantiles per hour of the day, moved to the own level by a factor.
 * It fades as the own history grows. Which VMs are similar is decided elsewhere.
 */
#include "models/prior.h"

#include "models/json-values.h"
#include "models/numbers.h"

#include <math.h>

#define HOUR_US     (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)
#define FACTOR_MAX  10.0
#define LEVEL_LEAST 6 /* values that make a level of one's own */

static size_t
hour_of(int64_t time_us)
{
    int64_t hour = time_us / HOUR_US % FSN_PRIOR_HOURS;

    return (size_t)(hour < 0 ? hour + FSN_PRIOR_HOURS : hour);
}

static void
set_quantiles(double *values, size_t n, double *out)
{
    (void)fsn_quantile(values, n, .5); /* sorts */
    for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
        out[l] = fsn_quantile_sorted(values, n, fsn_forecast_levels[l]);
    }
}

FsnPrior *
fsn_prior_new(const FsnModelData *data)
{
    FsnPrior *prior = g_new0(FsnPrior, 1);
    g_autofree double *values = g_new(double, data->n);

    for (size_t hour = 0; hour < FSN_PRIOR_HOURS; hour++) {
        size_t n = 0;

        for (size_t i = 0; i < data->n; i++) {
            if (hour_of(data->start_us + (int64_t)i * data->step_us) == hour) {
                values[n++] = data->y[i];
            }
        }
        if (n == 0) {
            for (; n < data->n; n++) {
                values[n] = data->y[n];
            }
        }
        set_quantiles(values, n, prior->quantile[hour]);
    }
    for (size_t i = 0; i < data->n; i++) {
        values[i] = data->y[i];
    }
    prior->level = fsn_median(values, data->n);
    return prior;
}

double
fsn_prior_part(int64_t known_us, int64_t ahead_us)
{
    double part = 1 - (double)known_us / (double)FSN_PRIOR_US;

    if (known_us <= 0) {
        return 1;
    }
    return MAX(part, 0) * MIN((double)ahead_us / (3.0 * HOUR_US), 1);
}

double
fsn_prior_factor(const FsnPrior *prior, const FsnModelData *own)
{
    g_autofree double *values = NULL;

    if (!own || own->n < LEVEL_LEAST || !(prior->level > 0)) {
        return 1;
    }
    values = g_new(double, own->n);
    for (size_t i = 0; i < own->n; i++) {
        values[i] = own->y[i];
    }
    double level = fsn_median(values, own->n);
    return level > 0 ? CLAMP(level / prior->level, 1 / FACTOR_MAX, FACTOR_MAX) : 1;
}

double
fsn_prior_quantile(const FsnPrior *prior, size_t l, int64_t time_us)
{
    return prior->quantile[hour_of(time_us)][l];
}

JsonObject *
fsn_prior_to_json(const FsnPrior *prior)
{
    JsonObject *object = json_object_new();

    json_object_set_double_member(object, "level", prior->level);
    fsn_json_set_numbers(object, "quantiles", prior->quantile[0],
                         (size_t)FSN_PRIOR_HOURS * FSN_FORECAST_LEVELS);
    return object;
}

FsnPrior *
fsn_prior_from_json(JsonObject *object, GError **error)
{
    g_autofree FsnPrior *prior = g_new0(FsnPrior, 1);

    if (!fsn_json_get_number(object, "level", -1e300, 1e300, &prior->level, error) ||
        !fsn_json_get_numbers(object, "quantiles",
                              (size_t)FSN_PRIOR_HOURS * FSN_FORECAST_LEVELS,
                              prior->quantile[0], error)) {
        return NULL;
    }
    return g_steal_pointer(&prior);
}
