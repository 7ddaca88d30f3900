/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap prune: deletes the snapshots that no rule keeps. What is decided is in the policy;
 * the dry run prints exactly what the real one does. The memory of a suspended domain stays.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/delete-snapshot.h"
#include "cli/gc-view.h"
#include "cli/output.h"
#include "cli/prune-plan.h"
#include "cli/prune-profile.h"
#include "cli/snapshots.h"
#include "cli/units.h"
#include "repo/manifests.h"
#include "repo/marks.h"

/* So many are deleted at a time: what was done before a failure is known to so many. */
#define CHUNK 256

static gboolean opt_by_profile;
static gboolean opt_dry_run;
static gboolean opt_gc;
static int opt_grace = (int)(FSN_GC_GRACE_US / G_USEC_PER_SEC);
static int opt_last, opt_hourly, opt_daily, opt_weekly, opt_monthly, opt_yearly;

static GOptionEntry options[] = {
    { "by-profile", 0, 0, G_OPTION_ARG_NONE, &opt_by_profile,
      "by the rules of each domain's profile", NULL },
    { "keep-last", 0, 0, G_OPTION_ARG_INT, &opt_last, "keep the N newest", "N" },
    { "keep-hourly", 0, 0, G_OPTION_ARG_INT, &opt_hourly,
      "keep the newest of each of N hours", "N" },
    { "keep-daily", 0, 0, G_OPTION_ARG_INT, &opt_daily,
      "keep the newest of each of N days", "N" },
    { "keep-weekly", 0, 0, G_OPTION_ARG_INT, &opt_weekly,
      "keep the newest of each of N weeks", "N" },
    { "keep-monthly", 0, 0, G_OPTION_ARG_INT, &opt_monthly,
      "keep the newest of each of N months", "N" },
    { "keep-yearly", 0, 0, G_OPTION_ARG_INT, &opt_yearly,
      "keep the newest of each of N years", "N" },
    { "gc", 0, 0, G_OPTION_ARG_NONE, &opt_gc,
      "then free the space of what was deleted, as 'foresnap gc' does", NULL },
    { "grace", 0, 0, G_OPTION_ARG_INT, &opt_grace,
      "with --gc: wait so long for writers that have begun before (30)", "SECONDS" },
    { "dry-run", 0, 0, G_OPTION_ARG_NONE, &opt_dry_run,
      "only say what would be deleted, and why", NULL },
    G_OPTION_ENTRY_NULL,
};

static bool
read_rules(FsnRetentionRules *out_rules, GError **error)
{
    const int counts[] = { opt_last,   opt_hourly,  opt_daily,
                           opt_weekly, opt_monthly, opt_yearly };

    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        if (counts[i] < 0) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                        "--keep-… takes a number of snapshots, not %d", counts[i]);
            return false;
        }
    }
    *out_rules = (FsnRetentionRules){
        .last = (unsigned)opt_last,
        .hourly = (unsigned)opt_hourly,
        .daily = (unsigned)opt_daily,
        .weekly = (unsigned)opt_weekly,
        .monthly = (unsigned)opt_monthly,
        .yearly = (unsigned)opt_yearly,
    };
    if (opt_by_profile && (opt_last || opt_hourly || opt_daily || opt_weekly ||
                           opt_monthly || opt_yearly)) {
        g_set_error(
            error, FSN_ERROR, FSN_ERROR_USAGE,
            "--by-profile takes the rules from profiles: give no --keep-… with it");
        return false;
    }
    return true;
}

static FsnSnapshotState
state_of(gpointer user, const char *id)
{
    return fsn_cli_listed_state(user, id);
}

static char *
reasons_text(const FsnPruneItem *item)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < item->reasons->len; i++) {
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "",
                               (const char *)item->reasons->pdata[i]);
    }
    return g_string_free(text, FALSE);
}

