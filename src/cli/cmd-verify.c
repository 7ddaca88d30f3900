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
#include "cli/verify-disk.h"
#include "repo/verify.h"

static gboolean opt_against_disk;
static gboolean opt_all;
static gboolean opt_read_data;

static GOptionEntry options[] = {
    { "against-disk", 0, 0, G_OPTION_ARG_NONE, &opt_against_disk,
      "compare the snapshot with the domain's disks", NULL },
    { "all", 0, 0, G_OPTION_ARG_NONE, &opt_all, "all snapshots (the default)", NULL },
    { "read-data", 0, 0, G_OPTION_ARG_NONE, &opt_read_data,
      "also read and check every byte", NULL },
    G_OPTION_ENTRY_NULL,
};

static void
on_progress(gpointer user, FsnVerifyPhase phase, uint64_t done, uint64_t total)
{
    switch (phase) {
    case FSN_VERIFY_INDEXES:
        fsn_cli_progress_count("looking at snapshots", done, total, user);
        break;
    case FSN_VERIFY_DATA:
        fsn_cli_progress_update("verifying", done, total, user);
        break;
    }
}

static JsonObject *
result_json(const FsnVerifyResult *result)
{
    JsonObject *object = json_object_new();
    JsonArray *problems = json_array_new();

    for (guint i = 0; i < result->problems->len; i++) {
        g_autofree char *text = g_utf8_make_valid(result->problems->pdata[i], -1);

        json_array_add_string_element(problems, text);
    }
    json_object_set_string_member(object, "snapshot", result->id);
    json_object_set_boolean_member(object, "sound", result->problems->len == 0);
    json_object_set_array_member(object, "problems", problems);
    return object;
}

static void
fill_document(FsnCliContext *context, const FsnVerifyReport *report)
{
    JsonObject *document = context->document;
    JsonArray *problems = json_array_new();
    JsonArray *results = json_array_sized_new(report->results->len);

    for (guint i = 0; i < report->problems->len; i++) {
        g_autofree char *text = g_utf8_make_valid(report->problems->pdata[i], -1);

        json_array_add_string_element(problems, text);
    }
    for (guint i = 0; i < report->results->len; i++) {
        json_array_add_object_element(results, result_json(report->results->pdata[i]));
    }
    json_object_set_boolean_member(document, "read_data", opt_read_data);
    json_object_set_int_member(document, "snapshots", (int64_t)report->snapshots);
    json_object_set_int_member(document, "objects", (int64_t)report->objects);
    json_object_set_int_member(document, "granules", (int64_t)report->granules);
    json_object_set_int_member(document, "bytes_read", (int64_t)report->bytes);
    json_object_set_array_member(document, "problems", problems);
    json_object_set_array_member(document, "results", results);
}

static void
show(FsnCliContext *context, const FsnVerifyReport *report)
{
    g_autofree char *bytes = fsn_cli_size_text(report->bytes);
    guint sound = 0;

    for (guint i = 0; i < report->problems->len; i++) {
        g_autofree char *text = g_utf8_make_valid(report->problems->pdata[i], -1);

        fsn_cli_print(context, "%s\n", text);
    }
    for (guint i = 0; i < report->results->len; i++) {
        sound += ((FsnVerifyResult *)report->results->pdata[i])->problems->len == 0;
    }
    if (report->problems->len == 0) {
        fsn_cli_say(context,
                    "verified %" G_GUINT64_FORMAT " snapshots, %" G_GUINT64_FORMAT
                    " objects, %s read: no problem",
                    report->snapshots, report->objects, bytes);
    } else {
        fsn_cli_say(context, "%u of %u snapshots are sound", sound, report->results->len);
    }
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = NULL;
    g_autoptr(FsnCliProgress) progress = fsn_cli_progress_new(context);
    g_auto(FsnVerifyReport) report = { 0 };
    const char *const *ids = args[0] ? (const char *const *)args : NULL;

    if (opt_all && args[0]) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "give either snapshots or --all, not both");
        return false;
    }
    if (opt_against_disk) {
        if (!args[0] || args[1] || opt_all || opt_read_data) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                        "--against-disk takes one snapshot, and no other option");
            return false;
        }
        return fsn_cli_verify_against_disk(context, args[0], error);
    }
    repo = fsn_cli_open_repo(context, FSN_REPO_READ_ONLY, error);
    if (!repo) {
        return false;
    }
    if (!fsn_repo_verify(repo, ids, opt_read_data, on_progress, progress, &report,
                         error)) {
        g_prefix_error(error, "cannot verify: ");
        return false;
    }
    fsn_cli_progress_wipe(progress);
    fill_document(context, &report);
    show(context, &report);
    if (report.problems->len > 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT, "found %u problem%s",
                    report.problems->len, report.problems->len == 1 ? "" : "s");
        return false;
    }
    return true;
}

const FsnCliCommand fsn_cmd_verify = {
    .name = "verify",
    .arguments = "[SNAPSHOT...]",
    .summary = "check that snapshots are whole",
    .options = options,
    .max_args = FSN_CLI_ANY,
    .run = run,
    .detachable = true,
};
