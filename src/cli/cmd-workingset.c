/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap workingset: what has been learned of the pages that a domain touches first.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/snapshots.h"
#include "cli/workingset-view.h"

/* The UUID of @domain: its newest snapshot tells; a UUID stands for itself. */
static bool
find_uuid(FsnCliContext *context,
          FsnRepo *repo,
          const char *domain,
          char **out_uuid,
          GError **error)
{
    g_autoptr(GPtrArray) entries = NULL;
    guint damaged;

    if (g_uuid_string_is_valid(domain)) {
        *out_uuid = g_ascii_strdown(domain, -1);
        return true;
    }
    if (!fsn_cli_load_snapshots(context, repo, domain, &entries, &damaged, error)) {
        return false;
    }
    if (entries->len == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "the repository knows no domain '%s'", domain);
        return false;
    }
    *out_uuid = g_strdup(((FsnCatalogueEntry *)entries->pdata[0])->uuid);
    return true;
}

static bool
load(FsnRepo *repo,
     const char *domain,
     const char *uuid,
     FsnWorkingSet **out_set,
     GError **error)
{
    g_autofree char *name = g_strconcat("workingset/", uuid, NULL);
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) local = NULL;

    if (fsn_repo_get_ref(repo, name, FSN_WORKING_SET_BYTES, &bytes, &local)) {
        return fsn_working_set_parse(bytes, out_set, error);
    }
    if (g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "nothing has been learned of '%s' yet: that happens at each resume",
                    domain);
    } else {
        g_propagate_error(error, g_steal_pointer(&local));
    }
    return false;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = fsn_cli_open_repo(context, FSN_REPO_READ_ONLY, error);
    g_autoptr(FsnWorkingSet) set = NULL;
    g_autoptr(JsonObject) object = NULL;
    g_autofree char *uuid = NULL;
    g_autofree char *text = NULL;
    int64_t now = fsn_realtime_us();

    if (!repo || !find_uuid(context, repo, args[0], &uuid, error) ||
        !load(repo, args[0], uuid, &set, error)) {
        return false;
    }
    object = fsn_working_set_json(set, now);
    text = fsn_working_set_text(set, now);
    json_object_set_string_member(context->document, "domain", args[0]);
    json_object_set_string_member(context->document, "uuid", uuid);
    fsn_cli_add_result(context, object);
    fsn_cli_print(context, "%s", text);
    return true;
}

const FsnCliCommand fsn_cmd_workingset = {
    .name = "workingset",
    .arguments = "DOMAIN",
    .summary = "show what is known of the pages a domain touches first",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
