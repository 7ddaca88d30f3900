/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap list: the snapshots in the repository, newest first. A damaged one is named and
 * hides no other.
 */
#include "config.h"

#include "base/error.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/snapshots.h"
#include "cli/units.h"
#include "repo/marks.h"

static void
add_row(FsnCliTable *table, const FsnCatalogueEntry *entry, FsnSnapshotState state)
{
    g_autofree char *id = g_strndup(entry->id, 8);
    g_autofree char *created = fsn_cli_instant_text(entry->created);
    g_autofree char *memory = fsn_cli_size_text(entry->memory_bytes);
    g_autofree char *stored = fsn_cli_size_text((uint64_t)MAX(entry->bytes_stored, 0));

    fsn_cli_table_add(table, id, entry->domain, entry->kind,
                      fsn_snapshot_state_word(state), created, memory, stored);
}

static void
show_ids(FsnCliContext *context, GPtrArray *entries)
{
    for (guint i = 0; i < entries->len; i++) {
        const FsnCatalogueEntry *entry = entries->pdata[i];

        fsn_cli_print(context, "%s\n", entry->id);
    }
}

static void
show(FsnCliContext *context, GPtrArray *entries, GHashTable *marks)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("lllllrr");
    g_autofree char *text = NULL;

    fsn_cli_table_add(table, "SNAPSHOT", "DOMAIN", "KIND", "STATE", "CREATED", "MEMORY",
                      "STORED");
    for (guint i = 0; i < entries->len; i++) {
        const FsnCatalogueEntry *entry = entries->pdata[i];

        add_row(table, entry, fsn_cli_listed_state(marks, entry->id));
    }
    text = fsn_cli_table_text(table);
    if (entries->len == 0) {
        fsn_cli_say(context, "there are no snapshots");
    } else {
        fsn_cli_print(context, "%s", text);
    }
}

static void
fill_document(FsnCliContext *context, GPtrArray *entries, GHashTable *marks)
{
    JsonArray *summaries = json_array_sized_new(entries->len);

    for (guint i = 0; i < entries->len; i++) {
        const FsnCatalogueEntry *entry = entries->pdata[i];

        json_array_add_object_element(
            summaries,
            fsn_snapshot_summary(entry, fsn_cli_listed_state(marks, entry->id)));
    }
    json_object_set_array_member(context->document, "snapshots", summaries);
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = fsn_cli_open_repo(context, FSN_REPO_READ_ONLY, error);
    g_autoptr(GPtrArray) entries = NULL;
    g_autoptr(GHashTable) marks = NULL;
    guint damaged;

    if (!repo ||
        !fsn_cli_load_snapshots(context, repo, args[0], &entries, &damaged, error) ||
        !fsn_repo_mark_list(repo, &marks, error)) {
        return false;
    }
    if (context->json) {
        fill_document(context, entries, marks);
    } else if (context->quiet) {
        show_ids(context, entries);
    } else {
        show(context, entries, marks);
    }
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
