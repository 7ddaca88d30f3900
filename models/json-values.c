/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arrays of numbers in JSON objects, written and read with bounds.
 */
#include "models/json-values.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

void
fsn_json_set_numbers(JsonObject *object, const char *name, const double *v, size_t n)
{
    JsonArray *array = json_array_sized_new((guint)n);

    for (size_t i = 0; i < n; i++) {
        json_array_add_double_element(array, isfinite(v[i]) ? v[i] : 0);
    }
    json_object_set_array_member(object, name, array);
}

static bool
node_number(JsonNode *node, double *out)
{
    GType type = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node)
                                                     : G_TYPE_INVALID;

    if (type != G_TYPE_DOUBLE && type != G_TYPE_INT64) {
        return false;
    }
    *out = json_node_get_double(node);
    return isfinite(*out) && fabs(*out) <= 1e300;
}

bool
fsn_json_get_numbers(
    JsonObject *object, const char *name, size_t n, double *out_values, GError **error)
{
    JsonArray *array;

    if (!fsn_json_get_array(object, name, &array, error)) {
        return false;
    }
    if (json_array_get_length(array) != n) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "member '%s' has %u numbers instead of %zu", name,
                    json_array_get_length(array), n);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!node_number(json_array_get_element(array, (guint)i), &out_values[i])) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                        "member '%s' has an element that is no number", name);
            return false;
        }
    }
    return true;
}

bool
fsn_json_get_number(JsonObject *object,
                    const char *name,
                    double min,
                    double max,
                    double *out_value,
                    GError **error)
{
    double value;

    if (!node_number(json_object_get_member(object, name), &value) || value < min ||
        value > max) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "member '%s' is missing or is not a number from %g to %g", name, min,
                    max);
        return false;
    }
    *out_value = value;
    return true;
}

void
fsn_json_set_floats(JsonObject *object, const char *name, const double *v, size_t n)
{
    g_autofree guint32 *bits = g_new(guint32, MAX(n, 1));
    g_autofree char *text = NULL;

    for (size_t i = 0; i < n; i++) {
        float f = (float)v[i];
        guint32 raw;

        memcpy(&raw, &f, sizeof raw);
        bits[i] = GUINT32_TO_LE(raw);
    }
    text = g_base64_encode((const guchar *)bits, n * sizeof(guint32));
    json_object_set_string_member(object, name, text);
}

bool
fsn_json_get_floats(JsonObject *object,
                    const char *name,
                    size_t max,
                    double **out_values,
                    size_t *out_n,
                    GError **error)
{
    const char *text;
    gsize size = 0;
    g_autofree guchar *bytes = NULL;
    g_autofree double *values = NULL;

    if (!fsn_json_get_string(object, name, &text, error)) {
        return false;
    }
    if (strlen(text) <= (max * 4 + 2) / 3 * 4 + 4) {
        bytes = g_base64_decode(text, &size);
    }
    if (!bytes || size % 4 || size / 4 > max) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "member '%s' is not base64 of at most %zu floats", name, max);
        return false;
    }
    values = g_new(double, size / 4 + 1);
    for (size_t i = 0; i < size / 4; i++) {
        guint32 raw;
        float f;

        memcpy(&raw, bytes + 4 * i, sizeof raw);
        raw = GUINT32_FROM_LE(raw);
        memcpy(&f, &raw, sizeof f);
        values[i] = isfinite(f) ? (double)f : NAN;
    }
    *out_values = g_steal_pointer(&values);
    *out_n = size / 4;
    return true;
}
