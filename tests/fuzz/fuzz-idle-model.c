/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as the JSON of an idle model: an error, or a model that gives probabilities and
 * writes what it reads. */
#include "config.h"

#include "base/json.h"
#include "models/idle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(JsonObject) object = NULL;
    g_autoptr(FsnIdleTrack) track = fsn_idle_track_new(0, 2, NULL);
    FsnIdleInput input = { .track = track };
    FsnIdleForecast forecast;

    if (!fsn_json_parse_object((const char *)data, size, FSN_IDLE_JSON_MAX, "fuzz",
                               &object, NULL)) {
        return 0;
    }
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
    g_autoptr(FsnIdle) idle = fsn_idle_from_json(node, NULL);
    if (!idle) {
        return 0;
    }
    for (size_t i = 0; i < 50; i++) {
        (void)fsn_idle_track_push(track, i % 20 == 0 ? 50 : 0); /* there is room */
    }
    fsn_idle_predict(idle, &input, 49, &forecast);
    if (!(forecast.p15 >= 0 && forecast.p15 <= forecast.p60 && forecast.p60 <= 1)) {
        g_error("no probabilities: %g, %g", forecast.p15, forecast.p60);
    }
    g_autoptr(JsonNode) again = fsn_idle_to_json(idle);
    g_autoptr(FsnIdle) copy = fsn_idle_from_json(again, NULL);
    if (!copy) {
        g_error("a model cannot read its own JSON");
    }
    return 0;
}
