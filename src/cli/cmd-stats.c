/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap stats: what the repository holds, and what each domain and snapshot costs.
 */
#include "config.h"

#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/snapshots.h"
#include "cli/units.h"
#include "repo/manifests.h"
#include "repo/stats.h"

static gboolean opt_by_snapshot;

static GOptionEntry options[] = {
    { "by-snapshot", 0, 0, G_OPTION_ARG_NONE, &opt_by_snapshot,
      "a line per snapshot instead of per domain", NULL },
    G_OPTION_ENTRY_NULL,
};

/* "3.6 to 1", "-" where nothing is needed; the caller frees. */
static char *
ratio_text(uint64_t logical, uint64_t needed)
{
    return needed > 0 ? g_strdup_printf("%.1f to 1", (double)logical / (double)needed)
                      : g_strdup("-");
}

static void
set_ratio(JsonObject *object, uint64_t logical, uint64_t needed)
{
    if (needed > 0) {
        json_object_set_double_member(object, "ratio", (double)logical / (double)needed);
    } else {
        json_object_set_null_member(object, "ratio");
    }
}

static JsonArray *
domains_json(GPtrArray *domains)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < domains->len; i++) {
        const FsnDomainStats *sum = domains->pdata[i];
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "domain", sum->name);
        json_object_set_string_member(object, "uuid", sum->uuid);
        json_object_set_int_member(object, "snapshots", (int64_t)sum->snapshots);
        json_object_set_int_member(object, "bytes_logical", (int64_t)sum->logical);
        json_object_set_int_member(object, "bytes_needed", (int64_t)sum->needed);
        json_object_set_int_member(object, "bytes_exclusive", (int64_t)sum->exclusive);
        json_object_set_int_member(object, "bytes_own", (int64_t)sum->own);
        set_ratio(object, sum->logical, sum->needed);
        json_array_add_object_element(array, object);
    }
    return array;
}

static JsonArray *
snapshots_json(const FsnRepoStats *stats)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < stats->snapshots->len; i++) {
        const FsnSnapshotStats *snapshot = stats->snapshots->pdata[i];
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "snapshot", snapshot->id);
        json_object_set_string_member(object, "domain", snapshot->domain);
        json_object_set_int_member(object, "bytes_logical", (int64_t)snapshot->logical);
        json_object_set_int_member(object, "bytes_needed", (int64_t)snapshot->needed);
        json_object_set_int_member(object, "bytes_own", (int64_t)snapshot->own);
        json_array_add_object_element(array, object);
    }
    return array;
}

static void
fill_document(FsnCliContext *context, const FsnRepoStats *stats, uint64_t free_bytes)
{
    JsonObject *document = context->document;

    json_object_set_string_member(document, "repository", context->repo_location);
    json_object_set_int_member(document, "bytes_logical", (int64_t)stats->logical);
    json_object_set_int_member(document, "bytes_stored", (int64_t)stats->stored);
    json_object_set_int_member(document, "bytes_needed", (int64_t)stats->needed);
    json_object_set_int_member(document, "bytes_packs", (int64_t)stats->packs);
    json_object_set_int_member(document, "bytes_index", (int64_t)stats->index);
    json_object_set_int_member(document, "bytes_free", (int64_t)free_bytes);
    set_ratio(document, stats->logical, stats->needed);
    json_object_set_int_member(document, "damaged", (int64_t)stats->damaged);
    json_object_set_array_member(document, "domains", domains_json(stats->domains));
    json_object_set_array_member(document, "snapshots", snapshots_json(stats));
}

static void
show_totals(FsnCliContext *context,
            const FsnRepoStats *stats,
            guint domains,
            uint64_t free_bytes)
{
    g_autofree char *logical = fsn_cli_size_text(stats->logical);
    g_autofree char *stored = fsn_cli_size_text(stats->stored);
    g_autofree char *index = fsn_cli_size_text(stats->index);
    g_autofree char *garbage =
        fsn_cli_size_text(stats->stored - MIN(stats->needed, stats->stored));
    g_autofree char *free_text = fsn_cli_size_text(free_bytes);

    fsn_cli_print(context, "repository: %s\n", context->repo_location);
    fsn_cli_print(context, "snapshots:  %u of %u domains\n", stats->snapshots->len,
                  domains);
    fsn_cli_print(context, "logical:    %s\n", logical);
    fsn_cli_print(context, "stored:     %s, of that index %s\n", stored, index);
    if (stats->needed > 0) {
        fsn_cli_print(context, "ratio:      %.1f to 1\n",
                      (double)stats->logical / (double)stats->needed);
    }
    fsn_cli_print(context, "garbage:    %s, which 'foresnap gc' frees\n", garbage);
    fsn_cli_print(context, "free:       %s\n", free_text);
}

