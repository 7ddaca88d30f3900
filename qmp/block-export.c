/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The NBD server inside QEMU. Each function but the one that waits is one QMP command (a
 * failed start takes back the descriptor as well). Whose server it is that runs cannot be
 * asked: whoever started it knows.
 */
#include "config.h"

#include "qmp/block-export.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "qmp/commands-status.h"
#include "qmp/words.h"

#define POLL_US 5000

bool
fsn_qmp_nbd_server_start_fd(FsnQmp *qmp,
                            const char *fdname,
                            unsigned max_connections,
                            GError **error)
{
    g_autoptr(JsonObject) arguments = json_object_new();
    g_autoptr(GError) local = NULL;
    JsonObject *address = json_object_new();
    JsonObject *data = json_object_new();

    json_object_set_string_member(data, "str", fdname);
    json_object_set_string_member(address, "type", "fd");
    json_object_set_object_member(address, "data", data);
    json_object_set_object_member(arguments, "addr", address);
    json_object_set_int_member(arguments, "max-connections", max_connections);
    if (fsn_qmp_execute_judged(qmp, "nbd-server-start", arguments, &local)) {
        return true;
    }
    if (!fsn_qmp_closefd(qmp, fdname, NULL)) {
        g_debug("QEMU had taken '%s' already", fdname);
    }
    if (g_error_matches(local, FSN_ERROR, FSN_ERROR_BUSY)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                    "QEMU's only NBD server is in use by another backup; try again when "
                    "that has ended");
    } else {
        g_propagate_error(error, g_steal_pointer(&local));
    }
    return false;
}

bool
fsn_qmp_nbd_server_stop(FsnQmp *qmp, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (fsn_qmp_execute_judged(qmp, "nbd-server-stop", NULL, &local)) {
        return true;
    }
    if (g_error_matches(local, FSN_ERROR, FSN_ERROR_STATE) &&
        g_str_has_prefix(local->message, "QEMU: ")) {
        local->code = FSN_ERROR_NOT_FOUND;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

static JsonArray *
bitmaps_of(const char *bitmap_node, const char *bitmap)
{
    JsonArray *bitmaps = json_array_new();
    JsonObject *reference;

    if (!bitmap_node) {
        json_array_add_string_element(bitmaps, bitmap);
        return bitmaps;
    }
    reference = json_object_new();
    json_object_set_string_member(reference, "node", bitmap_node);
    json_object_set_string_member(reference, "name", bitmap);
    json_array_add_object_element(bitmaps, reference);
    return bitmaps;
}

static JsonObject *
export_arguments(const char *id, const char *node, const char *name, bool writable)
{
    JsonObject *arguments = json_object_new();

    json_object_set_string_member(arguments, "type", "nbd");
    json_object_set_string_member(arguments, "id", id);
    json_object_set_string_member(arguments, "node-name", node);
    json_object_set_string_member(arguments, "name", name);
    json_object_set_boolean_member(arguments, "writable", writable);
    return arguments;
}

static bool
export_add(FsnQmp *qmp,
           const char *id,
           const char *node,
           const char *name,
           bool writable,
           const char *bitmap_node,
           const char *bitmap,
           GError **error)
{
    g_autoptr(JsonObject) arguments = export_arguments(id, node, name, writable);

    if (bitmap) {
        json_object_set_array_member(arguments, "bitmaps",
                                     bitmaps_of(bitmap_node, bitmap));
    }
    return fsn_qmp_execute_judged(qmp, "block-export-add", arguments, error);
}

bool
fsn_qmp_export_add(FsnQmp *qmp,
                   const char *id,
                   const char *node,
                   const char *name,
                   const char *bitmap_node,
                   const char *bitmap,
                   GError **error)
{
    return export_add(qmp, id, node, name, false, bitmap_node, bitmap, error);
}

bool
fsn_qmp_export_add_access(FsnQmp *qmp,
                          const char *id,
                          const char *node,
                          const char *name,
                          const char *bitmap_node,
                          const char *bitmap,
                          GError **error)
{
    return export_add(qmp, id, node, name, true, bitmap_node, bitmap, error);
}

bool
fsn_qmp_export_add_depth(
    FsnQmp *qmp, const char *id, const char *node, const char *name, GError **error)
{
    g_autoptr(JsonObject) arguments = export_arguments(id, node, name, false);

    json_object_set_boolean_member(arguments, "allocation-depth", true);
    return fsn_qmp_execute_judged(qmp, "block-export-add", arguments, error);
}

bool
fsn_qmp_export_del(FsnQmp *qmp, const char *id, bool hard, GError **error)
{
    g_autoptr(JsonObject) arguments = json_object_new();

    json_object_set_string_member(arguments, "id", id);
    json_object_set_string_member(arguments, "mode", hard ? "hard" : "safe");
    return fsn_qmp_execute_judged(qmp, "block-export-del", arguments, error);
}

static void
export_free(gpointer data)
{
    FsnBlockExport *export = data;

    g_free(export->id);
    g_free(export->type);
    g_free(export->node);
    g_free(export);
}

static bool
read_export(JsonObject *object, GPtrArray *exports, GError **error)
{
    const char *id, *type, *node;
    FsnBlockExport *export;

    if (!fsn_json_get_string(object, "id", &id, error) ||
        !fsn_json_get_string(object, "type", &type, error) ||
        !fsn_json_get_string(object, "node-name", &node, error)) {
        return false;
    }
    export = g_new0(FsnBlockExport, 1);
    export->id = g_strdup(id);
    export->type = g_strdup(type);
    export->node = g_strdup(node);
    export->shutting_down = fsn_json_peek_bool(object, "shutting-down", false);
    g_ptr_array_add(exports, export);
    return true;
}

bool
fsn_qmp_query_exports(FsnQmp *qmp, GPtrArray **out_exports, GError **error)
{
    g_autoptr(GPtrArray) exports = g_ptr_array_new_with_free_func(export_free);
    g_autoptr(JsonNode) value = NULL;
    JsonArray *array;

    if (!fsn_qmp_execute(qmp, "query-block-exports", NULL, &value, error)) {
        return false;
    }
    if (!JSON_NODE_HOLDS_ARRAY(value)) {
        g_set_error_literal(error, FSN_ERROR, FSN_ERROR_FORMAT,
                            "the answer to 'query-block-exports': not an array");
        return false;
    }
    array = json_node_get_array(value);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *object;

        if (!fsn_json_get_element(array, i, &object, error) ||
            !read_export(object, exports, error)) {
            g_prefix_error(error, "the answer to 'query-block-exports': ");
            return false;
        }
    }
    *out_exports = g_steal_pointer(&exports);
    return true;
}

static bool
has_export(const GPtrArray *exports, const char *id)
{
    for (guint i = 0; i < exports->len; i++) {
        if (g_str_equal(((FsnBlockExport *)exports->pdata[i])->id, id)) {
            return true;
        }
    }
    return false;
}

bool
fsn_qmp_export_wait_gone(FsnQmp *qmp, const char *id, int64_t timeout_us, GError **error)
{
    int64_t end_us = fsn_monotonic_us() + timeout_us;

    /* Asked again and again: no event reaches us through libvirt's monitor. */
    for (;;) {
        g_autoptr(GPtrArray) exports = NULL;

        if (!fsn_qmp_query_exports(qmp, &exports, error)) {
            return false;
        }
        if (!has_export(exports, id)) {
            return true;
        }
        if (fsn_monotonic_us() >= end_us) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT,
                        "export '%s' is still there after %.1f s", id,
                        (double)timeout_us / 1e6);
            return false;
        }
        g_usleep(POLL_US);
    }
}
