/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap diff: what differs between two snapshots, per disk, partition and in memory.
 */
#include "config.h"

#include "cli/commands.h"
#include "cli/lacks-view.h"
#include "cli/output.h"
#include "cli/snapshots.h"
#include "cli/units.h"
#include "cycle/diff.h"

static gboolean opt_ranges;

static GOptionEntry options[] = {
    { "ranges", 0, 0, G_OPTION_ARG_NONE, &opt_ranges,
      "also list the changed ranges of disks", NULL },
    G_OPTION_ENTRY_NULL,
};

/* Says whether it was compared, and if not, why. */
static void
set_match(JsonObject *object, FsnDiffMatch match)
{
    const char *reason = fsn_diff_match_reason(match);

    json_object_set_boolean_member(object, "compared", reason == NULL);
    if (reason) {
        json_object_set_string_member(object, "reason", reason);
    }
}

static JsonArray *
ranges_json(GArray *ranges)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < ranges->len; i++) {
        const FsnDiffRange *range = &g_array_index(ranges, FsnDiffRange, i);
        JsonObject *object = json_object_new();

        json_object_set_int_member(object, "offset", (int64_t)range->offset);
        json_object_set_int_member(object, "length", (int64_t)range->length);
        json_array_add_object_element(array, object);
    }
    return array;
}

static JsonArray *
partitions_json(GPtrArray *partitions)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < partitions->len; i++) {
        const FsnDiffPartition *p = g_ptr_array_index(partitions, i);
        JsonObject *object = json_object_new();

        json_object_set_int_member(object, "number", p->number);
        json_object_set_int_member(object, "offset", (int64_t)p->offset);
        json_object_set_int_member(object, "size", (int64_t)p->size);
        if (p->type) {
            json_object_set_string_member(object, "type", p->type);
        }
        if (p->name) {
            json_object_set_string_member(object, "name", p->name);
        }
        json_object_set_int_member(object, "bytes_changed", (int64_t)p->changed);
        json_array_add_object_element(array, object);
    }
    return array;
}

static JsonObject *
disk_json(const FsnDiffDisk *disk)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "target", disk->target);
    set_match(object, disk->match);
    if (disk->match != FSN_DIFF_BOTH) {
        return object;
    }
    json_object_set_int_member(object, "size_from", (int64_t)disk->size_a);
    json_object_set_int_member(object, "size_to", (int64_t)disk->size_b);
    json_object_set_int_member(object, "bytes_changed", (int64_t)disk->changed);
    json_object_set_int_member(object, "ranges_changed", (int64_t)disk->n_ranges);
    if (disk->ranges) {
        json_object_set_array_member(object, "ranges", ranges_json(disk->ranges));
    }
    if (disk->partitions) {
        json_object_set_array_member(object, "partitions",
                                     partitions_json(disk->partitions));
    }
    return object;
}

static JsonObject *
memory_json(const FsnDiffMemory *memory)
{
    JsonObject *object = json_object_new();

    set_match(object, memory->match);
    if (memory->match == FSN_DIFF_BOTH) {
        json_object_set_int_member(object, "pages", (int64_t)memory->pages);
        json_object_set_int_member(object, "pages_changed", (int64_t)memory->changed);
        json_object_set_int_member(object, "bytes_changed",
                                   (int64_t)memory->changed * 4096);
    }
    return object;
}

static void
fill_document(FsnCliContext *context, const FsnDiff *diff, const char *a, const char *b)
{
    JsonObject *document = context->document;
    JsonArray *disks = json_array_new();

    json_object_set_string_member(document, "from", a);
    json_object_set_string_member(document, "to", b);
    for (guint i = 0; i < diff->disks->len; i++) {
        json_array_add_object_element(disks,
                                      disk_json(g_ptr_array_index(diff->disks, i)));
    }
    json_object_set_array_member(document, "disks", disks);
    if (diff->memory) {
        json_object_set_object_member(document, "memory", memory_json(diff->memory));
    } else {
        json_object_set_null_member(document, "memory");
    }
}

static void
show_partition(FsnCliContext *context, const FsnDiffPartition *p)
{
    g_autofree char *changed = fsn_cli_size_text(p->changed);
    g_autofree char *size = fsn_cli_size_text(p->size);

    fsn_cli_print(context, "  partition %" G_GINT64_FORMAT "%s%s%s: %s of %s\n",
                  p->number, p->name ? " (" : "", p->name ? p->name : "",
                  p->name ? ")" : "", changed, size);
}

static void
show_disk(FsnCliContext *context, const FsnDiffDisk *disk)
{
    const char *reason = fsn_diff_match_reason(disk->match);
    g_autofree char *changed = fsn_cli_size_text(disk->changed);
    g_autofree char *size = fsn_cli_size_text(disk->size_b);

    if (reason) {
        fsn_cli_print(context, "%s: %s\n", disk->target, reason);
        return;
    }
    fsn_cli_print(context, "%s: %s of %s in %" G_GUINT64_FORMAT " range%s\n",
                  disk->target, changed, size, disk->n_ranges,
                  disk->n_ranges == 1 ? "" : "s");
    for (guint i = 0; disk->partitions && i < disk->partitions->len; i++) {
        show_partition(context, g_ptr_array_index(disk->partitions, i));
    }
    for (guint i = 0; disk->ranges && i < disk->ranges->len; i++) {
        const FsnDiffRange *range = &g_array_index(disk->ranges, FsnDiffRange, i);

        fsn_cli_print(context, "  %" G_GUINT64_FORMAT "+%" G_GUINT64_FORMAT "\n",
                      range->offset, range->length);
    }
}

static void
show_memory(FsnCliContext *context, const FsnDiffMemory *memory)
{
    const char *reason = fsn_diff_match_reason(memory->match);
    g_autofree char *changed = fsn_cli_size_text(memory->changed * 4096);

    if (reason) {
        fsn_cli_print(context, "memory: %s\n", reason);
    } else {
        fsn_cli_print(context,
                      "memory: %s in %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                      " pages\n",
                      changed, memory->changed, memory->pages);
    }
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = fsn_cli_open_repo(context, FSN_REPO_READ_ONLY, error);
    g_autoptr(FsnDiff) diff = NULL;
    g_autofree char *a = NULL;
    g_autofree char *b = NULL;

    if (!repo) {
        return false;
    }
    diff = fsn_diff_snapshots(repo, args[0], args[1], opt_ranges, &a, &b, error);
    if (!diff) {
        g_prefix_error(error, "cannot compare: ");
        return false;
    }
    fsn_cli_warn_left_out(context, repo, a, NULL);
    fsn_cli_warn_left_out(context, repo, b, NULL);
    fill_document(context, diff, a, b);
    for (guint i = 0; i < diff->disks->len; i++) {
        show_disk(context, g_ptr_array_index(diff->disks, i));
    }
    if (diff->memory) {
        show_memory(context, diff->memory);
    }
    return true;
}

const FsnCliCommand fsn_cmd_diff = {
    .name = "diff",
    .arguments = "SNAPSHOT SNAPSHOT",
    .summary = "show what differs between two snapshots",
    .options = options,
    .min_args = 2,
    .max_args = 2,
    .run = run,
    .detachable = true,
};
