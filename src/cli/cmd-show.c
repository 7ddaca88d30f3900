/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap show: one snapshot; with --json its whole manifest.
 */
#include "config.h"

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/snapshots.h"
#include "repo/manifests.h"

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = fsn_cli_open_repo(context, FSN_REPO_READ_ONLY, error);
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(FsnCatalogueEntry) entry = NULL;
    g_autoptr(JsonObject) summary = NULL;
    g_autofree char *text = NULL;
    FsnSnapshotState state;

    if (!repo || !fsn_repo_load_manifest(repo, args[0], &manifest, error)) {
        return false;
    }
    entry = fsn_catalogue_entry_new(manifest);
    state = fsn_cli_snapshot_state(repo, entry->id);
    summary = fsn_snapshot_summary(entry, state);
    text = fsn_snapshot_text(manifest, state);
    fsn_cli_add_result(context, summary);
    json_object_set_object_member(context->document, "manifest",
                                  json_object_ref(manifest));
    fsn_cli_print(context, "%s", text);
    return true;
}

const FsnCliCommand fsn_cmd_show = {
    .name = "show",
    .arguments = "SNAPSHOT",
    .summary = "show one snapshot",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
