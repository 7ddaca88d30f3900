/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap snapshot: a domain's disks and memory of one instant into the repository, while it
 * runs on.
 */
#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "cli/around.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/size.h"
#include "cli/snapshot-view.h"
#include "cli/units.h"
#include "cycle/disk-parts.h"
#include "cycle/snapshot.h"

static char **opt_disks;
static gboolean opt_dry_run;
static gboolean opt_luks;
static gboolean opt_no_memory;
static gboolean opt_stop;
static char *opt_bandwidth;
static char *opt_codec;
static char *opt_name;
static char **opt_partitions;
static char *opt_profile;
static char *opt_quiesce;
static char **opt_ranges;
static char *opt_scratch;
static int opt_max_pause = FSN_SNAPSHOT_MAX_PAUSE_MS;

static GOptionEntry options[] = {
    { "bandwidth", 0, 0, G_OPTION_ARG_STRING, &opt_bandwidth,
      "read at most so many bytes a second of each disk (K, M, G)", "BYTES" },
    { "codec", 0, 0, G_OPTION_ARG_STRING, &opt_codec, "compress by zstd, lz4 or none",
      "CODEC" },
    { "disk", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_disks,
      "take this disk (vda) only; may be repeated", "TARGET" },
    { "dry-run", 0, 0, G_OPTION_ARG_NONE, &opt_dry_run, "print the plan and stop", NULL },
    { "encrypted", 0, 0, G_OPTION_ARG_NONE, &opt_luks,
      "take encrypted disks too, as plain text", NULL },
    { "max-pause", 0, 0, G_OPTION_ARG_INT, &opt_max_pause,
      "give up when the guest stands still for longer (2000)", "MILLISECONDS" },
    { "name", 0, 0, G_OPTION_ARG_STRING, &opt_name, "a name for the snapshot", "NAME" },
    { "no-memory", 0, 0, G_OPTION_ARG_NONE, &opt_no_memory, "take the disks only", NULL },
    { "partition", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_partitions,
      "take partition N of disk T only; may be repeated", "T:N" },
    { "profile", 0, 0, G_OPTION_ARG_STRING, &opt_profile,
      "use this profile instead of the domain's policy", "PROFILE" },
    { "quiesce", 0, 0, G_OPTION_ARG_STRING, &opt_quiesce,
      "freeze the guest's file systems: auto, require or none", "WHEN" },
    { "range", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_ranges,
      "take these bytes of disk T only; may be repeated", "T:OFFSET+LENGTH" },
    { "scratch", 0, 0, G_OPTION_ARG_FILENAME, &opt_scratch,
      "folder for what the guest overwrites meanwhile", "FOLDER" },
    { "stop", 0, 0, G_OPTION_ARG_NONE, &opt_stop,
      "stop the guest while it is read, where there is no other way to its memory",
      NULL },
    G_OPTION_ENTRY_NULL,
};

static bool
read_quiesce(FsnQuiesce *out_quiesce, GError **error)
{
    static const char *const names[] = {
        [FSN_QUIESCE_AUTO] = "auto",
        [FSN_QUIESCE_REQUIRE] = "require",
        [FSN_QUIESCE_NONE] = "none",
    };

    for (size_t i = 0; opt_quiesce && i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(opt_quiesce, names[i])) {
            *out_quiesce = (FsnQuiesce)i;
            return true;
        }
    }
    if (!opt_quiesce) {
        return true;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                "--quiesce takes auto, require or none, not '%s'", opt_quiesce);
    return false;
}

/* What is asked for; belongs to this file, as the options do. */
static GPtrArray *parts;
static GPtrArray *targets;

static bool
add_part(FsnDiskPart *part)
{
    if (part) {
        g_ptr_array_add(parts, part);
        g_ptr_array_add(targets, part->target);
    }
    return part != NULL;
}

/* Who asks for a part of a disk asks for no other disk, and not for the memory. */
static bool
read_parts(FsnSnapshotOptions *chosen, GError **error)
{
    chosen->targets = (const char *const *)opt_disks;
    if (!opt_partitions && !opt_ranges) {
        return true;
    }
    parts = g_ptr_array_new_with_free_func(fsn_disk_part_free);
    targets = g_ptr_array_new();
    for (char **text = opt_disks; text && *text; text++) {
        g_ptr_array_add(targets, *text);
    }
    for (char **text = opt_partitions; text && *text; text++) {
        if (!add_part(fsn_disk_part_parse_partition(*text, error))) {
            return false;
        }
    }
    for (char **text = opt_ranges; text && *text; text++) {
        if (!add_part(fsn_disk_part_parse_range(*text, error))) {
            return false;
        }
    }
    g_ptr_array_add(targets, NULL);
    chosen->targets = (const char *const *)targets->pdata;
    chosen->parts = parts;
    chosen->no_memory = true;
    return true;
}

static void
forget_parts(void)
{
    g_clear_pointer(&targets, g_ptr_array_unref);
    g_clear_pointer(&parts, g_ptr_array_unref);
}

