/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap stats: what the repository holds, and what each domain and snapshot costs.
 */
#include "config.h"

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/snapshots.h"
#include "cli/units.h"
#include "repo/stats.h"

/* Sums over the snapshots of one domain. */
typedef struct {
    const char *name;
    const char *uuid;
    uint64_t snapshots;
    uint64_t logical;
    uint64_t own;
} DomainSum;

/* In the order of their newest snapshots. */
static GPtrArray *
sum_domains(const FsnRepoStats *stats)
{
    GPtrArray *sums = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) by_uuid = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < stats->snapshots->len; i++) {
        const FsnSnapshotStats *snapshot = stats->snapshots->pdata[i];
        DomainSum *sum = g_hash_table_lookup(by_uuid, snapshot->uuid);

        if (!sum) {
            sum = g_new0(DomainSum, 1);
            sum->name = snapshot->domain;
            sum->uuid = snapshot->uuid;
            g_hash_table_insert(by_uuid, snapshot->uuid, sum);
            g_ptr_array_add(sums, sum);
        }
        sum->snapshots++;
        sum->logical += snapshot->logical;
        sum->own += snapshot->own;
    }
    return sums;
}

static JsonArray *
domains_json(GPtrArray *sums)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < sums->len; i++) {
        const DomainSum *sum = sums->pdata[i];
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "domain", sum->name);
        json_object_set_string_member(object, "uuid", sum->uuid);
        json_object_set_int_member(object, "snapshots", (int64_t)sum->snapshots);
        json_object_set_int_member(object, "bytes_logical", (int64_t)sum->logical);
        json_object_set_int_member(object, "bytes_own", (int64_t)sum->own);
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
fill_document(FsnCliContext *context,
              const FsnRepoStats *stats,
              GPtrArray *sums,
              uint64_t free_bytes)
{
    JsonObject *document = context->document;

    json_object_set_string_member(document, "repository", context->repo_location);
    json_object_set_int_member(document, "bytes_logical", (int64_t)stats->logical);
    json_object_set_int_member(document, "bytes_stored", (int64_t)stats->stored);
    json_object_set_int_member(document, "bytes_needed", (int64_t)stats->needed);
    json_object_set_int_member(document, "bytes_packs", (int64_t)stats->packs);
    json_object_set_int_member(document, "bytes_index", (int64_t)stats->index);
    json_object_set_int_member(document, "bytes_free", (int64_t)free_bytes);
    if (stats->needed > 0) {
        json_object_set_double_member(document, "ratio",
                                      (double)stats->logical / (double)stats->needed);
    } else {
        json_object_set_null_member(document, "ratio");
    }
    json_object_set_int_member(document, "damaged", (int64_t)stats->damaged);
    json_object_set_array_member(document, "domains", domains_json(sums));
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
    fsn_cli_print(context, "memory:     %s\n", logical);
    fsn_cli_print(context, "stored:     %s, of that index %s\n", stored, index);
    if (stats->needed > 0) {
        fsn_cli_print(context, "ratio:      %.1f to 1\n",
                      (double)stats->logical / (double)stats->needed);
    }
    fsn_cli_print(context, "garbage:    %s, which 'foresnap gc' frees\n", garbage);
    fsn_cli_print(context, "free:       %s\n", free_text);
}

static void
show_domains(FsnCliContext *context, GPtrArray *sums)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("lrrr");
    g_autofree char *text = NULL;

    fsn_cli_table_add(table, "DOMAIN", "SNAPSHOTS", "MEMORY", "OWN");
    for (guint i = 0; i < sums->len; i++) {
        const DomainSum *sum = sums->pdata[i];
        g_autofree char *snapshots =
            g_strdup_printf("%" G_GUINT64_FORMAT, sum->snapshots);
        g_autofree char *logical = fsn_cli_size_text(sum->logical);
        g_autofree char *own = fsn_cli_size_text(sum->own);

        fsn_cli_table_add(table, sum->name, snapshots, logical, own);
    }
    text = fsn_cli_table_text(table);
    if (sums->len > 0) {
        fsn_cli_print(context, "\n%s", text);
    }
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = fsn_cli_open_repo(context, FSN_REPO_READ_ONLY, error);
    g_auto(FsnRepoStats) stats = { 0 };
    g_autoptr(GPtrArray) sums = NULL;
    uint64_t free_bytes;

    if (!repo || !fsn_repo_stats(repo, &stats, error) ||
        !fsn_repo_space(repo, &free_bytes, error)) {
        return false;
    }
    sums = sum_domains(&stats);
    fill_document(context, &stats, sums, free_bytes);
    show_totals(context, &stats, sums->len, free_bytes);
    show_domains(context, sums);
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
    .arguments = "",
    .summary = "show what the repository holds and what it costs",
    .run = run,
};
