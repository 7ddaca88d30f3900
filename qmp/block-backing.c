/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes to put below an image, and the command that does it. blockdev-reopen takes what is not
 * named for its default, so what QEMU states of the node is named again.
 */
#include "config.h"

#include "qmp/block-backing.h"

#include "base/error.h"
#include "base/json.h"
#include "qmp/block-nodes.h"
#include "qmp/words.h"

#include <string.h>

void
fsn_qcow2_node_clear(FsnQcow2Node *node)
{
    g_clear_pointer(&node->node, g_free);
    g_clear_pointer(&node->file, g_free);
    g_clear_pointer(&node->detect_zeroes, g_free);
}

static void
take_node(JsonObject *o, FsnQcow2Node *node)
{
    JsonObject *cache;

    node->node = g_strdup(fsn_json_peek_string(o, "node-name", ""));
    node->detect_zeroes = g_strdup(fsn_json_peek_string(o, "detect_zeroes", "off"));
    node->backing = json_object_has_member(o, "backing_file");
    if (fsn_json_get_object(o, "cache", &cache, NULL)) {
        node->direct = fsn_json_peek_bool(cache, "direct", false);
        node->no_flush = fsn_json_peek_bool(cache, "no-flush", false);
    }
}

/* By the device: the name of a node whose backing image is not that of its header is a
 * description in JSON. */
static bool
find_name(
    FsnQmp *qmp, const char *alias, const char *path, char **out_name, GError **error)
{
    g_autoptr(GPtrArray) devices = NULL;
    const FsnBlockDevice *device;

    if (!fsn_qmp_query_block_devices(qmp, &devices, error)) {
        return false;
    }
    device = fsn_block_device_find(devices, alias);
    if (!device || !device->node) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "QEMU does not have the image '%s' open", path);
        return false;
    }
    if (g_strcmp0(device->driver, "qcow2") != 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                    "a job of QEMU is under way on the image '%s'", path);
        return false;
    }
    *out_name = g_strdup(device->node);
    return true;
}

static bool
read_nodes(JsonArray *nodes,
           const char *name,
           const char *path,
           FsnQcow2Node *found,
           GError **error)
{
    for (guint i = 0; i < json_array_get_length(nodes); i++) {
        JsonObject *o;

        if (!fsn_json_get_element(nodes, i, &o, error)) {
            return false;
        }
        if (g_str_equal(fsn_json_peek_string(o, "node-name", ""), name)) {
            take_node(o, found);
        } else if (g_str_equal(fsn_json_peek_string(o, "drv", ""), "file") &&
                   g_str_equal(fsn_json_peek_string(o, "file", ""), path) &&
                   !found->file) {
            found->file = g_strdup(fsn_json_peek_string(o, "node-name", ""));
        }
    }
    if (!found->node || !found->file) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "QEMU does not have the image '%s' open", path);
        return false;
    }
    return true;
}

bool
fsn_qmp_find_qcow2(FsnQmp *qmp,
                   const char *alias,
                   const char *path,
                   FsnQcow2Node *out_node,
                   GError **error)
{
    g_autofree char *name = NULL;
    g_autoptr(JsonObject) arguments = json_object_new();
    g_autoptr(JsonNode) value = NULL;
    g_auto(FsnQcow2Node) found = { 0 };

    json_object_set_boolean_member(arguments, "flat", true);
    if (!find_name(qmp, alias, path, &name, error) ||
        !fsn_qmp_execute(qmp, "query-named-block-nodes", arguments, &value, error)) {
        return false;
    }
    if (!JSON_NODE_HOLDS_ARRAY(value)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "the answer to 'query-named-block-nodes' is no list");
        return false;
    }
    if (!read_nodes(json_node_get_array(value), name, path, &found, error)) {
        return false;
    }
    *out_node = found;
    memset(&found, 0, sizeof found); /* given away */
    return true;
}

bool
fsn_qmp_add_nbd_client(FsnQmp *qmp,
                       const char *name,
                       const char *socket,
                       unsigned reconnect_s,
                       GError **error)
{
    g_autoptr(JsonObject) arguments = json_object_new();
    JsonObject *server = json_object_new();

    json_object_set_string_member(server, "type", "unix");
    json_object_set_string_member(server, "path", socket);
    json_object_set_string_member(arguments, "driver", "nbd");
    json_object_set_string_member(arguments, "node-name", name);
    json_object_set_boolean_member(arguments, "read-only", true);
    json_object_set_int_member(arguments, "reconnect-delay", reconnect_s);
    json_object_set_object_member(arguments, "server", server);
    return fsn_qmp_execute_judged(qmp, "blockdev-add", arguments, error);
}

bool
fsn_qmp_add_empty(FsnQmp *qmp, const char *name, GError **error)
{
    g_autoptr(JsonObject) arguments = json_object_new();

    json_object_set_string_member(arguments, "driver", "null-co");
    json_object_set_string_member(arguments, "node-name", name);
    json_object_set_boolean_member(arguments, "read-only", true);
    json_object_set_boolean_member(arguments, "read-zeroes", true);
    json_object_set_int_member(arguments, "size", 0);
    return fsn_qmp_execute_judged(qmp, "blockdev-add", arguments, error);
}

bool
fsn_qmp_set_backing(FsnQmp *qmp,
                    const FsnQcow2Node *node,
                    const char *discard,
                    const char *backing,
                    GError **error)
{
    g_autoptr(JsonObject) arguments = json_object_new();
    JsonArray *all = json_array_new();
    JsonObject *options = json_object_new();
    JsonObject *cache = json_object_new();

    json_object_set_boolean_member(cache, "direct", node->direct);
    json_object_set_boolean_member(cache, "no-flush", node->no_flush);
    json_object_set_string_member(options, "driver", "qcow2");
    json_object_set_string_member(options, "node-name", node->node);
    json_object_set_string_member(options, "file", node->file);
    json_object_set_boolean_member(options, "read-only", false);
    json_object_set_object_member(options, "cache", cache);
    json_object_set_string_member(options, "detect-zeroes", node->detect_zeroes);
    if (discard) {
        json_object_set_string_member(options, "discard", discard);
    }
    json_object_set_string_member(options, "backing", backing);
    json_array_add_object_element(all, options);
    json_object_set_array_member(arguments, "options", all);
    return fsn_qmp_execute_judged(qmp, "blockdev-reopen", arguments, error);
}
