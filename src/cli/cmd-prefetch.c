/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap prefetch: copies to a tier what the next resume needs first.
 */
#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/size.h"
#include "cli/snapshots.h"
#include "cli/units.h"
#include "memory/workingset.h"
#include "repo/manifests.h"
#include "tier/prefetch.h"

static char *opt_tier;
static char *opt_limit;
static gboolean opt_all;
static gboolean opt_dry_run;

static GOptionEntry options[] = {
    { "tier", 0, 0, G_OPTION_ARG_STRING, &opt_tier, "copy there (the fastest tier)",
      "TIER" },
    { "all", 0, 0, G_OPTION_ARG_NONE, &opt_all,
      "copy everything, not only what is likely to be needed", NULL },
    { "limit", 0, 0, G_OPTION_ARG_STRING, &opt_limit, "copy at most so much per second",
      "SIZE" },
    { "dry-run", 0, 0, G_OPTION_ARG_NONE, &opt_dry_run, "only say what would be copied",
      NULL },
    G_OPTION_ENTRY_NULL,
};

/* The newest state of domain @text that can be resumed, else the snapshot of that id. */
static bool
find_manifest(FsnCliContext *context,
              FsnRepo *repo,
              const char *text,
              JsonObject **out_manifest,
              GError **error)
{
    g_autoptr(GPtrArray) entries = NULL;
    guint damaged;

    if (!fsn_cli_load_snapshots(context, repo, text, &entries, &damaged, error)) {
        return false;
    }
    for (guint i = 0; i < entries->len; i++) {
        const FsnCatalogueEntry *entry = entries->pdata[i];

        if (fsn_cli_is_suspended(entry->kind, fsn_cli_snapshot_state(repo, entry->id))) {
            return fsn_repo_load_manifest(repo, entry->id, out_manifest, error);
        }
    }
    if (entries->len > 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "domain '%s' has no state that could be resumed", text);
        return false;
    }
    if (!fsn_repo_load_manifest(repo, text, out_manifest, error)) {
        g_prefix_error(error,
                       "there is no domain, and cannot find snapshot, '%s': ", text);
        return false;
    }
    return true;
}

static const FsnTier *
choose_tier(GPtrArray *tiers, GError **error)
{
    if (opt_tier) {
        return fsn_tiers_find(tiers, opt_tier, error);
    }
    if (tiers->len == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "the repository has no tier: 'foresnap tier add NAME FOLDER' makes "
                    "one");
        return NULL;
    }
    return g_ptr_array_index(tiers, 0);
}

/* What was learned of the domain, as weights: confidence × resumes that touched the page.
 * Empty where nothing was. */
static GArray *
load_weights(FsnCliContext *context, FsnRepo *repo, JsonObject *manifest)
{
    GArray *weights = g_array_new(FALSE, FALSE, sizeof(FsnTierWeight));
    JsonObject *domain = json_object_get_object_member(manifest, "domain");
    g_autofree char *name =
        g_strconcat("workingset/", fsn_json_peek_string(domain, "uuid", ""), NULL);
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(FsnWorkingSet) set = NULL;
    g_autoptr(GError) local = NULL;

    if (!fsn_repo_get_ref(repo, name, FSN_WORKING_SET_BYTES, &bytes, &local) ||
        !fsn_working_set_parse(bytes, &set, &local)) {
        if (!g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            fsn_cli_warn(context, "the working set is not used: %s", local->message);
        }
        return weights;
    }
    for (uint32_t i = 0; i < fsn_working_set_length(set); i++) {
        const FsnWorkingEntry *entry = &fsn_working_set_entries(set)[i];
        FsnTierWeight weight = { .granule = entry->granule,
                                 .weight = (double)entry->score * entry->seen };

        g_array_append_val(weights, weight);
    }
    return weights;
}

static int64_t
estimate(const FsnTierPlan *plan, const FsnTier *tier, uint64_t max_rate)
{
    return fsn_tier_estimate_us(plan->bytes_copy, plan->copy->len,
                                tier->speed.write_bytes_per_s,
                                tier->speed.write_latency_us, max_rate);
}

static void
show_plan(FsnCliContext *context,
          const FsnTierPlan *plan,
          const FsnTier *tier,
          uint64_t max_rate)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("lrl");
    g_autofree char *copy = fsn_cli_size_text(plan->bytes_copy);
    g_autofree char *present = fsn_cli_size_text(plan->bytes_present);
    g_autofree char *evict = fsn_cli_size_text(plan->bytes_evict);
    g_autofree char *skipped = fsn_cli_size_text(plan->bytes_skipped);
    int64_t us = estimate(plan, tier, max_rate);
    g_autofree char *time = us < 0 ? g_strdup("?") : fsn_cli_duration_text(us);
    g_autofree char *text = NULL;
    JsonArray *array = json_array_new();

    for (guint i = 0; i < plan->copy->len; i++) {
        const FsnTierPart *part = g_ptr_array_index(plan->copy, i);
        g_autofree char *size = fsn_cli_size_text(part->length);
        JsonObject *object = json_object_new();

        fsn_cli_table_add(table, fsn_tier_reason_word(part->reason), size, part->key);
        json_object_set_string_member(object, "reason",
                                      fsn_tier_reason_word(part->reason));
        json_object_set_string_member(object, "key", part->key);
        json_object_set_int_member(object, "bytes", (int64_t)part->length);
        json_object_set_double_member(object, "weight", part->weight);
        json_array_add_object_element(array, object);
    }
    json_object_set_array_member(context->document, "plan", array);
    text = fsn_cli_table_text(table);
    fsn_cli_print(context, "%s", plan->copy->len > 0 ? text : "");
    fsn_cli_say(context,
                "would copy %s to tier '%s' in about %s, evicting %s; %s is there "
                "already, no room for %s",
                copy, tier->name, time, evict, present, skipped);
}

