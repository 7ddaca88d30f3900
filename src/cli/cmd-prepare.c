/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap prepare: the bulk of a domain's memory into the repository while it runs, so that
 * the suspend that follows has almost nothing left to do.
 */
#include "config.h"

#include "base/error.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/units.h"
#include "cycle/prepare.h"

static gboolean opt_abort;
static char *opt_codec;
static int opt_hold;

static GOptionEntry options[] = {
    { "abort", 0, 0, G_OPTION_ARG_NONE, &opt_abort, "give up what is prepared", NULL },
    { "codec", 0, 0, G_OPTION_ARG_STRING, &opt_codec, "compress by zstd, lz4 or none",
      "CODEC" },
    { "hold", 0, 0, G_OPTION_ARG_INT, &opt_hold,
      "give up by itself after so many seconds (600)", "SECONDS" },
    G_OPTION_ENTRY_NULL,
};

static bool
abort_prepared(FsnCliContext *context,
               FsnCycle *cycle,
               const char *domain,
               GError **error)
{
    if (!fsn_cycle_prepare_abort(cycle, domain, error)) {
        return false;
    }
    json_object_set_string_member(context->document, "domain", domain);
    json_object_set_boolean_member(context->document, "aborted", true);
    fsn_cli_say(context, "gave up what was prepared for '%s'", domain);
    return true;
}

static void
show(FsnCliContext *context, const FsnPrepareResult *result)
{
    JsonObject *document = context->document;
    g_autofree char *total = fsn_cli_duration_text(result->total_us);
    g_autofree char *stored = fsn_cli_size_text(result->bytes_stored);
    g_autofree char *hold = fsn_cli_duration_text(result->hold_s * G_USEC_PER_SEC);

    json_object_set_string_member(document, "domain", result->domain);
    json_object_set_int_member(document, "total_us", result->total_us);
    json_object_set_int_member(document, "bytes_read", (int64_t)result->bytes_read);
    json_object_set_int_member(document, "bytes_stored", (int64_t)result->bytes_stored);
    json_object_set_int_member(document, "hold_us", result->hold_s * G_USEC_PER_SEC);
    fsn_cli_say(context,
                "prepared '%s' in %s, %s stored; held for %s: now 'foresnap suspend %s'",
                result->domain, total, stored, hold, result->domain);
}

static bool
prepare(FsnCliContext *context,
        FsnCycle *cycle,
        FsnCliProgress *progress,
        const char *domain,
        GError **error)
{
    FsnSuspendOptions chosen = FSN_SUSPEND_OPTIONS_INIT;
    g_auto(FsnPrepareResult) result = { 0 };

    chosen.max_hold_s = opt_hold;
    if (!fsn_cli_parse_codec(opt_codec, &chosen.codec, error) ||
        !fsn_cycle_prepare(cycle, domain, &chosen, &result, error)) {
        return false;
    }
    fsn_cli_progress_wipe(progress);
    show(context, &result);
    return true;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnCliProgress) progress = fsn_cli_progress_new(context);
    g_autoptr(FsnCycle) cycle = NULL;

    if (opt_hold < 0 || (opt_abort && (opt_hold > 0 || opt_codec))) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "%s",
                    opt_abort ? "--abort goes with no other option"
                              : "--hold takes seconds, at least 1");
        return false;
    }
    cycle = fsn_cli_open_cycle(context, progress, error);
    if (!cycle || !(opt_abort ? abort_prepared(context, cycle, args[0], error)
                              : prepare(context, cycle, progress, args[0], error))) {
        return fsn_cli_fail(error, opt_abort ? "abort" : "prepare", args[0]);
    }
    return true;
}

const FsnCliCommand fsn_cmd_prepare = {
    .name = "prepare",
    .arguments = "DOMAIN",
    .summary = "read a domain's memory ahead of its suspend, while it runs",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run,
    .detachable = true,
};
