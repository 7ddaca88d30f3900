/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fitted forecasters on disk: JSON {"version", "models": {METRIC: {"fitted_us",
 * "forecaster"}}}, where a domain's idle times stand under the name "idle", which is no
 * metric, with "idle" in the place of "forecaster". Two processes that write at once lose one of the two, which costs a fit.
 */
#include "config.h"

#include "history/models-store.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "metrics/names.h"

#include <gio/gio.h>
#include <string.h>

#define MAX_TEXT    ((size_t)16 << 20)
#define MAX_PACKED  ((size_t)4 << 20)
#define MAX_METRICS 64
#define LEVEL       6
#define CHUNK       65536
#define TIME_MAX    (INT64_C(1) << 53)
#define IDLE        "idle"
#define FORECASTER  "forecaster"
#define NETWORK     "network" /* no UUID: a file of its own */

static char *
path_of(const char *history_path, const char *uuid)
{
    return g_strdup_printf("%s.models/%s.json", history_path, uuid);
}

/* What the model of @metric is. */
static const char *
member_of(const char *metric)
{
    return strcmp(metric, IDLE) == 0 ? IDLE : FORECASTER;
}

/* Adds a model to those of @to, if it is one. What was parsed is never changed. */
static void
copy_model(JsonObject *from, const char *metric, JsonObject *to)
{
    JsonObject *model;
    JsonObject *body;
    int64_t fitted_us;

    if (fsn_metric_name_is_valid(metric) &&
        fsn_json_get_object(from, metric, &model, NULL) &&
        fsn_json_get_int(model, "fitted_us", 0, TIME_MAX, &fitted_us, NULL) &&
        fsn_json_get_object(model, member_of(metric), &body, NULL)) {
        json_object_set_object_member(to, metric, json_object_ref(model));
    }
}

/* The models in @bytes, of which those that are none are left out: METRIC → {"fitted_us",
 * "forecaster"}; the caller unrefs. */
static JsonObject *
parse_models(GBytes *bytes, GError **error)
{
    size_t len;
    const char *text = g_bytes_get_data(bytes, &len);
    g_autoptr(JsonObject) object = NULL;
    g_autoptr(GList) metrics = NULL;
    JsonObject *models;
    JsonObject *sound;
    int64_t version;

    if (!fsn_json_parse_object(text, len, MAX_TEXT, "models", &object, error) ||
        !fsn_json_get_int(object, "version", 1, INT32_MAX, &version, error)) {
        return NULL;
    }
    if (version > 1) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "the models are of a newer version");
        return NULL;
    }
    if (!fsn_json_get_object(object, "models", &models, error)) {
        return NULL;
    }
    if (json_object_get_size(models) > MAX_METRICS) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "there are more than %d models",
                    MAX_METRICS);
        return NULL;
    }
    sound = json_object_new();
    metrics = json_object_get_members(models);
    for (GList *l = metrics; l; l = l->next) {
        copy_model(models, l->data, sound);
    }
    return sound;
}

/* Those of the file @path; none where there is no file that can be used. */
static JsonObject *
read_models(const char *path)
{
    g_autoptr(GBytes) bytes = NULL;
    JsonObject *models =
        fsn_file_read(path, MAX_TEXT, &bytes, NULL) ? parse_models(bytes, NULL) : NULL;

    return models ? models : json_object_new();
}

static bool
write_models(const char *path, JsonObject *models, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(JsonObject) object = json_object_new();
    g_autofree char *text = NULL;

    json_object_set_int_member(object, "version", 1);
    json_object_set_object_member(object, "models", json_object_ref(models));
    text = fsn_json_to_text(object, false);
    return fsn_mkdirs(folder, 0700, error) &&
           fsn_file_replace(path, text, strlen(text), 0600, error);
}

/* That of @metric, borrowed; NULL if there is none. */
static JsonNode *
find_model(JsonObject *models, const char *metric, int64_t *out_fitted_us, GError **error)
{
    JsonObject *model;

    if (!json_object_has_member(models, metric)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "there is no model of %s",
                    metric);
        return NULL;
    }
    model = json_object_get_object_member(models, metric);
    *out_fitted_us = fsn_json_peek_int(model, "fitted_us", 0);
    return json_object_get_member(model, member_of(metric));
}

/* Takes @body. */
static bool
save_model(const char *history_path,
           const char *uuid,
           const char *metric,
           int64_t fitted_us,
           JsonNode *body,
           GError **error)
{
    g_autofree char *path = path_of(history_path, uuid);
    g_autoptr(JsonObject) models = read_models(path);
    JsonObject *model = json_object_new();

    json_object_set_int_member(model, "fitted_us", fitted_us);
    json_object_set_member(model, member_of(metric), body);
    json_object_set_object_member(models, metric, model);
    return write_models(path, models, error);
}

JsonObject *
fsn_models_read(const char *history_path, const char *uuid)
{
    g_autofree char *path = path_of(history_path, uuid);

    return read_models(path);
}

FsnForecaster *
fsn_models_get(JsonObject *models,
               const char *metric,
               int64_t *out_fitted_us,
               GError **error)
{
    JsonNode *body = find_model(models, metric, out_fitted_us, error);
    FsnForecaster *forecaster = body ? fsn_forecaster_from_json(body, NULL) : NULL;

    if (body && !forecaster) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "the model of %s cannot be read", metric);
    }
    return forecaster;
}

FsnForecaster *
fsn_models_load(const char *history_path,
                const char *uuid,
                const char *metric,
                int64_t *out_fitted_us,
                GError **error)
{
    g_autoptr(JsonObject) models = fsn_models_read(history_path, uuid);

    return fsn_models_get(models, metric, out_fitted_us, error);
}