static void
set_document(FsnCliContext *context,
             JsonObject *manifest,
             const FsnTier *tier,
             const FsnTierPlan *plan,
             int64_t estimate_us)
{
    JsonObject *document = context->document;

    json_object_set_string_member(document, "snapshot",
                                  fsn_json_peek_string(manifest, "id", ""));
    json_object_set_string_member(document, "tier", tier->name);
    json_object_set_boolean_member(document, "dry_run", opt_dry_run);
    json_object_set_int_member(document, "bytes_total", (int64_t)plan->bytes_total);
    json_object_set_int_member(document, "bytes_present", (int64_t)plan->bytes_present);
    json_object_set_int_member(document, "bytes_skipped", (int64_t)plan->bytes_skipped);
    json_object_set_int_member(document, "bytes_evicted", (int64_t)plan->bytes_evict);
    json_object_set_int_member(document, "objects", plan->objects);
    if (estimate_us < 0) {
        json_object_set_null_member(document, "estimate_us");
    } else {
        json_object_set_int_member(document, "estimate_us", estimate_us);
    }
}

static void
show_progress(gpointer user, uint64_t done, uint64_t total, int64_t left_us)
{
    fsn_cli_progress_update("copying", done, total, user);
}

/* What the run has seen corrects what is known of the tier. */
static void
learn(FsnCliContext *context, FsnRepo *repo, const FsnTier *tier, uint64_t bytes_per_s)
{
    uint64_t known = tier->speed.write_bytes_per_s;
    g_autoptr(GError) local = NULL;

    if (bytes_per_s > 0 &&
        !fsn_tiers_set_throughput(repo, tier->name,
                                  known ? known / 2 + bytes_per_s / 2 : bytes_per_s,
                                  &local)) {
        fsn_cli_warn(context, "cannot keep the tier's throughput: %s", local->message);
    }
}

static bool
copy(FsnCliContext *context,
     FsnRepo *repo,
     FsnPrefetch *prefetch,
     const FsnTier *tier,
     uint64_t max_rate,
     GError **error)
{
    g_autoptr(FsnCliProgress) progress = fsn_cli_progress_new(context);
    g_auto(FsnPrefetchResult) result = { 0 };
    FsnPrefetchOptions run_options = { .max_bytes_per_s = max_rate,
                                       .progress = show_progress,
                                       .user = progress,
                                       .cancellable = context->cancellable };
    const FsnTierPlan *plan = fsn_prefetch_plan(prefetch);
    g_autofree char *copied = NULL;
    g_autofree char *time = NULL;
    bool ok = fsn_prefetch_run(prefetch, &run_options, &result, error);

    g_clear_pointer(&progress, fsn_cli_progress_free);
    json_object_set_int_member(context->document, "bytes_copied",
                               (int64_t)result.bytes_copied);
    json_object_set_int_member(context->document, "duration_us", result.duration_us);
    learn(context, repo, tier, result.bytes_per_s);
    if (!ok) {
        return false;
    }
    copied = fsn_cli_size_text(result.bytes_copied);
    time = fsn_cli_duration_text(result.duration_us);
    fsn_cli_say(context, "copied %s in %u objects to tier '%s' in %s", copied,
                result.objects_copied, tier->name, time);
    for (guint i = 0; i < result.problems->len; i++) {
        fsn_cli_warn(context, "%s", (const char *)g_ptr_array_index(result.problems, i));
    }
    if (result.problems->len > 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_PARTIAL,
                    "%u objects of the repository are not sound: see the warnings, and "
                    "'foresnap verify'",
                    result.problems->len);
        return false;
    }
    if (plan->skipped > 0) {
        fsn_cli_warn(context, "tier '%s' has no room for %u of %u objects", tier->name,
                     plan->skipped, plan->objects);
    }
    return true;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = NULL;
    g_autoptr(GPtrArray) tiers = NULL;
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(GArray) weights = NULL;
    g_autoptr(FsnPrefetch) prefetch = NULL;
    const FsnTierPlan *plan;
    const FsnTier *tier;
    uint64_t max_rate = 0;

    if (opt_limit && !fsn_cli_parse_size(opt_limit, &max_rate, error)) {
        return false;
    }
    repo = fsn_cli_open_repo(context, 0, error);
    if (!repo || !fsn_tiers_load(repo, &tiers, error) ||
        !(tier = choose_tier(tiers, error)) ||
        !find_manifest(context, repo, args[0], &manifest, error)) {
        return false;
    }
    weights = load_weights(context, repo, manifest);
    prefetch =
        fsn_prefetch_new(repo, manifest, tier, (const FsnTierWeight *)weights->data,
                         weights->len, opt_all, error);
    if (!prefetch) {
        g_prefix_error(error, "cannot prefetch '%s': ", args[0]);
        return false;
    }
    plan = fsn_prefetch_plan(prefetch);
    set_document(context, manifest, tier, plan, estimate(plan, tier, max_rate));
    if (opt_dry_run) {
        show_plan(context, plan, tier, max_rate);
        return true;
    }
    return copy(context, repo, prefetch, tier, max_rate, error);
}

const FsnCliCommand fsn_cmd_prefetch = {
    .name = "prefetch",
    .arguments = "DOMAIN|SNAPSHOT",
    .summary = "copy to a tier what the next resume needs first",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .interruptible = true,
    .run = run,
    .detachable = true,
};
