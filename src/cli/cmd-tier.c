/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap tier: the fast folders from which a resume reads before the repository.
 */
#include "config.h"

#include "base/error.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/size.h"
#include "cli/snapshots.h"
#include "cli/units.h"
#include "tier/registry.h"

#include <string.h>

static char *opt_max_size;
static gboolean opt_write_through;
static gboolean opt_purge;

static GOptionEntry options[] = {
    { "max-size", 0, 0, G_OPTION_ARG_STRING, &opt_max_size,
      "add: what the copies may take there (the disk's size)", "SIZE" },
    { "write-through", 0, 0, G_OPTION_ARG_NONE, &opt_write_through,
      "add: a suspend makes copies there too", NULL },
    { "purge", 0, 0, G_OPTION_ARG_NONE, &opt_purge,
      "remove: delete the copies of this repository there", NULL },
    G_OPTION_ENTRY_NULL,
};

/* What the copies take; false if the tier is not there. */
static bool
used_bytes(FsnRepo *repo, const FsnTier *tier, uint64_t *out_bytes)
{
    g_autoptr(FsnTierFolder) folder = fsn_tier_open(repo, tier, NULL);
    g_autoptr(GPtrArray) entries = NULL;

    return folder && fsn_tier_folder_list(folder, &entries, out_bytes, NULL);
}

static JsonObject *
tier_json(const FsnTier *tier, bool available, uint64_t used)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "name", tier->name);
    json_object_set_string_member(object, "folder", tier->folder);
    if (tier->max_bytes) {
        json_object_set_int_member(object, "max_bytes", (int64_t)tier->max_bytes);
    } else {
        json_object_set_null_member(object, "max_bytes");
    }
    json_object_set_int_member(object, "used_bytes", (int64_t)used);
    json_object_set_int_member(object, "throughput_bytes_per_s",
                               (int64_t)tier->speed.write_bytes_per_s);
    json_object_set_int_member(object, "latency_us", tier->speed.write_latency_us);
    json_object_set_int_member(object, "read_bytes_per_s",
                               (int64_t)tier->speed.read_bytes_per_s);
    json_object_set_int_member(object, "read_latency_us", tier->speed.read_latency_us);
    json_object_set_boolean_member(object, "write_through", tier->write_through);
    json_object_set_boolean_member(object, "available", available);
    return object;
}

static bool
run_add(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = NULL;
    g_autoptr(FsnTier) tier = NULL;
    g_autoptr(JsonObject) object = NULL;
    g_autofree char *rate = NULL;
    g_autofree char *latency = NULL;
    uint64_t max_bytes = 0;

    if (opt_max_size && !fsn_cli_parse_size(opt_max_size, &max_bytes, error)) {
        return false;
    }
    repo = fsn_cli_open_repo(context, FSN_REPO_CREATE, error);
    if (!repo || !fsn_tiers_add(repo, args[0], args[1], max_bytes, opt_write_through,
                                &tier, error)) {
        g_prefix_error(error, "cannot add tier '%s': ", args[0]);
        return false;
    }
    object = tier_json(tier, true, 0);
    fsn_cli_add_result(context, object);
    rate = fsn_cli_size_text(tier->speed.write_bytes_per_s);
    latency = fsn_cli_duration_text(tier->speed.write_latency_us);
    fsn_cli_say(context, "added tier '%s' in %s: writes %s/s, %s for a small one",
                tier->name, tier->folder, rate, latency);
    return true;
}

static void
add_row(FsnCliTable *table, const FsnTier *tier, bool available, uint64_t used)
{
    g_autofree char *used_text = fsn_cli_size_text(used);
    g_autofree char *max = fsn_cli_size_text(tier->max_bytes);
    g_autofree char *size = fsn_cli_size_text(tier->speed.write_bytes_per_s);
    g_autofree char *rate = g_strconcat(size, "/s", NULL);
    g_autofree char *latency = fsn_cli_duration_text(tier->speed.write_latency_us);

    fsn_cli_table_add(table, tier->name, available ? used_text : "not there",
                      tier->max_bytes ? max : "-", rate, latency,
                      tier->write_through ? "yes" : "no", tier->folder);
}

static bool
run_list(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = fsn_cli_open_repo(context, FSN_REPO_READ_ONLY, error);
    g_autoptr(GPtrArray) tiers = NULL;
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("lrrrrll");
    g_autofree char *text = NULL;
    JsonArray *array;

    if (!repo || !fsn_tiers_load(repo, &tiers, error)) {
        return false;
    }
    array = json_array_new();
    json_object_set_array_member(context->document, "tiers", array);
    fsn_cli_table_add(table, "TIER", "USED", "LIMIT", "THROUGHPUT", "LATENCY",
                      "WRITE-THROUGH", "FOLDER");
    for (guint i = 0; i < tiers->len; i++) {
        const FsnTier *tier = g_ptr_array_index(tiers, i);
        uint64_t used = 0;
        bool available = used_bytes(repo, tier, &used);

        json_array_add_object_element(array, tier_json(tier, available, used));
        add_row(table, tier, available, used);
    }
    text = fsn_cli_table_text(table);
    if (tiers->len == 0) {
        fsn_cli_say(context, "there are no tiers");
    } else {
        fsn_cli_print(context, "%s", text);
    }
    return true;
}

static bool
run_remove(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = fsn_cli_open_repo(context, 0, error);
    g_autofree char *text = NULL;
    uint64_t freed;

    if (!repo || !fsn_tiers_remove(repo, args[0], opt_purge, &freed, error)) {
        g_prefix_error(error, "cannot remove tier '%s': ", args[0]);
        return false;
    }
    json_object_set_string_member(context->document, "name", args[0]);
    json_object_set_int_member(context->document, "bytes_freed", (int64_t)freed);
    text = fsn_cli_size_text(freed);
    fsn_cli_say(context,
                opt_purge ? "removed tier '%s', %s freed"
                          : "removed tier '%s'; its copies stay",
                args[0], text);
    return true;
}

static const struct {
    const char *name;
    guint args;
    bool (*run)(FsnCliContext *context, char **args, GError **error);
} actions[] = {
    { "add", 2, run_add },
    { "list", 0, run_list },
    { "remove", 1, run_remove },
};

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (strcmp(args[0], actions[i].name) != 0) {
            continue;
        }
        if (((opt_max_size || opt_write_through) && actions[i].run != run_add) ||
            (opt_purge && actions[i].run != run_remove)) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                        "--max-size and --write-through go with 'add', --purge with "
                        "'remove'");
            return false;
        }
        if (g_strv_length(args + 1) != actions[i].args) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'tier %s' takes %u arguments",
                        args[0], actions[i].args);
            return false;
        }
        return actions[i].run(context, args + 1, error);
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'tier %s' is not known", args[0]);
    return false;
}

const FsnCliCommand fsn_cmd_tier = {
    .name = "tier",
    .arguments = "add NAME FOLDER|list|remove NAME",
    .summary = "say which fast folders a resume reads first",
    .options = options,
    .min_args = 1,
    .max_args = 3,
    .run = run,
};
