/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap verify: is what snapshots need there, and, on request, is every byte of it as it
 * was written? Names each problem; changes nothing.
 */
#include "config.h"

#include "base/error.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/snapshots.h"
#include "cli/units.h"
#include "repo/verify.h"

static gboolean opt_all;
static gboolean opt_read_data;

static GOptionEntry options[] = {
    { "all", 0, 0, G_OPTION_ARG_NONE, &opt_all, "all snapshots (the default)", NULL },
    { "read-data", 0, 0, G_OPTION_ARG_NONE, &opt_read_data,
      "also read and check every byte", NULL },
    G_OPTION_ENTRY_NULL,
};

/* What all calls of the library together have found. */
typedef struct {
    FsnCliContext *context;
    JsonArray *problems;
    FsnVerifyReport sum; /* without problems */
} Findings;

static void
on_progress(gpointer user, uint64_t done, uint64_t total)
{
    fsn_cli_progress_update("verifying", done, total, user);
}

static bool
verify(Findings *findings, FsnRepo *repo, const char *id, GError **error)
{
    g_autoptr(FsnCliProgress) progress = fsn_cli_progress_new(findings->context);
    g_auto(FsnVerifyReport) report = { 0 };

    if (!fsn_repo_verify(repo, id, opt_read_data, on_progress, progress, &report,
                         error)) {
        g_prefix_error(error, "cannot verify: ");
        return false;
    }
    fsn_cli_progress_wipe(progress);
    findings->sum.snapshots += report.snapshots;
    findings->sum.objects += report.objects;
    findings->sum.granules += report.granules;
    findings->sum.bytes += report.bytes;
    for (guint i = 0; i < report.problems->len; i++) {
        const char *problem = report.problems->pdata[i];
        g_autofree char *text = g_utf8_make_valid(problem, -1);

        fsn_cli_print(findings->context, "%s\n", text);
        json_array_add_string_element(findings->problems, text);
    }
    return true;
}

static void
show(Findings *findings)
{
    JsonObject *document = findings->context->document;
    const FsnVerifyReport *sum = &findings->sum;
    g_autofree char *bytes = fsn_cli_size_text(sum->bytes);
    guint problems = json_array_get_length(findings->problems);

    json_object_set_boolean_member(document, "read_data", opt_read_data);
    json_object_set_int_member(document, "snapshots", (int64_t)sum->snapshots);
    json_object_set_int_member(document, "objects", (int64_t)sum->objects);
    json_object_set_int_member(document, "granules", (int64_t)sum->granules);
    json_object_set_int_member(document, "bytes_read", (int64_t)sum->bytes);
    if (problems == 0) {
        fsn_cli_say(findings->context,
                    "verified %" G_GUINT64_FORMAT " snapshots, %" G_GUINT64_FORMAT
                    " objects, %s read: no problem",
                    sum->snapshots, sum->objects, bytes);
    }
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = NULL;
    Findings findings = { .context = context };
    bool verified = true;
    guint problems;

    if (opt_all && args[0]) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "give either snapshots or --all, not both");
        return false;
    }
    repo = fsn_cli_open_repo(context, FSN_REPO_READ_ONLY, error);
    if (!repo) {
        return false;
    }
    findings.problems = json_array_new();
    json_object_set_array_member(context->document, "problems", findings.problems);
    if (!args[0]) {
        verified = verify(&findings, repo, NULL, error);
    }
    for (char **arg = args; verified && *arg; arg++) {
        verified = verify(&findings, repo, *arg, error);
    }
    show(&findings);
    problems = json_array_get_length(findings.problems);
    if (verified && problems > 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT, "found %u problem%s", problems,
                    problems == 1 ? "" : "s");
        return false;
    }
    return verified;
}

const FsnCliCommand fsn_cmd_verify = {
    .name = "verify",
    .arguments = "[SNAPSHOT...]",
    .summary = "check that snapshots are whole",
    .options = options,
    .max_args = FSN_CLI_ANY,
    .run = run,
};
