/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap workingset: what has been learned of the pages of memory, and the blocks of disks,
 * that a domain touches first.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/snapshots.h"
#include "cli/workingset-view.h"
#include "cycle/fill.h"
#include "disk/stored-disk.h"
#include "repo/manifests.h"

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
        g_set_error(
            error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
            "nothing has been learned of '%s' yet: that happens at each resume, and "
            "at each lazy restore",
            domain);
    } else {
        g_propagate_error(error, g_steal_pointer(&local));
    }
    return false;
}

/* The disks of the newest snapshot that has any; none: there is no such snapshot. */
static GPtrArray *
find_disks(FsnRepo *repo, const char *uuid)
{
    g_autoptr(GPtrArray) manifests = NULL;
    g_autoptr(GPtrArray) damaged = NULL;
    GPtrArray *disks;

    if (!fsn_repo_list_manifests(repo, &manifests, &damaged, NULL)) {
        return NULL;
    }
    for (guint i = 0; i < manifests->len; i++) {
        JsonObject *manifest = manifests->pdata[i];
        JsonObject *domain;

        if (fsn_json_get_object(manifest, "domain", &domain, NULL) &&
            g_str_equal(fsn_json_peek_string(domain, "uuid", ""), uuid) &&
            json_object_has_member(manifest, "disks") &&
            fsn_stored_disks_read(manifest, &disks, NULL)) {
            return disks;
        }
    }
    return NULL;
}

/* What is known of a disk; NULL: nothing. */
static FsnWorkingSet *
load_disk(FsnRepo *repo, const char *uuid, const char *target)
{
    g_autofree char *name = fsn_diskset_ref(uuid, target);
    g_autoptr(GBytes) bytes = NULL;
    FsnWorkingSet *set;

    return fsn_repo_get_ref(repo, name, FSN_WORKING_SET_BYTES, &bytes, NULL) &&
                   fsn_working_set_parse(bytes, &set, NULL)
               ? set
               : NULL;
}

static void
show_disk(FsnCliContext *context, const char *target, const FsnWorkingSet *set)
{
    g_autofree char *text = fsn_working_set_text(set, fsn_realtime_us());

    fsn_cli_print(context, "\ndisk %s, blocks of 4 KiB that are read first\n%s", target,
                  text);
}

/* What lazy restores have shown, disk by disk. */
static JsonArray *
show_disks(FsnCliContext *context, FsnRepo *repo, const char *uuid)
{
    g_autoptr(GPtrArray) disks = find_disks(repo, uuid);
    JsonArray *array = json_array_new();

    for (guint i = 0; disks && i < disks->len; i++) {
        const FsnStoredDisk *disk = disks->pdata[i];
        g_autoptr(FsnWorkingSet) set = load_disk(repo, uuid, disk->target);
        JsonObject *object;

        if (set) {
            object = fsn_working_set_json(set, fsn_realtime_us());
            json_object_set_string_member(object, "target", disk->target);
            json_array_add_object_element(array, object);
            show_disk(context, disk->target, set);
        }
    }
    return array;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = fsn_cli_open_repo(context, FSN_REPO_READ_ONLY, error);
    g_autoptr(FsnWorkingSet) set = NULL;
    g_autoptr(JsonObject) object = NULL;
    g_autoptr(GError) no_memory = NULL;
    g_autofree char *uuid = NULL;
    g_autofree char *text = NULL;
    JsonArray *disks;

    if (!repo || !find_uuid(context, repo, args[0], &uuid, error)) {
        return false;
    }
    json_object_set_string_member(context->document, "domain", args[0]);
    json_object_set_string_member(context->document, "uuid", uuid);
    if (load(repo, args[0], uuid, &set, &no_memory)) {
        object = fsn_working_set_json(set, fsn_realtime_us());
        text = fsn_working_set_text(set, fsn_realtime_us());
        fsn_cli_add_result(context, object);
        fsn_cli_print(context, "%s", text);
    }
    disks = show_disks(context, repo, uuid);
    json_object_set_array_member(context->document, "disks", disks);
    if (no_memory && (json_array_get_length(disks) == 0 ||
                      !g_error_matches(no_memory, FSN_ERROR, FSN_ERROR_NOT_FOUND))) {
        g_propagate_error(error, g_steal_pointer(&no_memory));
        return false;
    }
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
