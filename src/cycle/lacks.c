/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is not in a snapshot, in words: disks that were skipped, contents that were left out,
 * memory that a running guest had. A snapshot says it itself, so nothing is missing silently.
 */
#include "config.h"

#include "cycle/lacks.h"

#include "base/json.h"

#include <string.h>

static void
add_ranges(GPtrArray *lacks, const char *target, JsonArray *ranges)
{
    for (guint i = 0; i < json_array_get_length(ranges); i++) {
        JsonObject *o;

        if (fsn_json_get_element(ranges, i, &o, NULL) &&
            !json_object_has_member(o, "partition")) {
            int64_t offset = fsn_json_peek_int(o, "offset", 0);

            g_ptr_array_add(
                lacks, g_strdup_printf("disk %s: bytes %" G_GINT64_FORMAT
                                       " to %" G_GINT64_FORMAT " are zeroes (%s)",
                                       target, offset,
                                       offset + fsn_json_peek_int(o, "length", 0) - 1,
                                       fsn_json_peek_string(o, "reason", "left out")));
        } else if (fsn_json_get_element(ranges, i, &o, NULL)) {
            g_ptr_array_add(
                lacks,
                g_strdup_printf("disk %s: the contents of partition %" G_GINT64_FORMAT
                                " are zeroes (%s)",
                                target, fsn_json_peek_int(o, "partition", 0),
                                fsn_json_peek_string(o, "reason", "left out")));
        }
    }
}

/* @by_profile: only what a profile has left out. */
static void
add_disk(GPtrArray *lacks, JsonObject *disk, bool by_profile)
{
    const char *target = fsn_json_peek_string(disk, "target", "?");
    const char *skipped = fsn_json_peek_string(disk, "skipped", NULL);
    JsonArray *ranges;

    if (skipped && (!by_profile || fsn_json_peek_bool(disk, "by_profile", false))) {
        g_ptr_array_add(lacks,
                        g_strdup_printf("disk %s is not in it (%s)", target, skipped));
    }
    if (fsn_json_get_array(disk, "left_out", &ranges, NULL)) {
        add_ranges(lacks, target, ranges);
    }
}

static void
add_memory(GPtrArray *lacks, JsonObject *manifest)
{
    JsonArray *resources;
    JsonObject *o;

    if (json_object_has_member(manifest, "memory") ||
        strcmp(fsn_json_peek_string(manifest, "run_state", ""), "running") != 0 ||
        !fsn_json_get_array(manifest, "resources", &resources, NULL)) {
        return;
    }
    for (guint i = 0; i < json_array_get_length(resources); i++) {
        if (fsn_json_get_element(resources, i, &o, NULL) &&
            strcmp(fsn_json_peek_string(o, "kind", ""), "memory") == 0) {
            g_ptr_array_add(lacks,
                            g_strdup_printf("the guest's memory is not in it (%s)",
                                            fsn_json_peek_string(o, "reason", "?")));
        }
    }
}

/* What the domain named and libvirt did not have. */
static void
add_config(GPtrArray *lacks, JsonObject *manifest)
{
    JsonObject *config;
    JsonArray *missing;

    if (!fsn_json_get_object(manifest, "config", &config, NULL) ||
        !fsn_json_get_array(config, "missing", &missing, NULL)) {
        return;
    }
    for (guint i = 0; i < json_array_get_length(missing); i++) {
        JsonNode *node = json_array_get_element(missing, i);

        if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_string(node)) {
            g_ptr_array_add(lacks, g_strdup_printf("the %s was not defined on its host",
                                                   json_node_get_string(node)));
        }
    }
}

GPtrArray *
fsn_manifest_lacks(JsonObject *manifest)
{
    GPtrArray *lacks = g_ptr_array_new_with_free_func(g_free);
    JsonArray *disks;
    JsonObject *disk;

    add_memory(lacks, manifest);
    add_config(lacks, manifest);
    if (!fsn_json_get_array(manifest, "disks", &disks, NULL)) {
        return lacks;
    }
    for (guint i = 0; i < json_array_get_length(disks); i++) {
        if (fsn_json_get_element(disks, i, &disk, NULL)) {
            add_disk(lacks, disk, false);
        }
    }
    return lacks;
}

GPtrArray *
fsn_manifest_left_out(JsonObject *manifest, const char *const *targets)
{
    GPtrArray *lacks = g_ptr_array_new_with_free_func(g_free);
    JsonArray *disks;
    JsonObject *disk;

    if (!fsn_json_get_array(manifest, "disks", &disks, NULL)) {
        return lacks;
    }
    for (guint i = 0; i < json_array_get_length(disks); i++) {
        if (fsn_json_get_element(disks, i, &disk, NULL) &&
            (!targets ||
             g_strv_contains(targets, fsn_json_peek_string(disk, "target", "")))) {
            add_disk(lacks, disk, true);
        }
    }
    return lacks;
}
