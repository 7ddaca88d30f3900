/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A reading as JSON, and back: how the counters outlive the process that read them. Levels
 * are not kept, for the next look has its own. */
#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "metrics/reading.h"

/* JSON has signed numbers: the largest counter is one that is not known. */
static void
set_counter(JsonObject *o, const char *name, uint64_t value)
{
    if (value <= G_MAXINT64) {
        json_object_set_int_member(o, name, (int64_t)value);
    }
}

static uint64_t
get_counter(JsonObject *o, const char *name)
{
    int64_t value = fsn_json_peek_int(o, name, -1);

    return value < 0 ? FSN_NOT_READ : (uint64_t)value;
}

static JsonArray *
disks_json(const FsnReading *r)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < r->disks->len; i++) {
        const FsnDiskReading *d = &g_array_index(r->disks, FsnDiskReading, i);
        JsonObject *o = json_object_new();

        json_object_set_string_member(o, "label", d->label);
        set_counter(o, "rb", d->read_bytes);
        set_counter(o, "rr", d->read_requests);
        set_counter(o, "wb", d->write_bytes);
        set_counter(o, "wr", d->write_requests);
        json_array_add_object_element(array, o);
    }
    return array;
}

static JsonArray *
nets_json(const FsnReading *r)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < r->nets->len; i++) {
        const FsnNetReading *n = &g_array_index(r->nets, FsnNetReading, i);
        JsonObject *o = json_object_new();

        json_object_set_string_member(o, "label", n->label);
        set_counter(o, "rx", n->rx_bytes);
        set_counter(o, "tx", n->tx_bytes);
        json_array_add_object_element(array, o);
    }
    return array;
}

static JsonArray *
vcpus_json(const FsnReading *r)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < r->vcpu_ns->len; i++) {
        uint64_t ns = g_array_index(r->vcpu_ns, uint64_t, i);

        json_array_add_int_element(array, ns <= G_MAXINT64 ? (int64_t)ns : -1);
    }
    return array;
}

JsonObject *
fsn_reading_to_json(const FsnReading *r)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "uuid", r->uuid);
    json_object_set_string_member(o, "name", r->name);
    if (r->boot) {
        json_object_set_string_member(o, "boot", r->boot);
    }
    json_object_set_int_member(o, "real_us", r->real_us);
    json_object_set_int_member(o, "boot_us", r->boot_us);
    json_object_set_int_member(o, "run", r->run);
    set_counter(o, "cpu_ns", r->cpu_ns);
    json_object_set_array_member(o, "vcpus", vcpus_json(r));
    json_object_set_array_member(o, "disks", disks_json(r));
    json_object_set_array_member(o, "nets", nets_json(r));
    return o;
}

/* The array called @name, not longer than a reading's may be. */
static bool
get_array(JsonObject *o, const char *name, JsonArray **out_array, GError **error)
{
    if (!fsn_json_get_array(o, name, out_array, error)) {
        return false;
    }
    if (json_array_get_length(*out_array) > FSN_READING_MAX) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "'%s' is too long", name);
        return false;
    }
    return true;
}

static bool
read_disks(FsnReading *r, JsonObject *from, GError **error)
{
    JsonArray *array;

    if (!get_array(from, "disks", &array, error)) {
        return false;
    }
    for (guint i = 0; i < json_array_get_length(array); i++) {
        FsnDiskReading d = { .physical = FSN_NOT_READ, .capacity = FSN_NOT_READ };
        JsonObject *o;

        if (!fsn_json_get_element(array, i, &o, error)) {
            return false;
        }
        g_strlcpy(d.label, fsn_json_peek_string(o, "label", ""), sizeof d.label);
        d.read_bytes = get_counter(o, "rb");
        d.read_requests = get_counter(o, "rr");
        d.write_bytes = get_counter(o, "wb");
        d.write_requests = get_counter(o, "wr");
        g_array_append_val(r->disks, d);
    }
    return true;
}

static bool
read_nets(FsnReading *r, JsonObject *from, GError **error)
{
    JsonArray *array;

    if (!get_array(from, "nets", &array, error)) {
        return false;
    }
    for (guint i = 0; i < json_array_get_length(array); i++) {
        FsnNetReading n = { 0 };
        JsonObject *o;

        if (!fsn_json_get_element(array, i, &o, error)) {
            return false;
        }
        g_strlcpy(n.label, fsn_json_peek_string(o, "label", ""), sizeof n.label);
        n.rx_bytes = get_counter(o, "rx");
        n.tx_bytes = get_counter(o, "tx");
        g_array_append_val(r->nets, n);
    }
    return true;
}

static bool
read_vcpus(FsnReading *r, JsonObject *from, GError **error)
{
    JsonArray *array;

    if (!get_array(from, "vcpus", &array, error)) {
        return false;
    }
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        bool known = JSON_NODE_HOLDS_VALUE(node) &&
                     json_node_get_value_type(node) == G_TYPE_INT64 &&
                     json_node_get_int(node) >= 0;
        uint64_t ns = known ? (uint64_t)json_node_get_int(node) : FSN_NOT_READ;

        g_array_append_val(r->vcpu_ns, ns);
    }
    return true;
}

FsnReading *
fsn_reading_from_json(JsonObject *object, GError **error)
{
    g_autoptr(FsnReading) r = NULL;
    const char *uuid;
    const char *name;
    int64_t real_us;
    int64_t boot_us;

    if (!fsn_json_get_string(object, "uuid", &uuid, error) ||
        !fsn_json_get_string(object, "name", &name, error) ||
        !fsn_json_get_int(object, "real_us", 0, G_MAXINT64 / 4, &real_us, error) ||
        !fsn_json_get_int(object, "boot_us", 0, G_MAXINT64 / 4, &boot_us, error)) {
        return NULL;
    }
    r = fsn_reading_new(uuid, name);
    r->real_us = real_us;
    r->boot_us = boot_us;
    r->boot = g_strdup(fsn_json_peek_string(object, "boot", NULL));
    r->run = fsn_json_peek_int(object, "run", -1);
    r->cpu_ns = get_counter(object, "cpu_ns");
    return read_disks(r, object, error) && read_nets(r, object, error) &&
                   read_vcpus(r, object, error)
               ? g_steal_pointer(&r)
               : NULL;
}
