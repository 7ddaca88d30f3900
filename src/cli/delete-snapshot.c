/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last look before a snapshot is deleted, by whatever command: at the manifest and the
 * marks themselves, not at a list that may be old by now.
 */
#include "config.h"

#include "cli/delete-snapshot.h"

#include "base/error.h"
#include "cli/snapshots.h"
#include "repo/manifests.h"

bool
fsn_cli_may_delete(FsnRepo *repo,
                   const char *text,
                   bool force,
                   char **out_id,
                   char **out_domain,
                   GError **error)
{
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(FsnCatalogueEntry) entry = NULL;
    FsnSnapshotState state;

    if (!fsn_repo_load_manifest(repo, text, &manifest, error)) {
        return false;
    }
    entry = fsn_catalogue_entry_new(manifest);
    state = fsn_cli_snapshot_state(repo, entry->id);
    if (!force && state == FSN_SNAPSHOT_READ) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "snapshot '%.8s' is read by a domain that was restored from it with "
                    "--lazy, until its disks are filled; 'foresnap status' shows it",
                    entry->id);
        return false;
    }
    if (!force && fsn_cli_is_suspended(entry->kind, state)) {
        g_set_error(
            error, FSN_ERROR, FSN_ERROR_STATE,
            "snapshot '%.8s' is the memory of suspended domain '%s': resume it, or "
            "give it up with 'foresnap discard %s'",
            entry->id, entry->domain, entry->domain);
        return false;
    }
    *out_id = g_steal_pointer(&entry->id);
    *out_domain = g_steal_pointer(&entry->domain);
    return true;
}
