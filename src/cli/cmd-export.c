/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap export: a part of a snapshot as a file that other programs understand.
 */
#include "config.h"

#include "base/error.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/lacks-view.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/units.h"
#include "cycle/export-disk.h"
#include "cycle/export-part.h"
#include "cycle/export.h"

static char *opt_config;
static char *opt_disk;
static gboolean opt_force;
static char *opt_format;
static char *opt_log;
static char *opt_samples;
static char *opt_save_image;

static GOptionEntry options[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &opt_config,
      "make FILE of the networks, pools and filters around the domain", "FILE" },
    { "disk", 0, 0, G_OPTION_ARG_STRING, &opt_disk, "write the disk called TARGET",
      "TARGET" },
    { "force", 0, 0, G_OPTION_ARG_NONE, &opt_force, "replace a file that is there",
      NULL },
    { "format", 0, 0, G_OPTION_ARG_STRING, &opt_format,
      "of the disk: raw or qcow2 (default: as it was)", "FORMAT" },
    { "log", 0, 0, G_OPTION_ARG_STRING, &opt_log, "write the log called NAME", "NAME" },
    { "samples", 0, 0, G_OPTION_ARG_FILENAME, &opt_samples,
      "make FILE of what was measured of the domain since the snapshot before", "FILE" },
    { "save-image", 0, 0, G_OPTION_ARG_FILENAME, &opt_save_image,
      "make FILE, an image for 'virsh restore'", "FILE" },
    G_OPTION_ENTRY_NULL,
};

static void
show(FsnCliContext *context, const FsnExportResult *result, const char *path)
{
    JsonObject *document = context->document;
    g_autofree char *size = fsn_cli_size_text(result->bytes_written);
    g_autofree char *file = g_filename_display_name(path);

    json_object_set_string_member(document, "snapshot", result->snapshot);
    json_object_set_string_member(document, "domain", result->domain);
    json_object_set_string_member(document, "file", file);
    json_object_set_int_member(document, "bytes_written", (int64_t)result->bytes_written);
    if (opt_disk) {
        json_object_set_string_member(document, "disk", opt_disk);
        fsn_cli_say(context, "exported disk %s of %.8s of '%s' to '%s', %s of data",
                    opt_disk, result->snapshot, result->domain, file, size);
        return;
    }
    if (opt_log || opt_config || opt_samples) {
        fsn_cli_say(context, "exported %s%s of %.8s of '%s' to '%s', %s",
                    opt_log      ? "log "
                    : opt_config ? "the configuration"
                                 : "the samples",
                    opt_log ? opt_log : "", result->snapshot, result->domain, file, size);
        return;
    }
    fsn_cli_say(context, "exported %.8s of '%s' to '%s', %s", result->snapshot,
                result->domain, file, size);
    fsn_cli_warn(
        context,
        "only one of the two may ever run: 'foresnap discard %s' before you restore "
        "'%s', or delete the file",
        result->domain, file);
}

static bool
check_usage(char **args, GError **error)
{
    int wanted = !!opt_save_image + !!opt_disk + !!opt_config + !!opt_log + !!opt_samples;
    const char *wrong = NULL;

    if (wanted != 1) {
        wrong = "say what to make: --save-image FILE, --config FILE, --samples FILE, or "
                "--disk TARGET or --log NAME and a FILE";
    } else if (opt_save_image && (args[1] || opt_format || opt_force)) {
        wrong = "--save-image names its file itself and takes nothing that is for disks";
    } else if ((opt_config || opt_samples) && args[1]) {
        wrong = "--config and --samples name their file themselves";
    } else if (opt_disk && !args[1]) {
        wrong = "say to which file the disk is to be written";
    } else if (opt_log && !args[1]) {
        wrong = "say to which file the log is to be written";
    } else if (opt_format && !opt_disk) {
        wrong = "--format is for disks";
    } else if (opt_format && !g_str_equal(opt_format, "raw") &&
               !g_str_equal(opt_format, "qcow2")) {
        wrong = "a disk is written as raw or as qcow2";
    }
    if (wrong) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "%s", wrong);
    }
    return !wrong;
}

/* An interrupted one leaves nothing behind; an image of memory ends at once instead. */
static bool
export_disk(FsnCliContext *context,
            FsnCycle *cycle,
            char **args,
            FsnExportResult *out_result,
            GError **error)
{
    const FsnExportDiskOptions chosen = { .target = opt_disk,
                                          .format = opt_format,
                                          .force = opt_force };

    return fsn_cli_interrupt_watch(context->cancellable, error) &&
           fsn_cycle_export_disk(cycle, args[0], &chosen, args[1], context->cancellable,
                                 out_result, error);
}

static const char *
file_of(char **args)
{
    return opt_save_image ? opt_save_image
           : opt_config   ? opt_config
           : opt_samples  ? opt_samples
                          : args[1];
}

static bool export(FsnCliContext *context,
                   FsnCycle *cycle,
                   char **args,
                   FsnExportResult *out_result,
                   GError **error)
{
    if (opt_disk) {
        return export_disk(context, cycle, args, out_result, error);
    }
    if (opt_config || opt_log || opt_samples) {
        const FsnExportPart part = { .member = opt_config ? "config" : "samples",
                                     .log = opt_log };

        return fsn_cycle_export_part(cycle, args[0], &part, file_of(args), opt_force,
                                     out_result, error);
    }
    return fsn_cycle_export_save_image(cycle, args[0], opt_save_image, out_result, error);
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnCliProgress) progress = fsn_cli_progress_new(context);
    g_autoptr(FsnCycle) cycle = NULL;
    g_auto(FsnExportResult) result = { 0 };

    if (!check_usage(args, error)) {
        return false;
    }
    cycle = fsn_cli_open_cycle(context, progress, error);
    if (!cycle || !export(context, cycle, args, &result, error)) {
        return fsn_cli_fail(error, "export", args[0]);
    }
    fsn_cli_progress_wipe(progress);
    if (opt_disk) {
        fsn_cli_warn_left_out(context, fsn_cycle_repo(cycle, NULL), result.snapshot,
                              opt_disk);
    }
    show(context, &result, file_of(args));
    return true;
}

const FsnCliCommand fsn_cmd_export = {
    .name = "export",
    .arguments = "SNAPSHOT [FILE]",
    .summary = "write a part of a snapshot as a file: a disk, the memory, a log",
    .options = options,
    .min_args = 1,
    .max_args = 2,
    .run = run,
    .detachable = true,
};