static bool
read_options(FsnSnapshotOptions *out_options, GError **error)
{
    FsnSnapshotOptions chosen = FSN_SNAPSHOT_OPTIONS_INIT;

    if (opt_max_pause < 1) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "--max-pause takes milliseconds, at least 1");
        return false;
    }
    if (!read_parts(&chosen, error) ||
        !fsn_cli_parse_codec(opt_codec, &chosen.codec, error) ||
        !read_quiesce(&chosen.quiesce, error) ||
        (opt_bandwidth && !fsn_cli_parse_size(opt_bandwidth, &chosen.bandwidth, error))) {
        return false;
    }
    chosen.name = opt_name;
    chosen.profile = opt_profile;
    chosen.no_memory = chosen.no_memory || opt_no_memory;
    chosen.allow_stop = opt_stop;
    chosen.plain_text = opt_luks;
    chosen.scratch_dir = opt_scratch;
    chosen.max_pause_ms = (unsigned)opt_max_pause;
    *out_options = chosen;
    return true;
}

static void
say_disk(FsnCliContext *context, JsonObject *disk)
{
    const char *target = fsn_json_peek_string(disk, "target", "?");
    const char *skipped = fsn_json_peek_string(disk, "skipped", NULL);
    JsonObject *bytes;
    g_autofree char *amount = NULL;

    if (skipped) {
        fsn_cli_say(context, "  %s: skipped: %s", target, skipped);
        return;
    }
    if (fsn_json_get_object(disk, "bytes", &bytes, NULL)) {
        g_autofree char *read =
            fsn_cli_size_text((uint64_t)fsn_json_peek_int(bytes, "read", 0));
        g_autofree char *stored =
            fsn_cli_size_text((uint64_t)fsn_json_peek_int(bytes, "stored", 0));

        amount = g_strdup_printf("%s read, %s stored", read, stored);
    } else {
        g_autofree char *estimate =
            fsn_cli_size_text((uint64_t)fsn_json_peek_int(disk, "estimate", 0));

        amount = g_strdup_printf("about %s to read", estimate);
    }
    fsn_cli_say(context, "  %s: %s, %s (%s)", target,
                fsn_json_peek_string(disk, "mode", "?"), amount,
                fsn_json_peek_string(disk, "reason", "?"));
}

static void
say_resources(FsnCliContext *context, const FsnSnapshotResult *result)
{
    JsonObject *memory = json_array_get_object_element(result->resources, 0);

    fsn_cli_say(context, "  memory: %s (%s)", fsn_json_peek_string(memory, "mode", "?"),
                fsn_json_peek_string(memory, "reason", "?"));
    for (guint i = 0; i < json_array_get_length(result->disks); i++) {
        say_disk(context, json_array_get_object_element(result->disks, i));
    }
}

static void
say_databases(FsnCliContext *context, JsonArray *databases)
{
    for (guint i = 0; databases && i < json_array_get_length(databases); i++) {
        g_autofree char *text =
            fsn_database_text(json_array_get_object_element(databases, i));

        fsn_cli_say(context, "  database %s", text);
    }
}

static void
show(FsnCliContext *context, const FsnSnapshotResult *result)
{
    g_autoptr(JsonObject) object = fsn_snapshot_result_to_json(result);
    g_autofree char *pause = fsn_cli_duration_text(result->pause_us);
    g_autofree char *total = fsn_cli_duration_text(result->total_us);
    g_autofree char *stored = fsn_cli_size_text(result->bytes_stored);

    fsn_cli_add_result(context, object);
    if (result->warning) {
        fsn_cli_warn(context, "%s", result->warning);
    }
    if (!*result->snapshot) {
        fsn_cli_say(context,
                    "would snapshot '%s' by profile '%s', parent %s:", result->domain,
                    json_object_get_string_member(result->granularity, "profile"),
                    *result->parent ? result->parent : "none");
        say_resources(context, result);
        say_databases(context, result->databases);
        return;
    }
    fsn_cli_say(context, "snapshot of '%s' is %.8s: paused %s, %s in all, %s stored",
                result->domain, result->snapshot, pause, total, stored);
    if (context->verbose) {
        say_resources(context, result);
        say_databases(context, result->databases);
    }
}

/* With the hooks around it; a dry run is none of their business. */
static bool
take(FsnCliContext *context,
     FsnCycle *cycle,
     const char *domain,
     const FsnSnapshotOptions *chosen,
     FsnSnapshotResult *result,
     GError **error)
{
    FsnCliAround *around;
    bool done;

    if (opt_dry_run) {
        return fsn_cycle_snapshot_plan(cycle, domain, chosen, result, error);
    }
    around = fsn_cli_around_begin(context, cycle, "snapshot", domain, error);
    if (!around) {
        return false;
    }
    done = fsn_cycle_snapshot(cycle, domain, chosen, result, error);
    fsn_cli_around_end(around, result->domain, result->snapshot, done ? NULL : *error);
    return done;
}

static bool
snapshot(FsnCliContext *context,
         char **args,
         const FsnSnapshotOptions *chosen,
         GError **error)
{
    g_autoptr(FsnCliProgress) progress = fsn_cli_progress_new(context);
    g_autoptr(FsnCycle) cycle = NULL;
    g_auto(FsnSnapshotResult) result = { 0 };

    cycle = fsn_cli_open_cycle(context, progress, error);
    if (!cycle || !take(context, cycle, args[0], chosen, &result, error)) {
        return fsn_cli_fail(error, "snapshot", args[0]);
    }
    fsn_cli_progress_wipe(progress);
    show(context, &result);
    return true;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    FsnSnapshotOptions chosen;
    bool ok = read_options(&chosen, error) && snapshot(context, args, &chosen, error);

    forget_parts();
    return ok;
}

const FsnCliCommand fsn_cmd_snapshot = {
    .name = "snapshot",
    .arguments = "DOMAIN",
    .summary = "put a domain's disks and memory of one instant into the repository",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run,
    .detachable = true,
};
