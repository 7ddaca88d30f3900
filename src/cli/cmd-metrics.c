/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap metrics: the figures that the daemon gives to Prometheus, for hosts without it: into a
 * file that node_exporter's textfile collector reads.
 */
#include "config.h"

#include "base/error.h"
#include "base/files.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "view/view.h"

#include <string.h>

static char *opt_history;
static char *opt_output;

static GOptionEntry options[] = {
    { "history", 0, 0, G_OPTION_ARG_FILENAME, &opt_history, "file of the history",
      "FILE" },
    { "output", 0, 0, G_OPTION_ARG_FILENAME, &opt_output,
      "replace FILE, which ends in .prom, in one step", "FILE" },
    G_OPTION_ENTRY_NULL,
};

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    FsnViewPlaces places = { .uri = context->uri,
                             .history = opt_history,
                             .repo = context->repo_location };
    g_autoptr(FsnViewSource) source = fsn_view_source_new(&places);
    g_autoptr(FsnView) view = NULL;
    g_autofree char *text = NULL;

    /* A repository that is not there yet has no sizes; what is wrong with one is told below. */
    (void)!fsn_view_count(source, NULL);
    view = fsn_view_gather(source);
    for (guint i = 0; i < view->problems->len; i++) {
        fsn_cli_warn(context, "%s", (char *)view->problems->pdata[i]);
    }
    text = fsn_view_metrics(view);
    json_object_set_int_member(context->document, "domains", view->domains->len);
    if (!opt_output) {
        json_object_set_string_member(context->document, "metrics", text);
        fsn_cli_print(context, "%s", text);
        return true;
    }
    json_object_set_string_member(context->document, "output", opt_output);
    return fsn_file_replace(opt_output, text, strlen(text), 0644, error);
}

const FsnCliCommand fsn_cmd_metrics = {
    .name = "metrics",
    .arguments = "",
    .summary = "print figures for Prometheus",
    .options = options,
    .run = run,
};
