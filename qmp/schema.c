/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The value of query-qmp-schema as a table by name. QEMU masks the names of its types (they are
 * numbers, and differ between builds), so a type is found by walking from a command whose
 * name is stable, in a fixed number of steps: no cycle in the schema can hold us. That a
 * capability is in the schema says that QEMU knows it, not that this host permits it.
 */
#include "config.h"

#include "qmp/schema.h"

#include "base/error.h"
#include "base/json.h"

struct FsnQmpSchema {
    JsonArray *entries;
    GHashTable *by_name; /* name → JsonObject, both in entries */
};

void
fsn_qmp_schema_free(FsnQmpSchema *schema)
{
    if (!schema) {
        return;
    }
    g_hash_table_unref(schema->by_name);
    json_array_unref(schema->entries);
    g_free(schema);
}

static bool
add_entry(FsnQmpSchema *schema, guint i, GError **error)
{
    JsonObject *entry;
    const char *name;

    if (!fsn_json_get_element(schema->entries, i, &entry, error) ||
        !fsn_json_get_string(entry, "name", &name, error)) {
        g_prefix_error(error, "the schema of QEMU: ");
        return false;
    }
    if (!g_hash_table_insert(schema->by_name, (gpointer)name, entry)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "the schema of QEMU has two entries '%s'", name);
        return false;
    }
    return true;
}

bool
fsn_qmp_schema_new(JsonNode *value, FsnQmpSchema **out_schema, GError **error)
{
    g_autoptr(FsnQmpSchema) schema = NULL;
    guint n;

    if (!JSON_NODE_HOLDS_ARRAY(value) ||
        json_array_get_length(json_node_get_array(value)) > FSN_QMP_MAX_SCHEMA_ENTRIES) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "the schema of QEMU is not an array of at most %d entries",
                    FSN_QMP_MAX_SCHEMA_ENTRIES);
        return false;
    }
    schema = g_new0(FsnQmpSchema, 1);
    schema->entries = json_node_dup_array(value);
    schema->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    n = json_array_get_length(schema->entries);
    for (guint i = 0; i < n; i++) {
        if (!add_entry(schema, i, error)) {
            return false;
        }
    }
    *out_schema = g_steal_pointer(&schema);
    return true;
}

bool
fsn_qmp_schema_query(FsnQmp *qmp, FsnQmpSchema **out_schema, GError **error)
{
    g_autoptr(JsonNode) value = NULL;

    return fsn_qmp_execute(qmp, "query-qmp-schema", NULL, &value, error) &&
           fsn_qmp_schema_new(value, out_schema, error);
}

/* The entry called @name if it is of kind @meta_type, else NULL. */
static JsonObject *
find_entry(const FsnQmpSchema *schema, const char *name, const char *meta_type)
{
    JsonObject *entry = name ? g_hash_table_lookup(schema->by_name, name) : NULL;

    if (!entry || !g_str_equal(fsn_json_peek_string(entry, "meta-type", ""), meta_type)) {
        return NULL;
    }
    return entry;
}

/* The member called @member of array @list of @entry (NULL: none), else NULL. */
static JsonObject *
find_member(JsonObject *entry, const char *list, const char *member)
{
    JsonArray *members;

    if (!entry || !fsn_json_get_array(entry, list, &members, NULL)) {
        return NULL;
    }
    for (guint i = 0; i < json_array_get_length(members); i++) {
        JsonObject *candidate;

        if (fsn_json_get_element(members, i, &candidate, NULL) &&
            g_str_equal(fsn_json_peek_string(candidate, "name", ""), member)) {
            return candidate;
        }
    }
    return NULL;
}

/* The member called @argument of what @command takes, else NULL. */
static JsonObject *
find_argument(const FsnQmpSchema *schema, const char *command, const char *argument)
{
    JsonObject *entry = find_entry(schema, command, "command");
    const char *type = entry ? fsn_json_peek_string(entry, "arg-type", NULL) : NULL;

    return find_member(find_entry(schema, type, "object"), "members", argument);
}

static const char *
peek_type(JsonObject *member, const char *name)
{
    return member ? fsn_json_peek_string(member, name, NULL) : NULL;
}

/* True if enum @entry has @value. Newer QEMUs list "members" and keep "values" for old readers. */
static bool
enum_has_value(JsonObject *entry, const char *value)
{
    JsonArray *values;

    if (find_member(entry, "members", value)) {
        return true;
    }
    if (!entry || !fsn_json_get_array(entry, "values", &values, NULL)) {
        return false;
    }
    for (guint i = 0; i < json_array_get_length(values); i++) {
        JsonNode *node = json_array_get_element(values, i);

        if (JSON_NODE_HOLDS_VALUE(node) &&
            g_strcmp0(json_node_get_string(node), value) == 0) {
            return true;
        }
    }
    return false;
}

bool
fsn_qmp_schema_has_command(const FsnQmpSchema *schema, const char *command)
{
    return find_entry(schema, command, "command") != NULL;
}

bool
fsn_qmp_schema_has_event(const FsnQmpSchema *schema, const char *event)
{
    return find_entry(schema, event, "event") != NULL;
}

bool
fsn_qmp_schema_has_argument(const FsnQmpSchema *schema,
                            const char *command,
                            const char *argument)
{
    return find_argument(schema, command, argument) != NULL;
}

bool
fsn_qmp_schema_has_capability(const FsnQmpSchema *schema, const char *capability)
{
    /* migrate-set-capabilities takes {capabilities: [{capability: enum, state: bool}]}. */
    JsonObject *argument =
        find_argument(schema, "migrate-set-capabilities", "capabilities");
    JsonObject *array = find_entry(schema, peek_type(argument, "type"), "array");
    JsonObject *status = find_entry(schema, peek_type(array, "element-type"), "object");
    JsonObject *member = find_member(status, "members", "capability");
    JsonObject *names = find_entry(schema, peek_type(member, "type"), "enum");

    return enum_has_value(names, capability);
}
