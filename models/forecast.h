/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What is expected, and how sure that is: for each of @n coming steps a centre and quantiles. */

#define FSN_FORECAST_LEVELS 7
/* .025 .05 .25 .5 .75 .95 .975 */
extern const double fsn_forecast_levels[FSN_FORECAST_LEVELS];

enum {
    FSN_Q025,
    FSN_Q05,
    FSN_Q25,
    FSN_Q50,
    FSN_Q75,
    FSN_Q95,
    FSN_Q975,
};

typedef struct {
    int64_t start_us; /* of the first step, UTC */
    int64_t step_us;
    size_t n;
    double *mean; /* the point forecast */
    double *q[FSN_FORECAST_LEVELS];
} FsnForecast;

/* @n steps, all NAN. The caller frees. */
FsnForecast *fsn_forecast_new(int64_t start_us, int64_t step_us, size_t n);
void fsn_forecast_free(FsnForecast *forecast);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnForecast, fsn_forecast_free)

/* Makes the quantiles of each step ascend (Chernozhukov, Fernandez-Val, Galichon 2010:
 * rearrangement) and clamps everything to [@low, @high]. */
void fsn_forecast_tidy(FsnForecast *forecast, double low, double high);

G_END_DECLS
