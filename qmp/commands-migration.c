/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Migration commands of QMP, typed. Nothing is cached and nothing is decided here; which
 * capabilities a migration needs is its owner's to say.
 */
#include "config.h"

#include "qmp/commands-migration.h"

#include "base/error.h"
#include "base/json.h"
#include "qmp/words.h"

bool
fsn_qmp_migrate_set_capabilities(FsnQmp *qmp,
                                 const FsnMigrationCapability *capabilities,
                                 size_t n,
                                 GError **error)
{
    g_autoptr(JsonObject) arguments = json_object_new();
    JsonArray *array = json_array_new();

    for (size_t i = 0; i < n; i++) {
        JsonObject *status = json_object_new();

        json_object_set_string_member(status, "capability", capabilities[i].name);
        json_object_set_boolean_member(status, "state", capabilities[i].state);
        json_array_add_object_element(array, status);
    }
    json_object_set_array_member(arguments, "capabilities", array);
    return fsn_qmp_execute_judged(qmp, "migrate-set-capabilities", arguments, error);
}

static bool
read_enabled(JsonNode *value, GHashTable *enabled, GError **error)
{
    JsonArray *array;

    if (!JSON_NODE_HOLDS_ARRAY(value)) {
        g_set_error_literal(error, FSN_ERROR, FSN_ERROR_FORMAT, "not an array");
        return false;
    }
    array = json_node_get_array(value);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *status;
        const char *name;

        if (!fsn_json_get_element(array, i, &status, error) ||
            !fsn_json_get_string(status, "capability", &name, error)) {
            return false;
        }
        if (fsn_json_peek_bool(status, "state", false)) {
            g_hash_table_add(enabled, g_strdup(name));
        }
    }
    return true;
}

bool
fsn_qmp_query_migrate_capabilities(FsnQmp *qmp, GHashTable **out_enabled, GError **error)
{
    g_autoptr(GHashTable) enabled =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(JsonNode) value = NULL;

    if (!fsn_qmp_execute(qmp, "query-migrate-capabilities", NULL, &value, error)) {
        return false;
    }
    if (!read_enabled(value, enabled, error)) {
        g_prefix_error(error, "the answer to 'query-migrate-capabilities': ");
        return false;
    }
    *out_enabled = g_steal_pointer(&enabled);
    return true;
}

static void
set_known(JsonObject *object, const char *name, int64_t value)
{
    if (value >= 0) {
        json_object_set_int_member(object, name, value);
    }
}

bool
fsn_qmp_migrate_set_parameters(FsnQmp *qmp,
                               const FsnMigrationParameters *parameters,
                               GError **error)
{
    g_autoptr(JsonObject) arguments = json_object_new();

    set_known(arguments, "max-bandwidth", parameters->max_bandwidth);
    set_known(arguments, "downtime-limit", parameters->downtime_limit_ms);
    set_known(arguments, "max-postcopy-bandwidth", parameters->max_postcopy_bandwidth);
    return fsn_qmp_execute(qmp, "migrate-set-parameters", arguments, NULL, error);
}

/* QEMU's numbers are unsigned; one beyond INT64_MAX is as good as that. */
static int64_t
peek_parameter(JsonObject *object, const char *name)
{
    int64_t value = fsn_json_peek_int(object, name, 0);

    if (!json_object_has_member(object, name)) {
        return -1;
    }
    return value < 0 ? INT64_MAX : value;
}

bool
fsn_qmp_query_migrate_parameters(FsnQmp *qmp,
                                 FsnMigrationParameters *out_parameters,
                                 GError **error)
{
    g_autoptr(JsonObject) value = NULL;

    if (!fsn_qmp_execute_object(qmp, "query-migrate-parameters", NULL, &value, error)) {
        return false;
    }
    out_parameters->max_bandwidth = peek_parameter(value, "max-bandwidth");
    out_parameters->downtime_limit_ms = peek_parameter(value, "downtime-limit");
    out_parameters->max_postcopy_bandwidth =
        peek_parameter(value, "max-postcopy-bandwidth");
    return true;
}

static bool
execute_with_uri(FsnQmp *qmp, const char *command, const char *uri, GError **error)
{
    g_autoptr(JsonObject) arguments = json_object_new();

    if (g_str_has_prefix(uri, "exec:")) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%s' of '%s' is refused: QEMU in a sandbox dies of it", command,
                    uri);
        return false;
    }
    json_object_set_string_member(arguments, "uri", uri);
    return fsn_qmp_execute(qmp, command, arguments, NULL, error);
}

bool
fsn_qmp_migrate(FsnQmp *qmp, const char *uri, GError **error)
{
    return execute_with_uri(qmp, "migrate", uri, error);
}

bool
fsn_qmp_migrate_incoming(FsnQmp *qmp, const char *uri, GError **error)
{
    return execute_with_uri(qmp, "migrate-incoming", uri, error);
}

bool
fsn_qmp_migrate_cancel(FsnQmp *qmp, GError **error)
{
    return fsn_qmp_execute(qmp, "migrate_cancel", NULL, NULL, error);
}

bool
fsn_qmp_migrate_recover(FsnQmp *qmp, const char *uri, GError **error)
{
    return execute_with_uri(qmp, "migrate-recover", uri, error);
}

bool
fsn_qmp_migrate_pause(FsnQmp *qmp, GError **error)
{
    return fsn_qmp_execute(qmp, "migrate-pause", NULL, NULL, error);
}

bool
fsn_qmp_migrate_continue(FsnQmp *qmp, GError **error)
{
    g_autoptr(JsonObject) arguments = json_object_new();

    json_object_set_string_member(arguments, "state", "pre-switchover");
    return fsn_qmp_execute(qmp, "migrate-continue", arguments, NULL, error);
}

bool
fsn_qmp_migration_is_connected(FsnQmp *qmp, bool *out_connected, GError **error)
{
    g_autoptr(JsonNode) node = NULL;
    g_autoptr(GError) local = NULL;
    JsonArray *instances;
    bool connected = false;

    if (!fsn_qmp_execute(qmp, "query-yank", NULL, &node, &local)) {
        if (g_error_matches(local, FSN_ERROR, FSN_ERROR_UNSUPPORTED)) {
            *out_connected = false;
            return true;
        }
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    if (!node || !JSON_NODE_HOLDS_ARRAY(node)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "query-yank returned no list");
        return false;
    }
    instances = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(instances); i++) {
        JsonObject *instance;

        if (!fsn_json_get_element(instances, i, &instance, error)) {
            return false;
        }
        connected = connected ||
                    g_str_equal(fsn_json_peek_string(instance, "type", ""), "migration");
    }
    *out_connected = connected;
    return true;
}
