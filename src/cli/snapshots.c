/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding snapshots in the repository for the commands on them. Only the library reads the
 * repository; what is shown of a snapshot is decided in snapshot-view.c.
 */
#include "config.h"

#include "cli/snapshots.h"

#include "base/error.h"
#include "base/json.h"
#include "cli/output.h"
#include "repo/manifests.h"
#include "repo/marks.h"

FsnRepo *
fsn_cli_open_repo(FsnCliContext *context, FsnRepoFlags flags, GError **error)
{
    g_autoptr(GError) local = NULL;
    FsnRepo *repo = fsn_repo_open(context->repo_location, flags, &local);

    if (repo) {
        return repo;
    }
    if (g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_set_error(
            error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
            "there is no repository in '%s'; the first suspend makes it, --repo or "
            "FORESNAP_REPO names another one",
            context->repo_location);
    } else {
        g_propagate_prefixed_error(error, g_steal_pointer(&local),
                                   "cannot open the repository: ");
    }
    return NULL;
}

bool
fsn_cli_load_snapshots(FsnCliContext *context,
                       FsnRepo *repo,
                       const char *domain,
                       GPtrArray **out_manifests,
                       guint *out_damaged,
                       GError **error)
{
    g_autoptr(GPtrArray) manifests = NULL;
    g_autoptr(GPtrArray) damaged = NULL;

    if (!fsn_repo_list_manifests(repo, &manifests, &damaged, error)) {
        g_prefix_error(error, "cannot list the snapshots: ");
        return false;
    }
    for (guint i = 0; i < damaged->len; i++) {
        fsn_cli_warn(context, "%s", (const char *)damaged->pdata[i]);
    }
    for (guint i = 0; domain && i < manifests->len;) {
        if (fsn_snapshot_is_of(manifests->pdata[i], domain)) {
            i++;
        } else {
            g_ptr_array_remove_index(manifests, i);
        }
    }
    *out_damaged = damaged->len;
    *out_manifests = g_steal_pointer(&manifests);
    return true;
}

/* A mark that cannot be read counts as there: the safe side for each of them. */
static bool
has_mark(FsnRepo *repo, const char *id, const char *mark)
{
    g_autoptr(JsonObject) body = NULL;
    g_autoptr(GError) error = NULL;

    return fsn_repo_mark_read(repo, id, mark, &body, &error) ||
           !g_error_matches(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
}

FsnSnapshotState
fsn_cli_snapshot_state(FsnRepo *repo, JsonObject *manifest)
{
    const char *id = fsn_json_peek_string(manifest, "id", "");

    if (has_mark(repo, id, "consumed") || has_mark(repo, id, "ran")) {
        return FSN_SNAPSHOT_USED;
    }
    return has_mark(repo, id, "claim") ? FSN_SNAPSHOT_RESUMING : FSN_SNAPSHOT_READY;
}
