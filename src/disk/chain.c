/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chain of files below a disk. Formats are what libvirt or a qcow2 header says: a
 * guest can write a qcow2 header into its raw disk, and whoever guessed would open the files
 * that it names.
 */
#include "config.h"

#include "disk/chain.h"

#include "base/error.h"
#include "base/json.h"
#include "disk/qcow2-header.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LAYERS 200

FsnDiskLayer *
fsn_disk_layer_new(const char *path, const char *format)
{
    FsnDiskLayer *layer = g_new0(FsnDiskLayer, 1);

    layer->path = g_strdup(path);
    layer->format = g_strdup(format);
    return layer;
}

void
fsn_disk_layer_free(FsnDiskLayer *layer)
{
    if (layer) {
        g_free(layer->path);
        g_free(layer->format);
        g_free(layer);
    }
}

static bool
refuse(GError **error, const char *path, const char *what)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED, "'%s' %s", path, what);
    return false;
}

static bool
read_header(const char *path, FsnQcow2Header *out_header, GError **error)
{
    g_autofree uint8_t *data = g_malloc(FSN_QCOW2_HEADER_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n = 0;
    int errnum;

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot open '%s'", path);
    }
    while (len < FSN_QCOW2_HEADER_MAX &&
           ((n = read(fd, data + len, FSN_QCOW2_HEADER_MAX - len)) > 0 ||
            (n < 0 && errno == EINTR))) {
        len += n > 0 ? (size_t)n : 0;
    }
    errnum = errno;
    close(fd);
    if (n < 0) {
        return fsn_set_errno(error, errnum, "cannot read '%s'", path);
    }
    if (!fsn_qcow2_header_parse(data, len, out_header, error)) {
        g_prefix_error(error, "'%s': ", path);
        return false;
    }
    return true;
}

/* The path of the backing file that @path names so; relative to the folder of @path. */
static char *
resolve(const char *path, const char *name)
{
    g_autofree char *folder = g_path_get_dirname(path);
    const char *slash = strchr(name, '/');
    const char *colon = strchr(name, ':');

    if (colon && (!slash || colon < slash)) {
        return NULL; /* "json:", "nbd:…" and the like */
    }
    return g_canonicalize_filename(name, folder);
}

static bool
is_known(const char *format)
{
    return g_str_equal(format, "raw") || g_str_equal(format, "qcow2");
}

bool
fsn_disk_chain_read(const char *path,
                    const char *format,
                    GPtrArray **out_layers,
                    GError **error)
{
    g_autoptr(GPtrArray) layers =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_disk_layer_free);
    g_autofree char *next = g_canonicalize_filename(path, NULL);
    g_autofree char *next_format = g_strdup(format);

    while (next) {
        g_auto(FsnQcow2Header) header = { 0 };
        g_autofree char *at = g_steal_pointer(&next);

        if (!is_known(next_format)) {
            return refuse(error, at, "is neither raw nor qcow2");
        }
        if (layers->len == MAX_LAYERS) {
            return refuse(error, at, "rests on too many files, or on itself");
        }
        g_ptr_array_add(layers, fsn_disk_layer_new(at, next_format));
        if (g_str_equal(next_format, "raw")) {
            break;
        }
        if (!read_header(at, &header, error)) {
            return false;
        }
        if (header.backing) {
            if (!header.backing_format) {
                return refuse(error, at,
                              "names a backing file without its format; 'qemu-img rebase "
                              "-u -F' writes it down");
            }
            next = resolve(at, header.backing);
            if (!next) {
                return refuse(error, at, "has a backing file that is no local file");
            }
            g_free(next_format);
            next_format = g_steal_pointer(&header.backing_format);
        }
    }
    *out_layers = g_steal_pointer(&layers);
    return true;
}

static JsonObject *
file_node(const char *path)
{
    JsonObject *node = json_object_new();
    GStatBuf st;
    bool device = g_stat(path, &st) == 0 && S_ISBLK(st.st_mode);

    json_object_set_string_member(node, "driver", device ? "host_device" : "file");
    json_object_set_string_member(node, "filename", path);
    /* So that a QEMU which has it open for writing is noticed. */
    json_object_set_string_member(node, "locking", "on");
    return node;
}

char *
fsn_disk_chain_to_qemu(GPtrArray *layers)
{
    JsonObject *below = NULL;
    g_autofree char *text = NULL;

    for (guint i = layers->len; i > 0; i--) {
        FsnDiskLayer *layer = g_ptr_array_index(layers, i - 1);
        JsonObject *node = json_object_new();

        json_object_set_string_member(node, "driver", layer->format);
        json_object_set_object_member(node, "file", file_node(layer->path));
        if (below) {
            json_object_set_object_member(node, "backing", below);
        } else if (g_str_equal(layer->format, "qcow2")) {
            json_object_set_null_member(node, "backing");
        }
        below = node;
    }
    text = fsn_json_to_text(below, false);
    json_object_unref(below);
    return g_strconcat("json:", text, NULL);
}
