/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which parts of two snapshots correspond, and to which partitions changes belong. Pure:
 * what differs is found in diff.c.
 */
#include "config.h"

#include "cycle/diff-plan.h"

#include "base/error.h"
#include "base/json.h"
#include "repofmt/granule.h"

#include <string.h>

#define MAX_SIZE ((int64_t)1 << 48)

const char *
fsn_diff_match_reason(FsnDiffMatch match)
{
    switch (match) {
    case FSN_DIFF_BOTH:
        return NULL;
    case FSN_DIFF_ONLY_A:
        return "only in the first snapshot";
    case FSN_DIFF_ONLY_B:
        return "only in the second snapshot";
    case FSN_DIFF_NOT_STORED:
        return "its contents are not in both snapshots";
    case FSN_DIFF_OTHER_LAYOUT:
        return "arranged differently";
    }
    g_assert_not_reached();
}

static void
partition_free(gpointer data)
{
    FsnDiffPartition *p = data;

    g_free(p->type);
    g_free(p->name);
    g_free(p);
}

static void
disk_free(gpointer data)
{
    FsnDiffDisk *disk = data;

    g_free(disk->target);
    g_free(disk->image_a);
    g_free(disk->image_b);
    g_clear_pointer(&disk->ranges, g_array_unref);
    g_clear_pointer(&disk->partitions, g_ptr_array_unref);
    g_free(disk);
}

void
fsn_diff_free(FsnDiff *diff)
{
    if (diff) {
        g_ptr_array_unref(diff->disks);
        if (diff->memory) {
            g_free(diff->memory->image_a);
            g_free(diff->memory->image_b);
            g_free(diff->memory);
        }
        g_free(diff);
    }
}

static bool
read_partition(JsonObject *object, FsnDiffPartition *out, GError **error)
{
    int64_t offset, size;

    if (!fsn_json_get_int(object, "number", 0, G_MAXINT32, &out->number, error) ||
        !fsn_json_get_int(object, "offset", 0, MAX_SIZE, &offset, error) ||
        !fsn_json_get_int(object, "size", 0, MAX_SIZE, &size, error)) {
        return false;
    }
    out->offset = (uint64_t)offset;
    out->size = (uint64_t)size;
    out->type = g_strdup(fsn_json_peek_string(object, "type", NULL));
    out->name = g_strdup(fsn_json_peek_string(object, "name", NULL));
    return true;
}

/* The partitions that @disk of a manifest lists; null, without an error, if it lists none. */
static bool
read_partitions(JsonObject *disk, GPtrArray **out_partitions, GError **error)
{
    g_autoptr(GPtrArray) partitions = g_ptr_array_new_with_free_func(partition_free);
    JsonArray *array;

    if (!json_object_has_member(disk, "partitions")) {
        return true;
    }
    if (!fsn_json_get_array(disk, "partitions", &array, error)) {
        return false;
    }
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        FsnDiffPartition *p;

        if (!JSON_NODE_HOLDS_OBJECT(node)) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "a partition is no object");
            return false;
        }
        p = g_new0(FsnDiffPartition, 1);
        g_ptr_array_add(partitions, p);
        if (!read_partition(json_node_get_object(node), p, error)) {
            return false;
        }
    }
    if (partitions->len > 0) {
        *out_partitions = g_steal_pointer(&partitions);
    }
    return true;
}

/* The objects of array "disks" of @manifest; empty if it has none. */
static bool
list_disks(JsonObject *manifest, GPtrArray **out_disks, GError **error)
{
    g_autoptr(GPtrArray) disks = g_ptr_array_new();
    JsonArray *array = NULL;
    const char *target;

    if (json_object_has_member(manifest, "disks") &&
        !fsn_json_get_array(manifest, "disks", &array, error)) {
        return false;
    }
    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);

        if (!JSON_NODE_HOLDS_OBJECT(node)) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "a disk is no object");
            return false;
        }
        if (!fsn_json_get_string(json_node_get_object(node), "target", &target, error)) {
            return false;
        }
        g_ptr_array_add(disks, json_node_get_object(node));
    }
    *out_disks = g_steal_pointer(&disks);
    return true;
}

static JsonObject *
find_disk(GPtrArray *disks, const char *target)
{
    for (guint i = 0; i < disks->len; i++) {
        JsonObject *disk = g_ptr_array_index(disks, i);

        if (strcmp(fsn_json_peek_string(disk, "target", ""), target) == 0) {
            return disk;
        }
    }
    return NULL;
}

/* Image and size of a disk of one of the two; a null one has neither. */
static bool
read_side(JsonObject *disk, char **out_image, uint64_t *out_size, GError **error)
{
    int64_t size = 0;

    if (!disk) {
        return true;
    }
    if (json_object_has_member(disk, "image")) {
        const char *image;

        if (!fsn_json_get_string(disk, "image", &image, error) ||
            !fsn_json_get_int(disk, "size", 0, MAX_SIZE, &size, error)) {
            return false;
        }
        *out_image = g_strdup(image);
    } else {
        size = CLAMP(fsn_json_peek_int(disk, "size", 0), 0, MAX_SIZE);
    }
    *out_size = (uint64_t)size;
    return true;
}

