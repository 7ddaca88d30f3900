/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's description of its block layer, as facts. It asks and reads; which node is to be
 * backed up, and what a bitmap is good for, is decided elsewhere. Both queries give the same
 * struct: query-block says which device has which node, query-named-block-nodes knows
 * the nodes that no device has.
 */
#include "config.h"

#include "qmp/block-nodes.h"

#include "base/error.h"
#include "base/json.h"

/* More in one answer are refused. */
#define MAX_NODES   65536
#define MAX_BITMAPS 65536

static void
bitmap_free(gpointer data)
{
    FsnBlockBitmap *bitmap = data;

    g_free(bitmap->name);
    g_free(bitmap);
}

static void
device_free(gpointer data)
{
    FsnBlockDevice *device = data;

    g_free(device->device);
    g_free(device->qdev);
    g_free(device->node);
    g_free(device->filename);
    g_free(device->driver);
    g_free(device->io_status);
    g_ptr_array_unref(device->bitmaps);
    g_free(device);
}

static FsnBlockDevice *
device_new(void)
{
    FsnBlockDevice *device = g_new0(FsnBlockDevice, 1);

    device->bitmaps = g_ptr_array_new_with_free_func(bitmap_free);
    return device;
}

/* A copy of the text called @name, NULL where it is missing or empty. */
static char *
copy_text(JsonObject *object, const char *name)
{
    const char *text = fsn_json_peek_string(object, name, "");

    return *text ? g_strdup(text) : NULL;
}

static bool
read_bitmap(JsonObject *object, GPtrArray *bitmaps, GError **error)
{
    int64_t granularity, count;
    FsnBlockBitmap *bitmap;

    if (!fsn_json_get_int(object, "granularity", 1, INT64_MAX, &granularity, error) ||
        !fsn_json_get_int(object, "count", 0, INT64_MAX, &count, error)) {
        return false;
    }
    bitmap = g_new0(FsnBlockBitmap, 1);
    bitmap->name = copy_text(object, "name");
    bitmap->granularity = (uint64_t)granularity;
    bitmap->count = (uint64_t)count;
    bitmap->recording = fsn_json_peek_bool(object, "recording", false);
    bitmap->busy = fsn_json_peek_bool(object, "busy", false);
    bitmap->persistent = fsn_json_peek_bool(object, "persistent", false);
    bitmap->inconsistent = fsn_json_peek_bool(object, "inconsistent", false);
    g_ptr_array_add(bitmaps, bitmap);
    return true;
}

static bool
read_bitmaps(JsonObject *node, GPtrArray *bitmaps, GError **error)
{
    JsonArray *array;

    if (!json_object_has_member(node, "dirty-bitmaps")) {
        return true;
    }
    if (!fsn_json_get_array(node, "dirty-bitmaps", &array, error)) {
        return false;
    }
    if (json_array_get_length(array) > MAX_BITMAPS) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "more than %d bitmaps",
                    MAX_BITMAPS);
        return false;
    }
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *bitmap;

        if (!fsn_json_get_element(array, i, &bitmap, error) ||
            !read_bitmap(bitmap, bitmaps, error)) {
            return false;
        }
    }
    return true;
}

static bool
has_data_file(JsonObject *image)
{
    JsonObject *specific, *data;

    return fsn_json_get_object(image, "format-specific", &specific, NULL) &&
           fsn_json_get_object(specific, "data", &data, NULL) &&
           json_object_has_member(data, "data-file");
}

/* A BlockDeviceInfo, which both queries give. */
static bool
read_node(JsonObject *node, FsnBlockDevice *device, GError **error)
{
    int64_t size, depth;
    JsonObject *image;

    if (!fsn_json_get_object(node, "image", &image, error) ||
        !fsn_json_get_int(image, "virtual-size", 0, INT64_MAX, &size, error) ||
        !fsn_json_get_int(node, "backing_file_depth", 0, G_MAXINT, &depth, error) ||
        !read_bitmaps(node, device->bitmaps, error)) {
        return false;
    }
    device->node = copy_text(node, "node-name");
    device->filename = copy_text(node, "file");
    device->driver = copy_text(node, "drv");
    device->virtual_size = (uint64_t)size;
    device->read_only = fsn_json_peek_bool(node, "ro", false);
    device->encrypted = fsn_json_peek_bool(node, "encrypted", false);
    device->backing = json_object_has_member(node, "backing_file");
    device->backing_depth = (unsigned)depth;
    device->data_file = has_data_file(image);
    return true;
}

