/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands for bitmaps, descriptor sets and scratch images: each function is one QMP command,
 * its arguments and its result typed. Nothing is cached and nothing is decided here.
 */
#include "config.h"

#include "qmp/commands-block.h"

#include "base/error.h"
#include "base/json.h"
#include "qmp/words.h"

static JsonObject *
bitmap_arguments(const char *node, const char *name)
{
    JsonObject *arguments = json_object_new();

    json_object_set_string_member(arguments, "node", node);
    json_object_set_string_member(arguments, "name", name);
    return arguments;
}

bool
fsn_qmp_bitmap_add(FsnQmp *qmp,
                   const char *node,
                   const char *name,
                   uint32_t granularity,
                   bool persistent,
                   GError **error)
{
    g_autoptr(JsonObject) arguments = bitmap_arguments(node, name);

    json_object_set_int_member(arguments, "granularity", granularity);
    json_object_set_boolean_member(arguments, "persistent", persistent);
    return fsn_qmp_execute_judged(qmp, "block-dirty-bitmap-add", arguments, error);
}

bool
fsn_qmp_bitmap_remove(FsnQmp *qmp, const char *node, const char *name, GError **error)
{
    g_autoptr(JsonObject) arguments = bitmap_arguments(node, name);

    return fsn_qmp_execute_judged(qmp, "block-dirty-bitmap-remove", arguments, error);
}

bool
fsn_qmp_bitmap_enable(FsnQmp *qmp, const char *node, const char *name, GError **error)
{
    g_autoptr(JsonObject) arguments = bitmap_arguments(node, name);

    return fsn_qmp_execute_judged(qmp, "block-dirty-bitmap-enable", arguments, error);
}

bool
fsn_qmp_bitmap_disable(FsnQmp *qmp, const char *node, const char *name, GError **error)
{
    g_autoptr(JsonObject) arguments = bitmap_arguments(node, name);

    return fsn_qmp_execute_judged(qmp, "block-dirty-bitmap-disable", arguments, error);
}

bool
fsn_qmp_add_fdset(FsnQmp *qmp, int fd, int64_t *out_set_id, GError **error)
{
    g_autoptr(JsonNode) value = NULL;
    int64_t set_id;

    if (!fsn_qmp_execute_full(qmp, "add-fd", NULL, &fd, 1, fsn_qmp_get_timeout(qmp),
                              &value, error)) {
        return false;
    }
    if (!JSON_NODE_HOLDS_OBJECT(value)) {
        g_set_error_literal(error, FSN_ERROR, FSN_ERROR_FORMAT,
                            "QMP command 'add-fd': the value returned is not an object");
        return false;
    }
    if (!fsn_json_get_int(json_node_get_object(value), "fdset-id", 0, INT64_MAX, &set_id,
                          error)) {
        g_prefix_error(error, "the answer to 'add-fd': ");
        return false;
    }
    *out_set_id = set_id;
    return true;
}

bool
fsn_qmp_remove_fdset(FsnQmp *qmp, int64_t set_id, GError **error)
{
    g_autoptr(JsonObject) arguments = json_object_new();

    json_object_set_int_member(arguments, "fdset-id", set_id);
    return fsn_qmp_execute_judged(qmp, "remove-fd", arguments, error);
}

bool
fsn_qmp_add_scratch(FsnQmp *qmp,
                    const char *node_name,
                    int64_t set_id,
                    const char *backing,
                    GError **error)
{
    g_autofree char *path = g_strdup_printf("/dev/fdset/%" G_GINT64_FORMAT, set_id);
    g_autoptr(JsonObject) arguments = json_object_new();
    JsonObject *file = json_object_new();

    json_object_set_string_member(file, "driver", "file");
    json_object_set_string_member(file, "filename", path);
    json_object_set_string_member(arguments, "driver", "qcow2");
    json_object_set_string_member(arguments, "node-name", node_name);
    json_object_set_string_member(arguments, "detect-zeroes", "off");
    json_object_set_object_member(arguments, "file", file);
    json_object_set_string_member(arguments, "backing", backing);
    return fsn_qmp_execute_judged(qmp, "blockdev-add", arguments, error);
}

bool
fsn_qmp_add_access(FsnQmp *qmp, const char *node_name, const char *filter, GError **error)
{
    g_autoptr(JsonObject) arguments = json_object_new();

    json_object_set_string_member(arguments, "driver", "snapshot-access");
    json_object_set_string_member(arguments, "node-name", node_name);
    json_object_set_string_member(arguments, "file", filter);
    json_object_set_string_member(arguments, "discard", "unmap");
    return fsn_qmp_execute_judged(qmp, "blockdev-add", arguments, error);
}

bool
fsn_qmp_blockdev_del(FsnQmp *qmp, const char *node_name, GError **error)
{
    g_autoptr(JsonObject) arguments = json_object_new();

    json_object_set_string_member(arguments, "node-name", node_name);
    return fsn_qmp_execute_judged(qmp, "blockdev-del", arguments, error);
}
