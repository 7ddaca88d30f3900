/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap resume: a suspended domain runs again, before its memory has been read. Returns
 * when the guest runs; the pager goes on by itself.
 */
#include "config.h"

#include "base/error.h"
#include "cli/around.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/sizing.h"
#include "cli/units.h"
#include "cycle/resume.h"

#include <string.h>

static char *opt_mode;
static gboolean opt_no_resize;
static gboolean opt_no_sync_time;
static gboolean opt_paused;
static gboolean opt_take_over;
static gboolean opt_wait;

static GOptionEntry options[] = {
    { "mode", 0, 0, G_OPTION_ARG_STRING, &opt_mode, "predicted (default), lazy or eager",
      "MODE" },
    { "no-resize", 0, 0, G_OPTION_ARG_NONE, &opt_no_resize,
      "leave its vCPUs and memory as they are", NULL },
    { "no-sync-time", 0, 0, G_OPTION_ARG_NONE, &opt_no_sync_time,
      "leave the guest's clock as it is", NULL },
    { "paused", 0, 0, G_OPTION_ARG_NONE, &opt_paused, "leave the guest stopped", NULL },
    { "take-over", 0, 0, G_OPTION_ARG_NONE, &opt_take_over,
      "break the claim of a host that is gone for good", NULL },
    { "wait", 0, 0, G_OPTION_ARG_NONE, &opt_wait, "return when all memory is loaded",
      NULL },
    G_OPTION_ENTRY_NULL,
};

static bool
parse_mode(const char *text, FsnResumeMode *out_mode, GError **error)
{
    static const FsnResumeMode modes[] = { FSN_RESUME_PREDICTED, FSN_RESUME_LAZY,
                                           FSN_RESUME_EAGER };

    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        if (!text || strcmp(text, fsn_resume_mode_name(modes[i])) == 0) {
            *out_mode = modes[i];
            return true;
        }
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                "there is no mode '%s', only predicted, lazy and eager", text);
    return false;
}

static void
fill_document(JsonObject *document, const FsnResumeResult *result)
{
    json_object_set_string_member(document, "domain", result->domain);
    json_object_set_string_member(document, "snapshot", result->snapshot);
    json_object_set_string_member(document, "mode", fsn_resume_mode_name(result->mode));
    json_object_set_int_member(document, "domain_created_us", result->domain_created_us);
    json_object_set_int_member(document, "running_us", result->running_us);
    json_object_set_int_member(document, "working_set_pages",
                               (int64_t)result->working_set_pages);
    json_object_set_int_member(document, "faults", (int64_t)result->faults);
    if (opt_wait) {
        json_object_set_int_member(document, "loaded_us", result->loaded_us);
    }
}

static void
show(FsnCliContext *context, const FsnResumeResult *result)
{
    g_autofree char *created = fsn_cli_duration_text(result->domain_created_us);
    g_autofree char *running = fsn_cli_duration_text(result->running_us);

    fill_document(context->document, result);
    for (char **warning = result->warnings; *warning; warning++) {
        fsn_cli_warn(context, "%s", *warning);
    }
    fsn_cli_say(context,
                "resumed '%s' (%s) in %s, of that %s until libvirt had made it%s",
                result->domain, fsn_resume_mode_name(result->mode), running, created,
                opt_paused ? "; it is paused" : "");
    if (opt_wait) {
        g_autofree char *loaded = fsn_cli_duration_text(result->loaded_us);

        fsn_cli_say(context,
                    "loaded its memory in %s, %" G_GUINT64_FORMAT " page requests",
                    loaded, result->faults);
    }
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnCliProgress) progress = fsn_cli_progress_new(context);
    g_autoptr(FsnCycle) cycle = NULL;
    FsnCliAround *around;
    bool done;
    g_auto(FsnResumeResult) result = { 0 };
    FsnResumeOptions chosen = { .paused = opt_paused,
                                .sync_time = !opt_no_sync_time,
                                .wait = opt_wait,
                                .take_over = opt_take_over };

    if (!parse_mode(opt_mode, &chosen.mode, error)) {
        return false;
    }
    cycle = fsn_cli_open_cycle(context, progress, error);
    around =
        cycle ? fsn_cli_around_begin(context, cycle, "resume", args[0], error) : NULL;
    if (!around) {
        return fsn_cli_fail(error, "resume", args[0]);
    }
    done = fsn_cycle_resume(cycle, args[0], &chosen, &result, error);
    fsn_cli_around_end(around, result.domain, result.snapshot, done ? NULL : *error);
    if (!done) {
        return fsn_cli_fail(error, "resume", args[0]);
    }
    fsn_cli_progress_wipe(progress);
    show(context, &result);
    if (!opt_no_resize) {
        fsn_cli_size_resumed(context, cycle, result.domain);
    }
    return true;
}

const FsnCliCommand fsn_cmd_resume = {
    .name = "resume",
    .arguments = "DOMAIN|SNAPSHOT",
    .summary = "let a suspended domain run again, before its memory is read",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run,
    .detachable = true,
};