static void
show_plan(FsnCliContext *context, GArray *items)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("llllll");
    g_autofree char *text = NULL;

    fsn_cli_table_add(table, "ACTION", "SNAPSHOT", "DOMAIN", "KIND", "CREATED", "WHY");
    for (guint i = 0; i < items->len; i++) {
        const FsnPruneItem *item = &g_array_index(items, FsnPruneItem, i);
        g_autofree char *id = g_strndup(item->entry->id, 8);
        g_autofree char *created = fsn_cli_instant_text(item->entry->created);
        g_autofree char *why = reasons_text(item);

        fsn_cli_table_add(table, item->keep ? "keep" : "remove", id, item->entry->domain,
                          item->entry->kind, created, why);
    }
    text = fsn_cli_table_text(table);
    if (items->len > 0) {
        fsn_cli_print(context, "%s", text);
    }
}

static JsonObject *
item_json(const FsnPruneItem *item)
{
    JsonObject *object = fsn_snapshot_summary(item->entry, item->state);
    JsonArray *reasons = json_array_new();

    for (guint i = 0; i < item->reasons->len; i++) {
        json_array_add_string_element(reasons, item->reasons->pdata[i]);
    }
    json_object_set_string_member(object, "action", item->keep ? "keep" : "remove");
    json_object_set_array_member(object, "reasons", reasons);
    return object;
}

static void
fill_document(FsnCliContext *context, GArray *items, JsonArray *deleted)
{
    JsonArray *snapshots = json_array_sized_new(items->len);
    int64_t kept = 0;

    for (guint i = 0; i < items->len; i++) {
        const FsnPruneItem *item = &g_array_index(items, FsnPruneItem, i);

        json_array_add_object_element(snapshots, item_json(item));
        kept += item->keep;
    }
    json_object_set_boolean_member(context->document, "dry_run", opt_dry_run);
    json_object_set_int_member(context->document, "kept", kept);
    json_object_set_int_member(context->document, "removed", (int64_t)items->len - kept);
    json_object_set_array_member(context->document, "snapshots", snapshots);
    json_object_set_array_member(context->document, "deleted", deleted);
}

static bool
delete_chunk(FsnRepo *repo, GPtrArray *ids, JsonArray *deleted, GError **error)
{
    if (!fsn_repo_delete_manifests(repo, (const char *const *)ids->pdata, ids->len,
                                   error)) {
        g_prefix_error(error, "cannot delete snapshots: ");
        return false;
    }
    for (guint i = 0; i < ids->len; i++) {
        json_array_add_string_element(deleted, ids->pdata[i]);
    }
    g_ptr_array_set_size(ids, 0);
    return true;
}

/* Carries the plan out. A snapshot that has gone meanwhile is no failure; one that cannot be
 * looked at, or must not go any more, is warned about and counted in *@out_left. */
static bool
delete_all(FsnCliContext *context,
           FsnRepo *repo,
           GArray *items,
           JsonArray *deleted,
           guint *out_left,
           GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);

    *out_left = 0;
    for (guint i = 0; i < items->len; i++) {
        const FsnPruneItem *item = &g_array_index(items, FsnPruneItem, i);
        g_autoptr(GError) local = NULL;
        g_autofree char *id = NULL;
        g_autofree char *domain = NULL;

        if (item->keep) {
            continue;
        }
        if (fsn_cli_may_delete(repo, item->entry->id, false, &id, &domain, &local)) {
            g_ptr_array_add(ids, g_steal_pointer(&id));
        } else if (!g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            fsn_cli_warn(context, "%.8s was left: %s", item->entry->id, local->message);
            ++*out_left;
        }
        if (ids->len == CHUNK && !delete_chunk(repo, ids, deleted, error)) {
            return false;
        }
    }
    return delete_chunk(repo, ids, deleted, error);
}