static void
show_domains(FsnCliContext *context, GPtrArray *domains)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("lrrrrr");
    g_autofree char *text = NULL;

    fsn_cli_table_add(table, "DOMAIN", "SNAPSHOTS", "LOGICAL", "STORED", "RATIO", "OWN");
    for (guint i = 0; i < domains->len; i++) {
        const FsnDomainStats *sum = domains->pdata[i];
        g_autofree char *snapshots =
            g_strdup_printf("%" G_GUINT64_FORMAT, sum->snapshots);
        g_autofree char *logical = fsn_cli_size_text(sum->logical);
        g_autofree char *needed = fsn_cli_size_text(sum->needed);
        g_autofree char *ratio = ratio_text(sum->logical, sum->needed);
        g_autofree char *own = fsn_cli_size_text(sum->exclusive);

        fsn_cli_table_add(table, sum->name, snapshots, logical, needed, ratio, own);
    }
    text = fsn_cli_table_text(table);
    if (domains->len > 0) {
        fsn_cli_print(context, "\n%s", text);
    }
}

static void
show_snapshots(FsnCliContext *context, GPtrArray *snapshots)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("llrrrr");
    g_autofree char *text = NULL;

    fsn_cli_table_add(table, "SNAPSHOT", "DOMAIN", "LOGICAL", "STORED", "RATIO", "OWN");
    for (guint i = 0; i < snapshots->len; i++) {
        const FsnSnapshotStats *s = snapshots->pdata[i];
        g_autofree char *id = g_strndup(s->id, 8);
        g_autofree char *logical = fsn_cli_size_text(s->logical);
        g_autofree char *needed = fsn_cli_size_text(s->needed);
        g_autofree char *ratio = ratio_text(s->logical, s->needed);
        g_autofree char *own = fsn_cli_size_text(s->own);

        fsn_cli_table_add(table, id, s->domain, logical, needed, ratio, own);
    }
    text = fsn_cli_table_text(table);
    if (snapshots->len > 0) {
        fsn_cli_print(context, "%s", text);
    }
}

/* Leaves only those snapshots that @args name. */
static bool
choose(FsnRepo *repo, FsnRepoStats *stats, char **args, GError **error)
{
    g_autoptr(GHashTable) ids =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (; *args; args++) {
        g_autoptr(JsonObject) manifest = NULL;

        if (!fsn_repo_load_manifest(repo, *args, &manifest, error)) {
            return false;
        }
        g_hash_table_add(ids, g_strdup(fsn_json_peek_string(manifest, "id", "")));
    }
    for (guint i = stats->snapshots->len; i > 0; i--) {
        const FsnSnapshotStats *s = stats->snapshots->pdata[i - 1];

        if (!g_hash_table_contains(ids, s->id)) {
            g_ptr_array_remove_index(stats->snapshots, i - 1);
        }
    }
    return true;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = fsn_cli_open_repo(context, FSN_REPO_READ_ONLY, error);
    g_auto(FsnRepoStats) stats = { 0 };
    uint64_t free_bytes;

    if (!repo || !fsn_repo_stats(repo, &stats, error) ||
        !fsn_repo_space(repo, &free_bytes, error) ||
        (args[0] && !choose(repo, &stats, args, error))) {
        return false;
    }
    fill_document(context, &stats, free_bytes);
    if (args[0] || opt_by_snapshot) {
        show_snapshots(context, stats.snapshots);
    } else {
        show_totals(context, &stats, stats.domains->len, free_bytes);
        show_domains(context, stats.domains);
    }
    if (stats.damaged > 0) {
        fsn_cli_warn(context,
                     "%" G_GUINT64_FORMAT " snapshots are damaged and not counted: "
                     "'foresnap verify' names them",
                     stats.damaged);
    }
    return true;
}

const FsnCliCommand fsn_cmd_stats = {
    .name = "stats",
    .arguments = "[SNAPSHOT...]",
    .summary = "show what the repository holds and what it costs",
    .options = options,
    .max_args = FSN_CLI_ANY,
    .run = run,
};
