/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding snapshots in the repository for the commands on them. Only the library reads the
 * repository; what is shown of a snapshot is decided in snapshot-view.c.
 */
#include "config.h"

#include "cli/snapshots.h"

#include "base/error.h"
#include "cli/output.h"
#include "cycle/fill.h"
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
                       GPtrArray **out_entries,
                       guint *out_damaged,
                       GError **error)
{
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) damaged = NULL;
    GPtrArray *entries;

    if (!fsn_repo_catalogue(repo, &all, &damaged, error)) {
        g_prefix_error(error, "cannot list the snapshots: ");
        return false;
    }
    for (guint i = 0; i < damaged->len; i++) {
        fsn_cli_warn(context, "%s", (const char *)damaged->pdata[i]);
    }
    entries = g_ptr_array_new_with_free_func((GDestroyNotify)fsn_catalogue_entry_free);
    for (guint i = 0; i < all->len; i++) {
        if (!domain || fsn_snapshot_is_of(all->pdata[i], domain)) {
            g_ptr_array_add(entries, g_steal_pointer(&all->pdata[i]));
        }
    }
    *out_damaged = damaged->len;
    *out_entries = entries;
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

/* Each domain that reads it has a mark of its own. */
static bool
lists_reader(GHashTable *marks, const char *id)
{
    g_autofree char *prefix = g_strconcat(id, "." FSN_FILL_MARK, NULL);
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init(&iter, marks);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        if (g_str_has_prefix(name, prefix)) {
            return true;
        }
    }
    return false;
}

static bool
is_read_now(FsnRepo *repo, const char *id)
{
    g_autoptr(GHashTable) marks = NULL;
    g_autoptr(GError) error = NULL;

    return !fsn_repo_mark_list(repo, &marks, &error) || lists_reader(marks, id);
}

FsnSnapshotState
fsn_cli_snapshot_state(FsnRepo *repo, const char *id)
{
    if (has_mark(repo, id, "consumed") || has_mark(repo, id, "ran")) {
        return FSN_SNAPSHOT_USED;
    }
    if (has_mark(repo, id, "claim")) {
        return FSN_SNAPSHOT_RESUMING;
    }
    return is_read_now(repo, id) ? FSN_SNAPSHOT_READ : FSN_SNAPSHOT_READY;
}

static bool
lists_mark(GHashTable *marks, const char *id, const char *mark)
{
    g_autofree char *name = g_strconcat(id, ".", mark, NULL);

    return g_hash_table_contains(marks, name);
}

FsnSnapshotState
fsn_cli_listed_state(GHashTable *marks, const char *id)
{
    if (lists_mark(marks, id, "consumed") || lists_mark(marks, id, "ran")) {
        return FSN_SNAPSHOT_USED;
    }
    if (lists_mark(marks, id, "claim")) {
        return FSN_SNAPSHOT_RESUMING;
    }
    return lists_reader(marks, id) ? FSN_SNAPSHOT_READ : FSN_SNAPSHOT_READY;
}

bool
fsn_cli_is_suspended(const char *kind, FsnSnapshotState state)
{
    return g_strcmp0(kind, "suspend") == 0 && state != FSN_SNAPSHOT_USED;
}