static void
say_result(FsnCliContext *context, GArray *items, JsonArray *deleted)
{
    guint removed = json_array_get_length(deleted);

    for (guint i = 0; i < removed; i++) {
        fsn_cli_say(context, "deleted %.8s", json_array_get_string_element(deleted, i));
    }
    fsn_cli_say(context, "deleted %u of %u snapshots%s", removed, items->len,
                removed > 0 && !opt_gc ? "; 'foresnap gc' frees their space" : "");
}

/* By profiles or @rules. */
static GArray *
make_plan(FsnCliContext *context,
          GPtrArray *entries,
          GHashTable *marks,
          const FsnRetentionRules *rules,
          GError **error)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    g_autoptr(GHashTable) profiles = NULL;

    if (!opt_by_profile) {
        return fsn_prune_plan(entries, state_of, marks, rules, zone, fsn_realtime_us(),
                              error);
    }
    profiles = fsn_prune_profiles(context, error);
    return profiles ? fsn_prune_plan_profiles(entries, state_of, marks, profiles, zone,
                                              fsn_realtime_us(), error)
                    : NULL;
}

/* Plans and carries out; damaged snapshots were counted before. */
static bool
prune(FsnCliContext *context,
      FsnRepo *repo,
      GPtrArray *entries,
      const FsnRetentionRules *rules,
      guint *out_left,
      GError **error)
{
    g_autoptr(GHashTable) marks = NULL;
    g_autoptr(GArray) items = NULL;
    JsonArray *deleted;
    bool ok;

    if (!fsn_repo_mark_list(repo, &marks, error)) {
        return false;
    }
    items = make_plan(context, entries, marks, rules, error);
    if (!items) {
        return false;
    }
    deleted = json_array_new();
    if (opt_dry_run || context->verbose) {
        show_plan(context, items);
    }
    *out_left = 0;
    ok = opt_dry_run || delete_all(context, repo, items, deleted, out_left, error);
    if (!opt_dry_run) {
        say_result(context, items, deleted);
    }
    fill_document(context, items, deleted);
    return ok;
}

/* Also if nothing was deleted now: who asks for it wants the space. */
static bool
collect(FsnCliContext *context, FsnRepo *repo, GError **error)
{
    JsonObject *object;
    FsnGcReport report;

    if (!opt_gc || opt_dry_run) {
        return true;
    }
    if (!fsn_repo_gc(repo, 0, opt_grace * G_USEC_PER_SEC, &report, error)) {
        g_prefix_error(error, "cannot free space: ");
        return false;
    }
    object = json_object_new();
    json_object_set_object_member(context->document, "gc", object);
    fsn_cli_show_gc(context, object, false, &report);
    return true;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = NULL;
    g_autoptr(GPtrArray) entries = NULL;
    FsnRetentionRules rules;
    guint damaged, left;

    if (opt_grace < 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "--grace takes seconds");
        return false;
    }
    if (!read_rules(&rules, error)) {
        return false;
    }
    repo = fsn_cli_open_repo(context, opt_dry_run ? FSN_REPO_READ_ONLY : 0, error);
    if (!repo ||
        !fsn_cli_load_snapshots(context, repo, args[0], &entries, &damaged, error)) {
        return false;
    }
    if (!prune(context, repo, entries, &rules, &left, error)) {
        return false;
    }
    if (!collect(context, repo, error)) {
        return false;
    }
    if (args[0] && entries->len == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "the repository has no snapshot of domain '%s'", args[0]);
        return false;
    }
    if (damaged + left > 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_PARTIAL,
                    "%u snapshot%s could not be looked at or had to stay: see the "
                    "warnings",
                    damaged + left, damaged + left == 1 ? "" : "s");
        return false;
    }
    return true;
}

const FsnCliCommand fsn_cmd_prune = {
    .name = "prune",
    .arguments = "[DOMAIN]",
    .summary = "delete the snapshots that no rule keeps",
    .options = options,
    .max_args = 1,
    .run = run,
    .detachable = true,
};
