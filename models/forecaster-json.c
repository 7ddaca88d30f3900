/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forecasters as JSON, for snapshots: bounded when read, and the same forecasts to the bit
 * afterwards. Format 1. A reader refuses a newer format, and ignores members and models
 * that it does not know.
 */
#include "models/forecaster-private.h"

#include "base/error.h"
#include "models/json-values.h"

#include <math.h>
#include <string.h>

#define FORMAT   1
#define STEP_MAX (G_GINT64_CONSTANT(400) * 86400 * G_USEC_PER_SEC)
#define TIME_MAX (G_GINT64_CONSTANT(1) << 53)
#define CELLS    (FSN_BANDS * FSN_FORECAST_LEVELS)

static JsonArray *
events_json(const FsnEvents *events)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < fsn_events_count(events); i++) {
        const FsnEvent *event = fsn_events_get(events, i);
        JsonObject *object = json_object_new();

        json_object_set_int_member(object, "start_us", event->start_us);
        json_object_set_int_member(object, "end_us", event->end_us);
        json_object_set_string_member(object, "kind", event->kind);
        json_object_set_string_member(object, "name", event->name);
        json_array_add_object_element(array, object);
    }
    return array;
}

static JsonObject *
rule_json(const FsnOutlierRule *rule)
{
    JsonObject *object = json_object_new();

    json_object_set_int_member(object, "base_us", rule->base_us);
    fsn_json_set_floats(object, "usual", rule->usual, rule->day);
    if (isfinite(rule->limit)) {
        json_object_set_double_member(object, "limit", rule->limit);
    }
    if (isfinite(rule->notable)) {
        json_object_set_double_member(object, "notable", rule->notable);
    }
    return object;
}

static JsonObject *
weights_json(const FsnForecaster *f)
{
    JsonObject *object = json_object_new();
    JsonObject *centre = json_object_new();
    JsonObject *own = json_object_new();

    for (size_t m = 0; fsn_model_classes[m]; m++) {
        double bands[FSN_BANDS];
        double levels[FSN_FORECAST_LEVELS];

        for (size_t b = 0; b < FSN_BANDS; b++) {
            bands[b] = f->weights.centre[b][m];
        }
        for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
            levels[l] = f->weights.own[l][m];
        }
        if (f->members[m] && fsn_model_classes[m]->quantiles) {
            fsn_json_set_numbers(own, fsn_model_classes[m]->name, levels,
                                 FSN_FORECAST_LEVELS);
        }
        if (f->members[m]) {
            fsn_json_set_numbers(centre, fsn_model_classes[m]->name, bands, FSN_BANDS);
        }
    }
    json_object_set_object_member(object, "centre", centre);
    json_object_set_object_member(object, "own", own);
    fsn_json_set_numbers(object, "error", f->weights.error[0], CELLS);
    fsn_json_set_numbers(object, "shift", f->weights.shift[0], CELLS);
    if (isfinite(f->weights.mean_error)) {
        json_object_set_double_member(object, "mean_error", f->weights.mean_error);
    }
    return object;
}

static JsonObject *
members_json(const FsnForecaster *f)
{
    JsonObject *object = json_object_new();

    for (size_t m = 0; fsn_model_classes[m]; m++) {
        if (f->members[m]) {
            JsonObject *member = json_object_new();

            fsn_model_classes[m]->to_json(f->members[m], member);
            json_object_set_object_member(object, fsn_model_classes[m]->name, member);
        }
    }
    return object;
}

JsonNode *
fsn_forecaster_to_json(const FsnForecaster *f)
{
    JsonObject *object = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_object_set_int_member(object, "format", FORMAT);
    json_object_set_int_member(object, "start_us", f->window->start_us);
    json_object_set_int_member(object, "step_us", f->window->step_us);
    fsn_json_set_floats(object, "values", f->window->values, f->window->n);
    if (isfinite(f->low)) {
        json_object_set_double_member(object, "low", f->low);
    }
    if (isfinite(f->high)) {
        json_object_set_double_member(object, "high", f->high);
    }
    json_object_set_int_member(object, "seed", (int64_t)f->seed);
    if (f->only) {
        json_object_set_string_member(object, "model", f->only);
    }
    if (f->events) {
        json_object_set_array_member(object, "events", events_json(f->events));
    }
    if (f->rule) {
        json_object_set_object_member(object, "rule", rule_json(f->rule));
    }
    if (f->prior) {
        json_object_set_object_member(object, "prior", fsn_prior_to_json(f->prior));
    }
    json_object_set_object_member(object, "members", members_json(f));
    json_object_set_object_member(object, "weights", weights_json(f));
    json_object_set_double_member(object, "level", f->level);
    json_node_take_object(node, object);
    return node;
}

