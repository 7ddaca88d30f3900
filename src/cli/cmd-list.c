/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap list: the snapshots in the repository, newest first. A damaged one is named and
 * hides no other.
 */
#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/snapshots.h"
#include "cli/units.h"

static void
add_row(FsnCliTable *table, JsonObject *summary)
{
    g_autofree char *id = g_strndup(fsn_json_peek_string(summary, "snapshot", "?"), 8);
    g_autofree char *created =
        fsn_cli_instant_text(fsn_json_peek_string(summary, "created", "?"));
    g_autofree char *memory =
        fsn_cli_size_text((uint64_t)fsn_json_peek_int(summary, "memory_bytes", 0));
    g_autofree char *stored =
        fsn_cli_size_text((uint64_t)fsn_json_peek_int(summary, "bytes_stored", 0));

    fsn_cli_table_add(table, id, fsn_json_peek_string(summary, "domain", "?"),
                      fsn_json_peek_string(summary, "kind", "?"),
                      fsn_json_peek_string(summary, "state", "?"), created, memory,
                      stored);
}

static void
show(FsnCliContext *context, JsonArray *summaries)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("lllllrr");
    g_autofree char *text = NULL;

    fsn_cli_table_add(table, "SNAPSHOT", "DOMAIN", "KIND", "STATE", "CREATED", "MEMORY",
                      "STORED");
    for (guint i = 0; i < json_array_get_length(summaries); i++) {
        JsonObject *summary = json_array_get_object_element(summaries, i);

        if (context->quiet) {
            fsn_cli_print(context, "%s\n",
                          fsn_json_peek_string(summary, "snapshot", "?"));
        } else {
            add_row(table, summary);
        }
    }
    text = fsn_cli_table_text(table);
    if (json_array_get_length(summaries) == 0) {
        fsn_cli_say(context, "there are no snapshots");
    } else if (!context->quiet) {
        fsn_cli_print(context, "%s", text);
    }
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = fsn_cli_open_repo(context, FSN_REPO_READ_ONLY, error);
    g_autoptr(GPtrArray) manifests = NULL;
    JsonArray *summaries;
    guint damaged;

    if (!repo ||
        !fsn_cli_load_snapshots(context, repo, args[0], &manifests, &damaged, error)) {
        return false;
    }
    summaries = json_array_new();
    json_object_set_array_member(context->document, "snapshots", summaries);
    for (guint i = 0; i < manifests->len; i++) {
        FsnSnapshotState state = fsn_cli_snapshot_state(repo, manifests->pdata[i]);

        json_array_add_object_element(summaries,
                                      fsn_snapshot_summary(manifests->pdata[i], state));
    }
    show(context, summaries);
    if (damaged > 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_PARTIAL,
                    "%u snapshot%s cannot be listed: see the warnings", damaged,
                    damaged == 1 ? "" : "s");
        return false;
    }
    return true;
}

const FsnCliCommand fsn_cmd_list = {
    .name = "list",
    .arguments = "[DOMAIN]",
    .summary = "list the snapshots, newest first",
    .max_args = 1,
    .run = run,
};