/* A BlockInfo, which query-block gives. */
static bool
read_drive(JsonObject *drive, FsnBlockDevice *device, GError **error)
{
    JsonObject *inserted;

    device->device = copy_text(drive, "device");
    device->qdev = copy_text(drive, "qdev");
    device->io_status = copy_text(drive, "io-status");
    if (!json_object_has_member(drive, "inserted")) {
        return true;
    }
    return fsn_json_get_object(drive, "inserted", &inserted, error) &&
           read_node(inserted, device, error);
}

typedef bool (*ReadElement)(JsonObject *element, FsnBlockDevice *device, GError **error);

static bool
read_array(JsonNode *value, ReadElement read, GPtrArray *devices, GError **error)
{
    JsonArray *array;

    if (!JSON_NODE_HOLDS_ARRAY(value)) {
        g_set_error_literal(error, FSN_ERROR, FSN_ERROR_FORMAT, "not an array");
        return false;
    }
    array = json_node_get_array(value);
    if (json_array_get_length(array) > MAX_NODES) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "more than %d elements",
                    MAX_NODES);
        return false;
    }
    for (guint i = 0; i < json_array_get_length(array); i++) {
        FsnBlockDevice *device = device_new();
        JsonObject *element;

        g_ptr_array_add(devices, device);
        if (!fsn_json_get_element(array, i, &element, error) ||
            !read(element, device, error)) {
            return false;
        }
    }
    return true;
}

static bool
query(FsnQmp *qmp,
      const char *command,
      JsonObject *arguments,
      ReadElement read,
      GPtrArray **out_devices,
      GError **error)
{
    g_autoptr(GPtrArray) devices = g_ptr_array_new_with_free_func(device_free);
    g_autoptr(JsonNode) value = NULL;

    if (!fsn_qmp_execute(qmp, command, arguments, &value, error)) {
        return false;
    }
    if (!read_array(value, read, devices, error)) {
        g_prefix_error(error, "the answer to '%s': ", command);
        return false;
    }
    *out_devices = g_steal_pointer(&devices);
    return true;
}

bool
fsn_qmp_query_block_devices(FsnQmp *qmp, GPtrArray **out_devices, GError **error)
{
    return query(qmp, "query-block", NULL, read_drive, out_devices, error);
}

bool
fsn_qmp_query_block_nodes(FsnQmp *qmp, GPtrArray **out_nodes, GError **error)
{
    g_autoptr(JsonObject) arguments = json_object_new();

    /* Else each node repeats all the images below it. */
    json_object_set_boolean_member(arguments, "flat", true);
    return query(qmp, "query-named-block-nodes", arguments, read_node, out_nodes, error);
}

/* A device without an id of its own, as the disk within virtio-blk or usb-storage, is known by
 * its path below that of the device that libvirt has named. */
static bool
qdev_is(const char *qdev, const char *alias)
{
    static const char plugged[] = "/machine/peripheral/";
    size_t len = strlen(alias);

    if (g_str_has_prefix(qdev, plugged)) {
        qdev += strlen(plugged);
    }
    return strncmp(qdev, alias, len) == 0 && (qdev[len] == 0 || qdev[len] == '/');
}

FsnBlockDevice *
fsn_block_device_find(const GPtrArray *devices, const char *alias)
{
    g_autofree char *drive = g_strconcat("drive-", alias, NULL);

    g_return_val_if_fail(*alias != 0, NULL);

    for (guint i = 0; i < devices->len; i++) {
        FsnBlockDevice *device = devices->pdata[i];

        if ((device->qdev && qdev_is(device->qdev, alias)) ||
            g_strcmp0(device->device, drive) == 0) {
            return device;
        }
    }
    return NULL;
}

FsnBlockDevice *
fsn_block_device_find_node(const GPtrArray *devices, const char *node)
{
    for (guint i = 0; i < devices->len; i++) {
        FsnBlockDevice *device = devices->pdata[i];

        if (g_strcmp0(device->node, node) == 0) {
            return device;
        }
    }
    return NULL;
}

FsnBlockBitmap *
fsn_block_device_bitmap(const FsnBlockDevice *device, const char *name)
{
    for (guint i = 0; i < device->bitmaps->len; i++) {
        FsnBlockBitmap *bitmap = device->bitmaps->pdata[i];

        if (g_strcmp0(bitmap->name, name) == 0) {
            return bitmap;
        }
    }
    return NULL;
}