static bool
read_event(JsonObject *object, FsnEvents *events, GError **error)
{
    int64_t start_us;
    int64_t end_us;
    const char *kind;

    if (!fsn_json_get_int(object, "start_us", -TIME_MAX, TIME_MAX, &start_us, error) ||
        !fsn_json_get_int(object, "end_us", start_us + 1, TIME_MAX, &end_us, error) ||
        !fsn_json_get_string(object, "kind", &kind, error)) {
        return false;
    }
    return fsn_events_add(events, start_us, end_us, kind,
                          fsn_json_peek_string(object, "name", ""), error);
}

static bool
read_events(FsnForecaster *f, JsonObject *object, GError **error)
{
    JsonArray *array;

    if (!json_object_has_member(object, "events")) {
        return true;
    }
    if (!fsn_json_get_array(object, "events", &array, error)) {
        return false;
    }
    f->events = fsn_events_new();
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *event;

        if (!fsn_json_get_element(array, i, &event, error) ||
            !read_event(event, f->events, error)) {
            return false;
        }
    }
    return true;
}

/* An optional number. */
static bool
read_bound(
    JsonObject *object, const char *name, double missing, double *out, GError **error)
{
    *out = missing;
    return !json_object_has_member(object, name) ||
           fsn_json_get_number(object, name, -1e300, 1e300, out, error);
}

static bool
read_window(FsnForecaster *f, JsonObject *object, GError **error)
{
    int64_t start_us;
    int64_t step_us;
    g_autofree double *values = NULL;
    size_t n;

    if (!fsn_json_get_int(object, "start_us", -TIME_MAX, TIME_MAX, &start_us, error) ||
        !fsn_json_get_int(object, "step_us", 1, STEP_MAX, &step_us, error) ||
        !fsn_json_get_floats(object, "values", FSN_WINDOW_VALUES, &values, &n, error)) {
        return false;
    }
    if (n == 0 ? !f->prior : isnan(values[0])) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "member 'values' does not begin with a value");
        return false;
    }
    f->window = fsn_series_new(start_us, step_us, n);
    memcpy(f->window->values, values, n * sizeof(double));
    return true;
}

static bool
read_prior(FsnForecaster *f, JsonObject *object, GError **error)
{
    JsonObject *prior;

    if (!json_object_has_member(object, "prior")) {
        return true;
    }
    if (!fsn_json_get_object(object, "prior", &prior, error)) {
        return false;
    }
    f->prior = fsn_prior_from_json(prior, error);
    return f->prior != NULL;
}

static bool
read_rule(FsnForecaster *f, JsonObject *object, GError **error)
{
    JsonObject *rule;
    g_autofree double *usual = NULL;
    size_t n;
    int64_t base_us;
    double limit;
    double notable;

    if (f->window->n == 0) {
        return true;
    }
    if (!fsn_json_get_object(object, "rule", &rule, error) ||
        !fsn_json_get_int(rule, "base_us", -TIME_MAX, TIME_MAX, &base_us, error) ||
        !fsn_json_get_floats(rule, "usual", FSN_WINDOW_VALUES, &usual, &n, error) ||
        !read_bound(rule, "limit", INFINITY, &limit, error) ||
        !read_bound(rule, "notable", INFINITY, &notable, error)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        limit = isnan(usual[i]) ? NAN : limit;
    }
    if (n == 0 || !(limit > 0)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "member 'rule' makes no sense");
        return false;
    }
    f->rule = g_new0(FsnOutlierRule, 1);
    f->rule->day = n;
    f->rule->base_us = base_us;
    f->rule->limit = limit;
    f->rule->notable = notable;
    f->rule->usual = g_steal_pointer(&usual);
    return true;
}