/* Adds disk @target, which is @a in one and @b in the other; one of them may be null. */
static bool
add_disk(FsnDiff *diff,
         const char *target,
         JsonObject *a,
         JsonObject *b,
         bool ranges,
         GError **error)
{
    FsnDiffDisk *disk = g_new0(FsnDiffDisk, 1);

    g_ptr_array_add(diff->disks, disk);
    disk->target = g_strdup(target);
    if (!read_side(a, &disk->image_a, &disk->size_a, error) ||
        !read_side(b, &disk->image_b, &disk->size_b, error) ||
        (b && !read_partitions(b, &disk->partitions, error)) ||
        (a && !disk->partitions && !read_partitions(a, &disk->partitions, error))) {
        g_prefix_error(error, "disk '%.80s': ", target);
        return false;
    }
    disk->match = !b                               ? FSN_DIFF_ONLY_A
                  : !a                             ? FSN_DIFF_ONLY_B
                  : disk->image_a && disk->image_b ? FSN_DIFF_BOTH
                                                   : FSN_DIFF_NOT_STORED;
    if (ranges && disk->match == FSN_DIFF_BOTH) {
        disk->ranges = g_array_new(FALSE, FALSE, sizeof(FsnDiffRange));
    }
    return true;
}

static bool
plan_disks(FsnDiff *diff, JsonObject *a, JsonObject *b, bool ranges, GError **error)
{
    g_autoptr(GPtrArray) disks_a = NULL;
    g_autoptr(GPtrArray) disks_b = NULL;

    if (!list_disks(a, &disks_a, error) || !list_disks(b, &disks_b, error)) {
        return false;
    }
    for (guint i = 0; i < disks_a->len; i++) {
        JsonObject *disk = g_ptr_array_index(disks_a, i);
        const char *target = fsn_json_peek_string(disk, "target", "");

        if (!add_disk(diff, target, disk, find_disk(disks_b, target), ranges, error)) {
            return false;
        }
    }
    for (guint i = 0; i < disks_b->len; i++) {
        JsonObject *disk = g_ptr_array_index(disks_b, i);
        const char *target = fsn_json_peek_string(disk, "target", "");

        if (!find_disk(disks_a, target) &&
            !add_disk(diff, target, NULL, disk, ranges, error)) {
            return false;
        }
    }
    return true;
}

/* The memory of @manifest if it was stored. */
static JsonObject *
memory_of(JsonObject *manifest)
{
    JsonObject *memory = NULL;

    return fsn_json_get_object(manifest, "memory", &memory, NULL) &&
                   fsn_json_peek_string(memory, "image", NULL)
               ? memory
               : NULL;
}

static bool
same_blocks(JsonObject *a, JsonObject *b)
{
    JsonNode *x = json_object_get_member(a, "blocks");
    JsonNode *y = json_object_get_member(b, "blocks");

    return x && y && json_node_equal(x, y);
}

static void
plan_memory(FsnDiff *diff, JsonObject *a, JsonObject *b)
{
    JsonObject *memory_a = memory_of(a), *memory_b = memory_of(b);
    FsnDiffMemory *memory;

    if (!memory_a && !memory_b) {
        return;
    }
    memory = diff->memory = g_new0(FsnDiffMemory, 1);
    memory->match = !memory_b                         ? FSN_DIFF_ONLY_A
                    : !memory_a                       ? FSN_DIFF_ONLY_B
                    : same_blocks(memory_a, memory_b) ? FSN_DIFF_BOTH
                                                      : FSN_DIFF_OTHER_LAYOUT;
    if (memory->match == FSN_DIFF_BOTH) {
        memory->image_a = g_strdup(fsn_json_peek_string(memory_a, "image", NULL));
        memory->image_b = g_strdup(fsn_json_peek_string(memory_b, "image", NULL));
    }
}

FsnDiff *
fsn_diff_plan(JsonObject *a, JsonObject *b, bool ranges, GError **error)
{
    g_autoptr(FsnDiff) diff = g_new0(FsnDiff, 1);

    diff->disks = g_ptr_array_new_with_free_func(disk_free);
    if (!plan_disks(diff, a, b, ranges, error)) {
        return NULL;
    }
    plan_memory(diff, a, b);
    return g_steal_pointer(&diff);
}

/* Bytes that [start, end) and [offset, offset + size) have in common. */
static uint64_t
overlap(uint64_t start, uint64_t end, uint64_t offset, uint64_t size)
{
    uint64_t first = MAX(start, offset), last = MIN(end, offset + size);

    return first < last ? last - first : 0;
}

void
fsn_diff_disk_add(FsnDiffDisk *disk, uint64_t first, uint64_t count)
{
    uint64_t size = MAX(disk->size_a, disk->size_b);
    uint64_t start = first * FSN_GRANULE_SIZE;
    /* The last granule may reach over the end of the disk. */
    uint64_t end = MIN(start + count * FSN_GRANULE_SIZE, size);
    FsnDiffRange range = { .offset = start, .length = end - start };

    if (start >= end) {
        return;
    }
    disk->changed += range.length;
    disk->n_ranges++;
    if (disk->ranges) {
        g_array_append_val(disk->ranges, range);
    }
    for (guint i = 0; disk->partitions && i < disk->partitions->len; i++) {
        FsnDiffPartition *p = g_ptr_array_index(disk->partitions, i);

        p->changed += overlap(start, end, p->offset, p->size);
    }
}
