/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as the JSON of a forecaster: an error, or one whose forecasts are finite and
 * whose quantiles ascend, also after an update.
 */
#include "base/json.h"
#include "models/forecaster.h"

#include <math.h>
#include <stdlib.h>

#define HORIZON 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const FsnForecaster *forecaster)
{
    g_autoptr(FsnForecast) forecast = fsn_forecaster_predict(forecaster, HORIZON);
    g_autofree char *words = fsn_forecaster_explain(forecaster);

    for (size_t h = 0; h < HORIZON; h++) {
        if (!isfinite(forecast->mean[h])) {
            abort();
        }
        for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
            if (!isfinite(forecast->q[l][h]) ||
                (l > 0 && forecast->q[l][h] < forecast->q[l - 1][h])) {
                abort();
            }
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(JsonObject) object = NULL;
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    g_autoptr(FsnForecaster) forecaster = NULL;

    if (!fsn_json_parse_object((const char *)data, size, 1 << 20, "fuzz", &object,
                               NULL)) {
        return 0;
    }
    json_node_set_object(node, object);
    forecaster = fsn_forecaster_from_json(node, NULL);
    if (forecaster) {
        g_autoptr(FsnForecast) next = fsn_forecaster_predict(forecaster, 1);
        g_autoptr(FsnSeries) newer = fsn_series_new(next->start_us, next->step_us, 1);

        check(forecaster);
        newer->values[0] = 1;
        if (fsn_forecaster_update(forecaster, newer, NULL)) {
            check(forecaster);
        }
    }
    return 0;
}
