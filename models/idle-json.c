/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VM's model as JSON: weights by the name of their feature, so that a later foresnap with other
 * features takes what it knows and its own prior for the rest. Any JSON ends in a model
 * within bounds or in an error.
 */
#include "models/idle-private.h"

#include "base/error.h"
#include "base/json.h"
#include "models/idle-prior.h"
#include "models/json-values.h"

#include <math.h>
#include <string.h>

#define WEIGHT_MAX 1000.

static const char *const target_names[FSN_IDLE_TARGETS] = { "within_15", "within_60" };

static const char *
column_name(const FsnIdle *idle, size_t j)
{
    return j < fsn_idle_prior_count ? fsn_idle_prior[j].name
                                    : idle->extra_names[j - fsn_idle_prior_count];
}

JsonNode *
fsn_idle_to_json(const FsnIdle *idle)
{
    JsonObject *object = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_object_set_int_member(object, "version", FSN_IDLE_VERSION);
    json_object_set_int_member(object, "samples", (int64_t)idle->samples);
    for (size_t t = 0; t < FSN_IDLE_TARGETS; t++) {
        const FsnIdleTarget *target = &idle->targets[t];
        JsonObject *own = json_object_new();
        JsonObject *weights = json_object_new();

        for (size_t j = 0; j < idle->columns; j++) {
            json_object_set_double_member(weights, column_name(idle, j),
                                          target->weights[j]);
        }
        json_object_set_double_member(own, "scale", target->scale);
        json_object_set_double_member(own, "offset", target->offset);
        json_object_set_object_member(own, "weights", weights);
        json_object_set_object_member(object, target_names[t], own);
    }
    json_node_take_object(node, object);
    return node;
}

/* The columns of this VM's own, in the order in which they stand there. */
static bool
read_extra_names(FsnIdle *idle, JsonObject *weights, GError **error)
{
    g_autoptr(GList) names = json_object_get_members(weights);

    for (GList *l = names; l; l = l->next) {
        const char *name = l->data;
        bool is_event = g_str_has_prefix(name, "event.");

        if (!is_event && !g_str_has_prefix(name, "series.")) {
            continue;
        }
        const char *rest = strchr(name, '.') + 1;

        if ((!g_str_has_prefix(rest, "now.") && !g_str_has_prefix(rest, "hour.")) ||
            strlen(name) > 128 || idle->n_extras == FSN_IDLE_EXTRA_COLUMNS) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                        "a column that cannot be: '%.128s'", name);
            return false;
        }
        idle->extra_names[idle->n_extras++] = g_strdup(name);
    }
    idle->columns += idle->n_extras;
    return true;
}

static bool
read_target(FsnIdle *idle, JsonObject *object, size_t t, GError **error)
{
    FsnIdleTarget *target = &idle->targets[t];
    JsonObject *own, *weights;

    if (!fsn_json_get_object(object, target_names[t], &own, error) ||
        !fsn_json_get_number(own, "scale", .3, 2, &target->scale, error) ||
        !fsn_json_get_number(own, "offset", -2, 2, &target->offset, error) ||
        !fsn_json_get_object(own, "weights", &weights, error) ||
        (t == 0 && !read_extra_names(idle, weights, error))) {
        return false;
    }
    for (size_t j = 0; j < idle->columns; j++) {
        const char *name = column_name(idle, j);

        if (json_object_has_member(weights, name) &&
            !fsn_json_get_number(weights, name, -WEIGHT_MAX, WEIGHT_MAX,
                                 &target->weights[j], error)) {
            return false;
        }
    }
    return true;
}

FsnIdle *
fsn_idle_from_json(JsonNode *node, GError **error)
{
    g_autoptr(FsnIdle) idle = fsn_idle_new();
    int64_t version, samples;

    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "the idle model is no object");
        return NULL;
    }
    JsonObject *object = json_node_get_object(node);

    if (!fsn_json_get_int(object, "version", 1, G_MAXINT64, &version, error)) {
        return NULL;
    }
    if (version > FSN_IDLE_VERSION) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "the idle model has version %" G_GINT64_FORMAT
                    ", and this foresnap knows %d",
                    version, FSN_IDLE_VERSION);
        return NULL;
    }
    if (!fsn_json_get_int(object, "samples", 0, FSN_IDLE_SAMPLES_MAX, &samples, error)) {
        return NULL;
    }
    idle->samples = (size_t)samples;
    for (size_t t = 0; t < FSN_IDLE_TARGETS; t++) {
        if (!read_target(idle, object, t, error)) {
            g_prefix_error(error, "idle model: %s: ", target_names[t]);
            return NULL;
        }
    }
    return g_steal_pointer(&idle);
}