static bool
read_members(FsnForecaster *f, JsonObject *object, GError **error)
{
    JsonObject *members;
    bool some = false;

    if (!fsn_json_get_object(object, "members", &members, error)) {
        return false;
    }
    for (size_t m = 0; fsn_model_classes[m]; m++) {
        const char *name = fsn_model_classes[m]->name;
        JsonObject *member;

        if (!json_object_has_member(members, name)) {
            continue;
        }
        if (!fsn_json_get_object(members, name, &member, error)) {
            return false;
        }
        f->members[m] = fsn_model_classes[m]->from_json(member, error);
        if (!f->members[m]) {
            g_prefix_error(error, "model '%s': ", name);
            return false;
        }
        some = true;
    }
    if (!some && f->window->n > 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "none of its models is known to this foresnap");
        return false;
    }
    return true;
}

static bool
read_centre(FsnForecaster *f, JsonObject *weights, GError **error)
{
    JsonObject *centre;

    if (!fsn_json_get_object(weights, "centre", &centre, error)) {
        return false;
    }
    for (size_t m = 0; fsn_model_classes[m]; m++) {
        double bands[FSN_BANDS];

        if (!f->members[m]) {
            continue;
        }
        if (!fsn_json_get_numbers(centre, fsn_model_classes[m]->name, FSN_BANDS, bands,
                                  error)) {
            return false;
        }
        for (size_t b = 0; b < FSN_BANDS; b++) {
            f->weights.centre[b][m] = CLAMP(bands[b], 0, 1);
        }
    }
    return true;
}

static bool
read_own(FsnForecaster *f, JsonObject *weights, GError **error)
{
    JsonObject *own;

    if (!fsn_json_get_object(weights, "own", &own, error)) {
        return false;
    }
    for (size_t m = 0; fsn_model_classes[m]; m++) {
        double levels[FSN_FORECAST_LEVELS];

        if (!f->members[m] || !fsn_model_classes[m]->quantiles) {
            continue;
        }
        if (!fsn_json_get_numbers(own, fsn_model_classes[m]->name, FSN_FORECAST_LEVELS,
                                  levels, error)) {
            return false;
        }
        for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
            f->weights.own[l][m] = CLAMP(levels[l], 0, 1);
        }
    }
    return true;
}

static bool
read_weights(FsnForecaster *f, JsonObject *object, GError **error)
{
    JsonObject *weights;

    return fsn_json_get_object(object, "weights", &weights, error) &&
           read_centre(f, weights, error) && read_own(f, weights, error) &&
           fsn_json_get_numbers(weights, "error", CELLS, f->weights.error[0], error) &&
           fsn_json_get_numbers(weights, "shift", CELLS, f->weights.shift[0], error) &&
           read_bound(weights, "mean_error", NAN, &f->weights.mean_error, error);
}

static bool
read_all(FsnForecaster *f, JsonObject *object, GError **error)
{
    int64_t format;

    if (!fsn_json_get_int(object, "format", 1, G_MAXINT, &format, error)) {
        return false;
    }
    if (format > FORMAT) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "format %" G_GINT64_FORMAT " is newer than this foresnap", format);
        return false;
    }
    f->seed = (uint64_t)fsn_json_peek_int(object, "seed", 0);
    f->only = g_strdup(fsn_json_peek_string(object, "model", NULL));
    return read_bound(object, "low", -INFINITY, &f->low, error) &&
           read_bound(object, "high", INFINITY, &f->high, error) &&
           read_prior(f, object, error) && read_window(f, object, error) &&
           read_events(f, object, error) && read_rule(f, object, error) &&
           read_members(f, object, error) && read_weights(f, object, error) &&
           fsn_json_get_number(object, "level", 0, 1e300, &f->level, error);
}

FsnForecaster *
fsn_forecaster_from_json(JsonNode *node, GError **error)
{
    g_autoptr(FsnForecaster) f = g_new0(FsnForecaster, 1);

    if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "it is not a JSON object");
        return NULL;
    }
    if (!read_all(f, json_node_get_object(node), error)) {
        g_prefix_error(error, "cannot read the models: ");
        return NULL;
    }
    if (f->low > f->high) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "cannot read the models: the bounds exclude each other");
        return NULL;
    }
    fsn_forecaster_refill(f);
    return g_steal_pointer(&f);
}
