/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap import: an image of virsh save becomes the suspend state of its domain.
 */
#include "config.h"

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/units.h"
#include "cycle/import.h"

static char *opt_codec;

static GOptionEntry options[] = {
    { "codec", 0, 0, G_OPTION_ARG_STRING, &opt_codec, "compress by zstd, lz4 or none",
      "CODEC" },
    G_OPTION_ENTRY_NULL,
};

static void
show(FsnCliContext *context, const FsnSuspendResult *result, const char *file)
{
    g_autoptr(JsonObject) object = fsn_suspend_result_to_json(result);
    g_autofree char *total = fsn_cli_duration_text(result->total_us);
    g_autofree char *stored = fsn_cli_size_text(result->bytes_stored);
    g_autofree char *name = g_filename_display_name(file);

    fsn_cli_add_result(context, object);
    fsn_cli_say(context, "imported '%s' as %.8s of '%s' in %s, %s stored", name,
                result->snapshot, result->domain, total, stored);
    fsn_cli_warn(
        context,
        "only one of the two may ever run: delete '%s' before 'foresnap resume %s'", name,
        result->domain);
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnCliProgress) progress = fsn_cli_progress_new(context);
    g_autoptr(FsnCycle) cycle = NULL;
    g_auto(FsnSuspendResult) result = { 0 };
    FsnSuspendOptions chosen = FSN_SUSPEND_OPTIONS_INIT;

    if (!fsn_cli_parse_codec(opt_codec, &chosen.codec, error)) {
        return false;
    }
    cycle = fsn_cli_open_cycle(context, progress, error);
    if (!cycle ||
        !fsn_cycle_import_save_image(cycle, args[0], args[1], &chosen, &result, error)) {
        return fsn_cli_fail(error, "import", args[1]);
    }
    fsn_cli_progress_wipe(progress);
    show(context, &result, args[1]);
    return true;
}

const FsnCliCommand fsn_cmd_import = {
    .name = "import",
    .arguments = "DOMAIN FILE",
    .summary = "take an image of 'virsh save' as a domain's memory",
    .options = options,
    .min_args = 2,
    .max_args = 2,
    .run = run,
    .detachable = true,
};
