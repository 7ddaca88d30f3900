/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration around a domain, to and from JSON. Pure. What is read here is defined in
 * libvirt later, so it is checked here.
 */
#include "config.h"

#include "cycle/config-record.h"

#include "base/error.h"
#include "base/json.h"

#include <string.h>

#define CONFIG_VERSION 1
#define MAX_NAME       256

FsnConfigRecord *
fsn_config_record_new(void)
{
    FsnConfigRecord *record = g_new0(FsnConfigRecord, 1);

    record->things = g_ptr_array_new_with_free_func(fsn_dependency_free);
    record->missing = g_ptr_array_new_with_free_func(g_free);
    record->facts = json_object_new();
    return record;
}

void
fsn_config_record_free(FsnConfigRecord *record)
{
    if (record) {
        g_ptr_array_unref(record->things);
        g_ptr_array_unref(record->missing);
        json_object_unref(record->facts);
        g_free(record);
    }
}

static JsonObject *
thing_json(const FsnDependency *d)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "kind", fsn_dependency_name(d->kind));
    json_object_set_string_member(o, "name", d->name);
    if (d->kind != FSN_DEPENDENCY_FILTER) {
        json_object_set_boolean_member(o, "active", d->active);
        json_object_set_boolean_member(o, "autostart", d->autostart);
        json_object_set_boolean_member(o, "persistent", d->persistent);
    }
    json_object_set_string_member(o, "xml", d->xml);
    return o;
}

static JsonArray *
strings_json(const GPtrArray *strings)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < strings->len; i++) {
        json_array_add_string_element(array, strings->pdata[i]);
    }
    return array;
}

GBytes *
fsn_config_record_bytes(const FsnConfigRecord *record)
{
    g_autoptr(JsonObject) o = json_object_new();
    JsonArray *things = json_array_new();
    char *text;

    for (guint i = 0; i < record->things->len; i++) {
        json_array_add_object_element(things, thing_json(record->things->pdata[i]));
    }
    json_object_set_int_member(o, "version", CONFIG_VERSION);
    json_object_set_array_member(o, "needs", things);
    json_object_set_array_member(o, "missing", strings_json(record->missing));
    json_object_set_object_member(o, "facts", json_object_ref(record->facts));
    text = fsn_json_to_text(o, true);
    return g_bytes_new_take(text, strlen(text));
}

static bool
read_kind(JsonObject *o, FsnDependencyKind *out_kind, GError **error)
{
    const char *word;

    if (!fsn_json_get_string(o, "kind", &word, error)) {
        return false;
    }
    for (FsnDependencyKind kind = 0; kind < FSN_N_DEPENDENCIES; kind++) {
        if (strcmp(word, fsn_dependency_name(kind)) == 0) {
            *out_kind = kind;
            return true;
        }
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "'%.40s' is no kind of dependency",
                word);
    return false;
}

static bool
is_listed(const GPtrArray *things, FsnDependencyKind kind, const char *name)
{
    for (guint i = 0; i < things->len; i++) {
        const FsnDependency *d = things->pdata[i];

        if (d->kind == kind && strcmp(d->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool
read_thing(JsonObject *o, GPtrArray *things, GError **error)
{
    FsnDependencyKind kind;
    FsnDependency *d;
    const char *name;
    const char *xml;

    if (!read_kind(o, &kind, error) || !fsn_json_get_string(o, "name", &name, error) ||
        !fsn_json_get_string(o, "xml", &xml, error)) {
        return false;
    }
    if (!*name || strlen(name) > MAX_NAME || is_listed(things, kind, name)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "the name '%.40s' of a %s is empty, too long or there twice", name,
                    fsn_dependency_name(kind));
        return false;
    }
    if (!fsn_dependency_check(kind, name, xml, error)) {
        return false;
    }
    d = g_new0(FsnDependency, 1);
    d->kind = kind;
    d->name = g_strdup(name);
    d->xml = g_strdup(xml);
    d->active = fsn_json_peek_bool(o, "active", false);
    d->autostart = fsn_json_peek_bool(o, "autostart", false);
    d->persistent = fsn_json_peek_bool(o, "persistent", true);
    g_ptr_array_add(things, d);
    return true;
}

static bool
read_things(JsonObject *o, GPtrArray *things, GError **error)
{
    JsonArray *array;

    if (!fsn_json_get_array(o, "needs", &array, error)) {
        return false;
    }
    if (json_array_get_length(array) > FSN_CONFIG_MAX_THINGS) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "it lists more than %d dependencies", FSN_CONFIG_MAX_THINGS);
        return false;
    }
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *thing;

        if (!fsn_json_get_element(array, i, &thing, error) ||
            !read_thing(thing, things, error)) {
            return false;
        }
    }
    return true;
}

FsnConfigRecord *
fsn_config_record_parse(GBytes *bytes, GError **error)
{
    static const char what[] = "the snapshot's configuration";
    g_autoptr(FsnConfigRecord) record = fsn_config_record_new();
    g_autoptr(JsonObject) o = NULL;
    gsize len;
    const char *text = g_bytes_get_data(bytes, &len);
    JsonObject *facts;
    int64_t version;

    if (!fsn_json_parse_object(text, len, FSN_CONFIG_MAX, what, &o, error)) {
        return NULL;
    }
    if (!fsn_json_get_int(o, "version", CONFIG_VERSION, CONFIG_VERSION, &version,
                          error) ||
        !read_things(o, record->things, error) ||
        !fsn_json_get_object(o, "facts", &facts, error)) {
        g_prefix_error(error, "%s: ", what);
        return NULL;
    }
    json_object_unref(record->facts);
    record->facts = json_object_ref(facts);
    return g_steal_pointer(&record);
}

JsonObject *
fsn_config_record_reference(const FsnConfigRecord *record, const char *object)
{
    static const char *const members[FSN_N_DEPENDENCIES] = {
        [FSN_DEPENDENCY_FILTER] = "filters",
        [FSN_DEPENDENCY_NETWORK] = "networks",
        [FSN_DEPENDENCY_POOL] = "pools",
    };
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "object", object);
    for (FsnDependencyKind kind = 0; kind < FSN_N_DEPENDENCIES; kind++) {
        JsonArray *array = json_array_new();

        for (guint i = 0; i < record->things->len; i++) {
            const FsnDependency *d = record->things->pdata[i];

            if (d->kind == kind) {
                json_array_add_string_element(array, d->name);
            }
        }
        json_object_set_array_member(o, members[kind], array);
    }
    json_object_set_array_member(o, "missing", strings_json(record->missing));
    return o;
}
