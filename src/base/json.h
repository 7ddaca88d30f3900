/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Nesting deeper than this is refused before the text reaches the parser. */
#define FSN_JSON_MAX_DEPTH 64

/* Parses @len bytes of UTF-8 that must be one JSON object of at most @max bytes; @what
 * names it in messages. The caller unrefs *@out_object. */
bool fsn_json_parse_object(const char *text,
                           size_t len,
                           size_t max,
                           const char *what,
                           JsonObject **out_object,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Required members. A missing member, another type or a value outside [min, max] is
 * FSN_ERROR_FORMAT that names the member. Returned strings and objects are borrowed. */
bool fsn_json_get_string(JsonObject *object,
                         const char *name,
                         const char **out_value,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_json_get_int(JsonObject *object,
                      const char *name,
                      int64_t min,
                      int64_t max,
                      int64_t *out_value,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_json_get_object(JsonObject *object,
                         const char *name,
                         JsonObject **out_value,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_json_get_array(JsonObject *object,
                        const char *name,
                        JsonArray **out_value,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Element @i of @array as an object. */
bool fsn_json_get_element(JsonArray *array,
                          guint i,
                          JsonObject **out_value,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Optional members: @fallback where the member is missing or of another type. */
const char *fsn_json_peek_string(JsonObject *object,
                                 const char *name,
                                 const char *fallback);
int64_t fsn_json_peek_int(JsonObject *object, const char *name, int64_t fallback);
bool fsn_json_peek_bool(JsonObject *object, const char *name, bool fallback);

/* Leaves the member out where @value is NULL. */
void fsn_json_add_string(JsonObject *object, const char *name, const char *value);
/* Members that may have no value: null for NULL, and for a number that is not finite. */
void fsn_json_set_string(JsonObject *object, const char *name, const char *value);
void fsn_json_set_number(JsonObject *object, const char *name, double value);
/* @time_us of the realtime clock as RFC 3339; null unless it is positive. */
void fsn_json_set_time(JsonObject *object, const char *name, int64_t time_us);

/* Text of @object, indented if @pretty, without a final newline; the caller frees. */
char *fsn_json_to_text(JsonObject *object, bool pretty);

G_END_DECLS
