/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap delete: snapshots out of the repository. The memory of a domain that is suspended
 * at this moment is not deleted by mistake: that is what discard is for. Space comes back
 * with gc.
 */
#include "config.h"

#include "base/error.h"
#include "cli/commands.h"
#include "cli/delete-snapshot.h"
#include "cli/output.h"
#include "cli/snapshots.h"
#include "repo/manifests.h"

static gboolean opt_force;

static GOptionEntry options[] = {
    { "force", 0, 0, G_OPTION_ARG_NONE, &opt_force,
      "delete also what a suspended domain needs, or is damaged", NULL },
    G_OPTION_ENTRY_NULL,
};

/* A manifest that cannot be read does not say what it is of: to delete it takes --force and
 * the whole id. */
static bool
delete_damaged(FsnCliContext *context,
               FsnRepo *repo,
               const char *id,
               JsonArray *deleted,
               GError **error)
{
    if (!fsn_repo_delete_manifest(repo, id, error)) {
        g_prefix_error(error, "cannot delete snapshot '%s': ", id);
        return false;
    }
    json_array_add_string_element(deleted, id);
    fsn_cli_say(context, "deleted %.8s, which was damaged", id);
    return true;
}

static bool
delete_one(FsnCliContext *context,
           FsnRepo *repo,
           const char *text,
           JsonArray *deleted,
           GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autofree char *id = NULL;
    g_autofree char *domain = NULL;

    if (!fsn_cli_may_delete(repo, text, opt_force, &id, &domain, &local)) {
        if (opt_force && g_error_matches(local, FSN_ERROR, FSN_ERROR_CORRUPT)) {
            return delete_damaged(context, repo, text, deleted, error);
        }
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    if (!fsn_repo_delete_manifest(repo, id, error)) {
        g_prefix_error(error, "cannot delete snapshot '%s': ", text);
        return false;
    }
    json_array_add_string_element(deleted, id);
    fsn_cli_say(context, "deleted %.8s of '%s'", id, domain);
    return true;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = fsn_cli_open_repo(context, 0, error);
    JsonArray *deleted;

    if (!repo) {
        return false;
    }
    deleted = json_array_new();
    json_object_set_array_member(context->document, "deleted", deleted);
    for (char **arg = args; *arg; arg++) {
        g_autoptr(GError) local = NULL;

        if (delete_one(context, repo, *arg, deleted, &local)) {
            continue;
        }
        if (json_array_get_length(deleted) > 0) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_PARTIAL, "only %u deleted: %s",
                        json_array_get_length(deleted), local->message);
        } else {
            g_propagate_error(error, g_steal_pointer(&local));
        }
        return false;
    }
    return true;
}

const FsnCliCommand fsn_cmd_delete = {
    .name = "delete",
    .arguments = "SNAPSHOT...",
    .summary = "delete snapshots",
    .options = options,
    .min_args = 1,
    .max_args = FSN_CLI_ANY,
    .run = run,
    .detachable = true,
};
