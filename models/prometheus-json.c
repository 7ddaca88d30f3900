/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answer of Prometheus to a range query. Pure and total. */
#include "models/prometheus-json.h"

#include "base/error.h"
#include "base/json.h"

#include <math.h>
#include <string.h>

static bool
refuse(GError **error)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                "this is no answer of Prometheus to a range query");
    return false;
}

/* One element of values: [seconds, "value"]. */
static bool
take_value(JsonNode *node, FsnSeries *series)
{
    JsonArray *pair = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    if (!pair || json_array_get_length(pair) != 2) {
        return false;
    }
    JsonNode *when = json_array_get_element(pair, 0),
             *what = json_array_get_element(pair, 1);

    if (!JSON_NODE_HOLDS_VALUE(when) || !JSON_NODE_HOLDS_VALUE(what) ||
        json_node_get_value_type(what) != G_TYPE_STRING) {
        return false;
    }
    double off =
        (json_node_get_double(when) * G_USEC_PER_SEC - (double)series->start_us) /
        (double)series->step_us;
    char *end;
    const char *text = json_node_get_string(what);
    double value = g_ascii_strtod(text, &end);

    if (*end || end == text) {
        return false;
    }
    if (off > -.5 && off < (double)series->n - .5 && isfinite(value)) {
        series->values[(size_t)llround(off)] = value;
    }
    return true;
}

static bool
take_result(JsonObject *object, FsnSeries *series, bool *out_found, GError **error)
{
    JsonObject *data, *only;
    JsonArray *result, *values;

    if (!fsn_json_get_object(object, "data", &data, NULL) ||
        strcmp(fsn_json_peek_string(data, "resultType", ""), "matrix") != 0 ||
        !fsn_json_get_array(data, "result", &result, NULL)) {
        return refuse(error);
    }
    guint n = json_array_get_length(result);

    if (n > 1) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "the query gives %u series: narrow it down to one", n);
        return false;
    }
    if (n == 1 && (!fsn_json_get_element(result, 0, &only, NULL) ||
                   !fsn_json_get_array(only, "values", &values, NULL))) {
        return refuse(error);
    }
    for (guint i = 0; n == 1 && i < json_array_get_length(values); i++) {
        if (!take_value(json_array_get_element(values, i), series)) {
            return refuse(error);
        }
    }
    *out_found = n == 1;
    return true;
}

bool
fsn_prometheus_parse(
    const char *text, size_t len, FsnSeries *series, bool *out_found, GError **error)
{
    g_autoptr(JsonObject) object = NULL;

    if (!text || !fsn_json_parse_object(text, len, FSN_PROMETHEUS_JSON_MAX,
                                        "the answer of Prometheus", &object, error)) {
        return text ? false : refuse(error);
    }
    const char *status = fsn_json_peek_string(object, "status", "");

    if (strcmp(status, "error") == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "Prometheus says: %.200s",
                    fsn_json_peek_string(object, "error", "it failed"));
        return false;
    }
    return strcmp(status, "success") == 0 ? take_result(object, series, out_found, error)
                                          : refuse(error);
}
