/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap export: a snapshot as a file that other programs understand.
 */
#include "config.h"

#include "base/error.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/units.h"
#include "cycle/export.h"

static char *opt_save_image;

static GOptionEntry options[] = {
    { "save-image", 0, 0, G_OPTION_ARG_FILENAME, &opt_save_image,
      "make FILE, an image for 'virsh restore'", "FILE" },
    G_OPTION_ENTRY_NULL,
};

static void
show(FsnCliContext *context, const FsnExportResult *result)
{
    JsonObject *document = context->document;
    g_autofree char *size = fsn_cli_size_text(result->bytes_written);
    g_autofree char *file = g_filename_display_name(opt_save_image);

    json_object_set_string_member(document, "snapshot", result->snapshot);
    json_object_set_string_member(document, "domain", result->domain);
    json_object_set_string_member(document, "file", file);
    json_object_set_int_member(document, "bytes_written", (int64_t)result->bytes_written);
    fsn_cli_say(context, "exported %.8s of '%s' to '%s', %s", result->snapshot,
                result->domain, file, size);
    fsn_cli_warn(
        context,
        "only one of the two may ever run: 'foresnap discard %s' before you restore "
        "'%s', or delete the file",
        result->domain, file);
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnCliProgress) progress = fsn_cli_progress_new(context);
    g_autoptr(FsnCycle) cycle = NULL;
    g_auto(FsnExportResult) result = { 0 };

    if (!opt_save_image) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "say what to make: --save-image FILE");
        return false;
    }
    cycle = fsn_cli_open_cycle(context, progress, error);
    if (!cycle ||
        !fsn_cycle_export_save_image(cycle, args[0], opt_save_image, &result, error)) {
        return fsn_cli_fail(error, "export", args[0]);
    }
    fsn_cli_progress_wipe(progress);
    show(context, &result);
    return true;
}

const FsnCliCommand fsn_cmd_export = {
    .name = "export",
    .arguments = "SNAPSHOT",
    .summary = "write a snapshot as a file for 'virsh restore'",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
