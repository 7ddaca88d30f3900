/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disks that a manifest describes. A manifest comes from a repository that others can
 * write: what is read here ends up in paths, in domain XML and on command lines, and is
 * bounded accordingly. Pure.
 */
#include "config.h"

#include "disk/stored-disk.h"

#include "base/error.h"
#include "base/id.h"
#include "base/json.h"

#include <string.h>

/* libvirt itself knows fewer. */
#define MAX_DISKS  1024u
#define MAX_TARGET 32u

void
fsn_stored_disk_free(FsnStoredDisk *disk)
{
    if (disk) {
        g_free(disk->target);
        g_free(disk->source);
        g_free(disk->source_kind);
        g_free(disk->format);
        g_free(disk->image);
        g_free(disk->skipped);
        g_free(disk);
    }
}

static bool
set_format_error(GError **error, const char *target, const char *what)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                "the manifest's disk '%.32s' has no valid %s", target, what);
    return false;
}

/* "vda", "sdaa", "nvme0n1": letters and digits. */
static bool
is_target(const char *text)
{
    size_t len = strnlen(text, MAX_TARGET + 1);

    for (size_t i = 0; i < len; i++) {
        if (!g_ascii_isalnum(text[i])) {
            return false;
        }
    }
    return len > 0 && len <= MAX_TARGET;
}

/* The members that a captured disk has. */
static bool
read_captured(JsonObject *o, FsnStoredDisk *disk, GError **error)
{
    const char *format;
    const char *image;
    int64_t size;
    FsnId id;

    if (!fsn_json_get_string(o, "image", &image, error) ||
        !fsn_json_get_string(o, "format", &format, error) ||
        !fsn_json_get_int(o, "size", 1, (int64_t)FSN_STORED_DISK_MAX_SIZE, &size,
                          error)) {
        g_prefix_error(error, "disk %s: ", disk->target);
        return false;
    }
    if (!fsn_id_parse(image, &id)) {
        return set_format_error(error, disk->target, "image");
    }
    if (strcmp(format, "raw") != 0 && strcmp(format, "qcow2") != 0) {
        return set_format_error(error, disk->target, "format");
    }
    disk->image = g_strdup(image);
    disk->format = g_strdup(format);
    disk->size = (uint64_t)size;
    disk->partial = fsn_json_peek_bool(o, "partial", false);
    return true;
}

static FsnStoredDisk *
read_disk(JsonObject *o, GError **error)
{
    g_autoptr(FsnStoredDisk) disk = g_new0(FsnStoredDisk, 1);
    const char *target;

    if (!fsn_json_get_string(o, "target", &target, error)) {
        return NULL;
    }
    if (!is_target(target)) {
        set_format_error(error, target, "name");
        return NULL;
    }
    disk->target = g_strdup(target);
    disk->source = g_strdup(fsn_json_peek_string(o, "source", NULL));
    disk->source_kind = g_strdup(fsn_json_peek_string(o, "source_kind", NULL));
    if (json_object_has_member(o, "image")) {
        return read_captured(o, disk, error) ? g_steal_pointer(&disk) : NULL;
    }
    disk->format = g_strdup(fsn_json_peek_string(o, "format", NULL));
    disk->skipped = g_strdup(fsn_json_peek_string(o, "skipped", "not known"));
    return g_steal_pointer(&disk);
}

static bool
has_target(GPtrArray *disks, const char *target)
{
    for (guint i = 0; i < disks->len; i++) {
        const FsnStoredDisk *disk = g_ptr_array_index(disks, i);

        if (strcmp(disk->target, target) == 0) {
            return true;
        }
    }
    return false;
}

bool
fsn_stored_disks_read(JsonObject *manifest, GPtrArray **out_disks, GError **error)
{
    g_autoptr(GPtrArray) disks =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_stored_disk_free);
    JsonArray *array;

    if (!fsn_json_get_array(manifest, "disks", &array, error)) {
        return false;
    }
    if (json_array_get_length(array) > MAX_DISKS) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "the manifest has more than %u disks", MAX_DISKS);
        return false;
    }
    for (guint i = 0; i < json_array_get_length(array); i++) {
        FsnStoredDisk *disk;
        JsonObject *o;

        if (!fsn_json_get_element(array, i, &o, error)) {
            return false;
        }
        disk = read_disk(o, error);
        if (!disk) {
            return false;
        }
        if (has_target(disks, disk->target)) {
            set_format_error(error, disk->target, "name, for another has it too");
            fsn_stored_disk_free(disk);
            return false;
        }
        g_ptr_array_add(disks, disk);
    }
    *out_disks = g_steal_pointer(&disks);
    return true;
}

static char *
list_targets(GPtrArray *disks)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < disks->len; i++) {
        const FsnStoredDisk *disk = g_ptr_array_index(disks, i);

        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", disk->target);
    }
    return g_strdup(disks->len > 0 ? text->str : "none");
}

bool
fsn_stored_disks_find(GPtrArray *disks,
                      const char *target,
                      const FsnStoredDisk **out_disk,
                      GError **error)
{
    g_autofree char *known = NULL;

    for (guint i = 0; i < disks->len; i++) {
        const FsnStoredDisk *disk = g_ptr_array_index(disks, i);

        if (strcmp(disk->target, target) != 0) {
            continue;
        }
        if (!disk->image) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                        "disk %s is not in the snapshot: %s", target, disk->skipped);
            return false;
        }
        *out_disk = disk;
        return true;
    }
    known = list_targets(disks);
    g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                "the snapshot has no disk '%.32s'; its disks: %s", target, known);
    return false;
}
