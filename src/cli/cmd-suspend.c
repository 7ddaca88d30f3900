/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap suspend: a domain's memory into the repository, the domain off and guarded. If it
 * fails the domain runs on.
 */
#include "config.h"

#include "base/error.h"
#include "cli/around.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/units.h"
#include "cycle/suspend.h"

static gboolean opt_paused;
static int opt_ahead = -1;
static char *opt_codec;

static GOptionEntry options[] = {
    { "ahead", 0, 0, G_OPTION_ARG_INT, &opt_ahead,
      "prepare now, stop the guest so many seconds from now", "SECONDS" },
    { "codec", 0, 0, G_OPTION_ARG_STRING, &opt_codec, "compress by zstd, lz4 or none",
      "CODEC" },
    { "paused", 0, 0, G_OPTION_ARG_NONE, &opt_paused,
      "stop the guest first, then read its memory", NULL },
    G_OPTION_ENTRY_NULL,
};

static bool
read_options(FsnSuspendOptions *out_options, GError **error)
{
    FsnSuspendOptions chosen = FSN_SUSPEND_OPTIONS_INIT;

    if (opt_paused && opt_ahead >= 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "--paused stops the guest now, --ahead later: give one of them");
        return false;
    }
    if (opt_ahead < -1) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "--ahead takes seconds from now");
        return false;
    }
    if (!fsn_cli_parse_codec(opt_codec, &chosen.codec, error)) {
        return false;
    }
    chosen.paused = opt_paused;
    chosen.ahead_s = opt_ahead;
    *out_options = chosen;
    return true;
}

static void
show(FsnCliContext *context, const FsnSuspendResult *result)
{
    g_autoptr(JsonObject) object = fsn_suspend_result_to_json(result);
    g_autofree char *pause = fsn_cli_duration_text(result->pause_us);
    g_autofree char *total = fsn_cli_duration_text(result->total_us);
    g_autofree char *stored = fsn_cli_size_text(result->bytes_stored);

    json_object_remove_member(object,
                              "warning"); /* it is among the document's warnings */
    fsn_cli_add_result(context, object);
    if (result->warning) {
        fsn_cli_warn(context, "%s", result->warning);
    }
    fsn_cli_say(context, "suspended '%s' as %.8s: paused %s, %s in all, %s stored",
                result->domain, result->snapshot, pause, total, stored);
    if (context->verbose) {
        g_autofree char *read = fsn_cli_size_text(result->bytes_read);
        g_autofree char *changed = fsn_cli_size_text(result->bytes_changed);

        fsn_cli_say(context, "  read %s, changed %s; snapshot %s, parent %s", read,
                    changed, result->snapshot, *result->parent ? result->parent : "none");
    }
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnCliProgress) progress = fsn_cli_progress_new(context);
    g_autoptr(FsnCycle) cycle = NULL;
    FsnCliAround *around;
    bool done;
    g_auto(FsnSuspendResult) result = { 0 };
    FsnSuspendOptions chosen;

    if (!read_options(&chosen, error)) {
        return false;
    }
    cycle = fsn_cli_open_cycle(context, progress, error);
    around =
        cycle ? fsn_cli_around_begin(context, cycle, "suspend", args[0], error) : NULL;
    if (!around) {
        return fsn_cli_fail(error, "suspend", args[0]);
    }
    done = fsn_cycle_suspend(cycle, args[0], &chosen, &result, error);
    fsn_cli_around_end(around, result.domain, result.snapshot, done ? NULL : *error);
    if (!done) {
        return fsn_cli_fail(error, "suspend", args[0]);
    }
    fsn_cli_progress_wipe(progress);
    show(context, &result);
    return true;
}

const FsnCliCommand fsn_cmd_suspend = {
    .name = "suspend",
    .arguments = "DOMAIN",
    .summary = "put a domain's memory into the repository and end the domain",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run,
    .detachable = true,
};
