/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/events.h"
#include "models/forecast.h"
#include "models/series.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* The whole selection for one series: members fitted, weighted by rolling-origin backtest,
 * intervals calibrated. Opaque, single-threaded. */
typedef struct FsnForecaster FsnForecaster;

typedef struct {
    double low, high;           /* bounds of the metric, -INFINITY/INFINITY for none */
    uint64_t seed;              /* same seed, same result */
    const FsnEvents *events;    /* known external events, also future ones; or NULL */
    const FsnForecaster *prior; /* of similar VMs, used while history is short; or NULL */
    const struct FsnLstm *lstm; /* network for the member "lstm"; or NULL: no such one */
    const char *model;          /* the name of one member only, or NULL for automatic */
    const char *without;        /* the name of a member to leave out, or NULL */
} FsnForecasterOptions;

/* No bounds, no events, automatic. */
#define FSN_FORECASTER_OPTIONS_INIT        \
    {                                      \
        .low = -INFINITY, .high = INFINITY \
    }

/* Learns from @series, of which the last values up to fsn_forecaster_window() are kept. Without
 * any known value it needs a prior. An unknown model, one that needs a longer history, or
 * no value at all is an error. The caller frees. */
FsnForecaster *fsn_forecaster_fit(const FsnSeries *series,
                                  const FsnForecasterOptions *options,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
void fsn_forecaster_free(FsnForecaster *forecaster);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnForecaster, fsn_forecaster_free)

/* Takes note of the values that came since: @newer has the same step, and what it repeats
 * replaces what was known; a gap before it is unknown. Weights and parameters stay. One of
 * another step, not on the same grid, or that ends earlier is an error. */
bool fsn_forecaster_update(FsnForecaster *forecaster,
                           const FsnSeries *newer,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* From the end of what it has seen; at most FSN_HORIZON_MAX steps. The caller frees. */
#define FSN_HORIZON_MAX 100000
FsnForecast *fsn_forecaster_predict(const FsnForecaster *forecaster, size_t horizon);

/* As a JSON object. The text is some ten bytes per value of the window and some KiB. */
JsonNode *fsn_forecaster_to_json(const FsnForecaster *forecaster);
/* @node is hostile; one of a newer version is FSN_ERROR_UNSUPPORTED. */
FsnForecaster *fsn_forecaster_from_json(JsonNode *node, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Lines about what was chosen, and anomalies seen; the caller frees. */
char *fsn_forecaster_explain(const FsnForecaster *forecaster);
/* Mean absolute error of the backtest, one day ahead or as far as it could look, relative to the
 * mean level; NAN if the history was too short for one. */
double fsn_forecaster_error(const FsnForecaster *forecaster);
/* What was out of the ordinary in the values that are kept: FsnAnomaly, see
 * models/anomalies.h. The caller unrefs. */
GArray *fsn_forecaster_anomalies(const FsnForecaster *forecaster);

G_END_DECLS
