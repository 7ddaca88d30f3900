/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounded reading of JSON objects and typed access to their members. The size and depth are
 * checked before json-glib, whose parser recurses, sees the text.
 */
#include "config.h"

#include "base/json.h"

#include "base/clock.h"
#include "base/error.h"

#include <math.h>

/* Brackets outside of strings, at most FSN_JSON_MAX_DEPTH deep. */
static bool
depth_is_bounded(const char *text, size_t len)
{
    int depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (in_string) {
            if (c == '\\') {
                i++;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > FSN_JSON_MAX_DEPTH) {
                return false;
            }
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return true;
}

bool
fsn_json_parse_object(const char *text,
                      size_t len,
                      size_t max,
                      const char *what,
                      JsonObject **out_object,
                      GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    g_autoptr(GError) local = NULL;
    JsonNode *root;

    if (len > max) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "%s has %zu bytes, more than the %zu allowed", what, len, max);
        return false;
    }
    if (len == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "%s is empty", what);
        return false;
    }
    if (!depth_is_bounded(text, len) || !g_utf8_validate(text, (gssize)len, NULL)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "%s is nested too deeply or is not UTF-8", what);
        return false;
    }
    if (!json_parser_load_from_data(parser, text, (gssize)len, &local)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "%s is not JSON: %s", what,
                    local->message);
        return false;
    }
    root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "%s is not a JSON object", what);
        return false;
    }
    *out_object = json_object_ref(json_node_get_object(root));
    return true;
}

static JsonNode *
find_value(JsonObject *object, const char *name, GType type)
{
    JsonNode *node = json_object_get_member(object, name);

    if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != type) {
        return NULL;
    }
    return node;
}

static bool
set_member_error(GError **error, const char *name, const char *expected)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "member '%s' is missing or is not %s",
                name, expected);
    return false;
}

bool
fsn_json_get_string(JsonObject *object,
                    const char *name,
                    const char **out_value,
                    GError **error)
{
    JsonNode *node = find_value(object, name, G_TYPE_STRING);

    if (!node) {
        return set_member_error(error, name, "a string");
    }
    *out_value = json_node_get_string(node);
    return true;
}

bool
fsn_json_get_int(JsonObject *object,
                 const char *name,
                 int64_t min,
                 int64_t max,
                 int64_t *out_value,
                 GError **error)
{
    JsonNode *node = find_value(object, name, G_TYPE_INT64);
    int64_t value;

    if (!node) {
        return set_member_error(error, name, "an integer");
    }
    value = json_node_get_int(node);
    if (value < min || value > max) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "member '%s' is %" G_GINT64_FORMAT ", outside %" G_GINT64_FORMAT
                    "…%" G_GINT64_FORMAT,
                    name, value, min, max);
        return false;
    }
    *out_value = value;
    return true;
}

bool
fsn_json_get_object(JsonObject *object,
                    const char *name,
                    JsonObject **out_value,
                    GError **error)
{
    JsonNode *node = json_object_get_member(object, name);

    if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
        return set_member_error(error, name, "an object");
    }
    *out_value = json_node_get_object(node);
    return true;
}

bool
fsn_json_get_array(JsonObject *object,
                   const char *name,
                   JsonArray **out_value,
                   GError **error)
{
    JsonNode *node = json_object_get_member(object, name);

    if (!node || !JSON_NODE_HOLDS_ARRAY(node)) {
        return set_member_error(error, name, "an array");
    }
    *out_value = json_node_get_array(node);
    return true;
}

bool
fsn_json_get_element(JsonArray *array, guint i, JsonObject **out_value, GError **error)
{
    JsonNode *node =
        i < json_array_get_length(array) ? json_array_get_element(array, i) : NULL;

    if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "element %u is not an object", i);
        return false;
    }
    *out_value = json_node_get_object(node);
    return true;
}

const char *
fsn_json_peek_string(JsonObject *object, const char *name, const char *fallback)
{
    JsonNode *node = find_value(object, name, G_TYPE_STRING);

    return node ? json_node_get_string(node) : fallback;
}

int64_t
fsn_json_peek_int(JsonObject *object, const char *name, int64_t fallback)
{
    JsonNode *node = find_value(object, name, G_TYPE_INT64);

    return node ? json_node_get_int(node) : fallback;
}

bool
fsn_json_peek_bool(JsonObject *object, const char *name, bool fallback)
{
    JsonNode *node = find_value(object, name, G_TYPE_BOOLEAN);

    return node ? json_node_get_boolean(node) : fallback;
}

void
fsn_json_add_string(JsonObject *object, const char *name, const char *value)
{
    if (value) {
        json_object_set_string_member(object, name, value);
    }
}

void
fsn_json_set_string(JsonObject *object, const char *name, const char *value)
{
    if (value) {
        json_object_set_string_member(object, name, value);
    } else {
        json_object_set_null_member(object, name);
    }
}

void
fsn_json_set_number(JsonObject *object, const char *name, double value)
{
    if (isfinite(value)) {
        json_object_set_double_member(object, name, value);
    } else {
        json_object_set_null_member(object, name);
    }
}

void
fsn_json_set_time(JsonObject *object, const char *name, int64_t time_us)
{
    g_autofree char *text = time_us > 0 ? fsn_rfc3339(time_us) : NULL;

    fsn_json_set_string(object, name, text);
}

char *
fsn_json_to_text(JsonObject *object, bool pretty)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

    json_node_set_object(node, object);
    return json_to_string(node, pretty);
}