bool
fsn_models_save(const char *history_path,
                const char *uuid,
                const char *metric,
                int64_t fitted_us,
                const FsnForecaster *forecaster,
                GError **error)
{
    return save_model(history_path, uuid, metric, fitted_us,
                      fsn_forecaster_to_json(forecaster), error);
}

FsnIdle *
fsn_models_load_idle(const char *history_path,
                     const char *uuid,
                     int64_t *out_fitted_us,
                     GError **error)
{
    g_autoptr(JsonObject) models = fsn_models_read(history_path, uuid);
    JsonNode *body = find_model(models, IDLE, out_fitted_us, error);
    FsnIdle *idle = body ? fsn_idle_from_json(body, NULL) : NULL;

    if (body && !idle) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "the model of idle times cannot be read");
    }
    return idle;
}

bool
fsn_models_save_idle(const char *history_path,
                     const char *uuid,
                     int64_t fitted_us,
                     const FsnIdle *idle,
                     GError **error)
{
    return save_model(history_path, uuid, IDLE, fitted_us, fsn_idle_to_json(idle), error);
}

FsnLstm *
fsn_models_load_network(const char *history_path, GError **error)
{
    g_autofree char *path = path_of(history_path, NETWORK);
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(JsonObject) object = NULL;
    g_autoptr(GError) why = NULL;
    FsnLstm *network = NULL;
    const char *text;
    size_t len;

    if (fsn_file_read(path, MAX_TEXT, &bytes, &why)) {
        text = g_bytes_get_data(bytes, &len);
        if (fsn_json_parse_object(text, len, MAX_TEXT, "network", &object, &why)) {
            network = fsn_lstm_from_json(object, &why);
        }
    }
    if (!network) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "there is no network: %s",
                    why->message);
    }
    return network;
}

bool
fsn_models_save_network(const char *history_path, const FsnLstm *network, GError **error)
{
    g_autofree char *path = path_of(history_path, NETWORK);
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(JsonObject) object = json_object_new();
    g_autofree char *text = NULL;

    fsn_lstm_to_json(network, object);
    text = fsn_json_to_text(object, false);
    return fsn_mkdirs(folder, 0700, error) &&
           fsn_file_replace(path, text, strlen(text), 0600, error);
}

/* All that comes out of @converter for @bytes, at most @max. */
static GBytes *
convert(GConverter *converter, GBytes *bytes, size_t max, GError **error)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(GInputStream) in = g_memory_input_stream_new_from_bytes(bytes);
    g_autoptr(GInputStream) stream = g_converter_input_stream_new(in, converter);
    g_autofree guint8 *buffer = g_malloc(CHUNK);

    for (;;) {
        gssize n = g_input_stream_read(stream, buffer, CHUNK, NULL, error);

        if (n < 0) {
            return NULL;
        }
        if (n == 0) {
            return g_byte_array_free_to_bytes(g_steal_pointer(&out));
        }
        if (out->len + (size_t)n > max) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "the models are too large");
            return NULL;
        }
        g_byte_array_append(out, buffer, (guint)n);
    }
}

GBytes *
fsn_models_carry(gpointer history_path, const char *uuid, GError **error)
{
    g_autofree char *path = path_of(history_path, uuid);
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GZlibCompressor) gzip =
        g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, LEVEL);

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        return NULL;
    }
    return fsn_file_read(path, MAX_TEXT, &bytes, error)
               ? convert(G_CONVERTER(gzip), bytes, MAX_PACKED, error)
               : NULL;
}

/* Whether it can be used here. */
static bool
is_sound(JsonObject *model, const char *metric)
{
    JsonNode *body = json_object_get_member(model, member_of(metric));

    if (strcmp(metric, IDLE) == 0) {
        g_autoptr(FsnIdle) idle = fsn_idle_from_json(body, NULL);

        return idle != NULL;
    }
    g_autoptr(FsnForecaster) forecaster = fsn_forecaster_from_json(body, NULL);
    return forecaster != NULL;
}

/* Only what is sound and newer than what is here. */
static void
take_model(JsonObject *mine, JsonObject *theirs, const char *metric)
{
    JsonObject *model = json_object_get_object_member(theirs, metric);
    JsonObject *own = NULL;

    if (json_object_has_member(mine, metric)) {
        own = json_object_get_object_member(mine, metric);
    }
    if (is_sound(model, metric) &&
        (!own || fsn_json_peek_int(own, "fitted_us", 0) <
                     fsn_json_peek_int(model, "fitted_us", 0))) {
        json_object_set_object_member(mine, metric, json_object_ref(model));
    }
}

bool
fsn_models_absorb(gpointer history_path,
                  const char *uuid,
                  const char *name,
                  GBytes *bytes,
                  GError **error)
{
    g_autofree char *path = path_of(history_path, uuid);
    g_autoptr(GZlibDecompressor) gunzip =
        g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
    g_autoptr(GBytes) plain = convert(G_CONVERTER(gunzip), bytes, MAX_TEXT, error);
    g_autoptr(JsonObject) theirs = plain ? parse_models(plain, error) : NULL;
    g_autoptr(JsonObject) mine = NULL;
    g_autoptr(GList) metrics = NULL;

    if (!theirs) {
        return false;
    }
    mine = read_models(path);
    metrics = json_object_get_members(theirs);
    for (GList *l = metrics; l; l = l->next) {
        take_model(mine, theirs, l->data);
    }
    return write_models(path, mine, error);
}
