/* SPDX-License-Identifier: GPL-2.0-or-later */
/* foresnap prune: src/cli/prune-plan.c by itself, and the program on a repository. */
#include "config.h"

#include "cli-program.h"
#include "repo-common.h"

#include "cli/prune-plan.h"
#include "repo/marks.h"

#define UUID_B "0f0e0d0c-0b0a-0908-0706-0504030201ff"

typedef struct {
    char *dir;
    char *location;
    char *root;
} Fixture;

static char *
id_of(int i)
{
    return g_strdup_printf("%04d%028d", i, 0);
}

static void
add_snapshot(Fixture *f, FsnRepo *repo, int i, const char *kind, const char *uuid)
{
    g_autofree char *id = id_of(i);
    g_autofree char *created = g_strdup_printf("2026-01-%02dT12:00:00Z", i);
    g_autoptr(JsonObject) manifest = new_manifest(id, created, f->root);
    JsonObject *domain = json_object_get_object_member(manifest, "domain");

    json_object_set_string_member(manifest, "kind", kind);
    json_object_set_string_member(domain, "uuid", uuid);
    json_object_set_string_member(domain, "name", g_str_equal(uuid, UUID_B) ? "b" : "a");
    g_assert_true(fsn_repo_commit_manifest(repo, manifest, NULL));
}

#define UUID_A "0f0e0d0c-0b0a-0908-0706-050403020100"

/* Domain a: snapshots of the 5th to the 9th, a suspend of the 2nd that has been used and one
 * of the 1st that has not; domain b: one of the 3rd. */
static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnRepo) repo = NULL;
    g_autoptr(FsnImageWriter) writer = NULL;
    g_autoptr(JsonObject) body = json_object_new();
    g_autofree char *used = id_of(2);

    f->dir = g_dir_make_tmp("fsn-prune-XXXXXX", NULL);
    f->location = g_build_filename(f->dir, "repo", NULL);
    repo = fsn_repo_open(f->location, FSN_REPO_CREATE, &error);
    g_assert_no_error(error);
    writer = new_writer(repo, 4, NULL);
    put_seed(writer, 0, 1);
    f->root = g_strdup(commit_writer(writer).root);
    for (int i = 5; i <= 9; i++) {
        add_snapshot(f, repo, i, "snapshot", UUID_A);
    }
    add_snapshot(f, repo, 1, "suspend", UUID_A);
    add_snapshot(f, repo, 2, "suspend", UUID_A);
    g_assert_true(fsn_repo_mark_create(repo, used, "consumed", body, NULL));
    add_snapshot(f, repo, 3, "snapshot", UUID_B);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", f->dir);

    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    g_free(f->location);
    g_free(f->root);
    g_free(f->dir);
}

/* The numbers of the snapshots with @action in @document, newest first. */
static char *
numbers(JsonObject *document, const char *action)
{
    JsonArray *array = json_object_get_array_member(document, "snapshots");
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *s = json_array_get_object_element(array, i);

        if (g_str_equal(fsn_json_peek_string(s, "action", action), action)) {
            g_string_append_c(text, fsn_json_peek_string(s, "snapshot", "????")[3]);
        }
        g_assert_true(!json_object_has_member(s, "action") ||
                      json_array_get_length(json_object_get_array_member(s, "reasons")) >
                          0);
    }
    return g_string_free(text, FALSE);
}

static void
assert_numbers(JsonObject *document, const char *action, const char *wanted)
{
    g_autofree char *found = numbers(document, action);

    g_assert_cmpstr(found, ==, wanted);
}

static void
test_dry_run(Fixture *f, gconstpointer data)
{
    g_autoptr(JsonObject) all = run_json(f->location, "prune --keep-last 2 --dry-run", 0);
    g_autoptr(JsonObject) list = run_json(f->location, "list", 0);
    g_autofree char *text = NULL;

    assert_numbers(all, "keep", "98321");
    assert_numbers(all, "remove", "765");
    g_assert_true(json_object_get_boolean_member(all, "dry_run"));
    g_assert_cmpint(json_object_get_int_member(all, "kept"), ==, 5);
    g_assert_cmpint(json_object_get_int_member(all, "removed"), ==, 3);
    g_assert_cmpint(json_array_get_length(json_object_get_array_member(all, "deleted")),
                    ==, 0);
    assert_numbers(list, "keep", "98765321");
    g_assert_cmpint(run(f->location, "prune a --keep-daily 1 --dry-run", &text), ==, 0);
    g_assert_nonnull(strstr(text, "keep    00090000  a       snapshot"));
    g_assert_nonnull(strstr(text, "remove  00080000  a       snapshot"));
    g_assert_nonnull(strstr(text, "no rule keeps it"));
    g_assert_nonnull(strstr(text, "daily snapshot"));
    g_assert_null(strstr(text, "00030000"));
}

/* The suspend of the 1st is older than one that is kept, and stays: it was never used. */
static void
test_run(Fixture *f, gconstpointer data)
{
    g_autoptr(JsonObject) document = run_json(f->location, "prune a --keep-last 1", 0);
    g_autoptr(JsonObject) list = run_json(f->location, "list", 0);
    g_autoptr(JsonObject) sound = run_json(f->location, "verify --read-data", 0);
    g_autoptr(FsnRepo) repo = fsn_repo_open(f->location, 0, NULL);
    g_autoptr(JsonObject) body = json_object_new();
    g_autoptr(GHashTable) marks = NULL;
    g_autofree char *first = id_of(1);
    g_autofree char *text = NULL;

    g_assert_cmpint(
        json_array_get_length(json_object_get_array_member(document, "deleted")), ==, 4);
    assert_numbers(list, "keep", "9321");
    /* Used meanwhile, it is an old one as any other. */
    g_assert_true(fsn_repo_mark_create(repo, first, "ran", body, NULL));
    g_assert_cmpint(run(f->location, "prune --keep-last=1", &text), ==, 0);
    g_assert_cmpstr(text, ==,
                    "deleted 00010000\n"
                    "deleted 1 of 4 snapshots; 'foresnap gc' frees their space\n");
    g_assert_true(fsn_repo_mark_list(repo, &marks, NULL));
    g_assert_cmpuint(g_hash_table_size(marks), ==, 1);
}

/* Nothing is ever removed by rules that keep nothing, nor by a slip. */
static void
test_usage(Fixture *f, gconstpointer data)
{
    const char *lines[] = { "prune",
                            "prune --dry-run",
                            "prune --keep-last 0",
                            "prune --keep-last=-1",
                            "prune --keep-daily=x",
                            "prune --keep-last 1 a b",
                            "prune --by-profile --keep-last 1" };
    g_autoptr(JsonObject) unknown =
        run_json(f->location, "prune nobody --keep-last 1", 1);
    g_autoptr(JsonObject) list = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(JsonObject) refused = run_json(f->location, lines[i], 2);

        g_assert_false(json_object_has_member(refused, "deleted"));
    }
    list = run_json(f->location, "list", 0);
    assert_numbers(list, "keep", "98765321");
}

/* One that is damaged is left alone, and keeps none of the others. */
static void
test_damaged(Fixture *f, gconstpointer data)
{
    g_autofree char *id = id_of(7);
    g_autofree char *path = g_build_filename(f->location, "manifests", id, NULL);
    g_autoptr(JsonObject) document = NULL;
    g_autoptr(JsonObject) list = NULL;

    g_assert_true(g_file_set_contents(path, "x", 1, NULL));
    document = run_json(f->location, "prune --keep-last 1", 3);
    list = run_json(f->location, "list", 3);
    assert_numbers(list, "keep", "9321");
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
}

static FsnSnapshotState
always_used(gpointer user, const char *id)
{
    return FSN_SNAPSHOT_USED;
}

/* The newest memory stays, of whatever kind, and so does each domain's own history. */
static void
test_plan(void)
{
    const struct {
        const char *id, *kind, *uuid;
        bool memory, keep;
    } rows[] = {
        { "a", "snapshot", "X", false, true },  { "b", "snapshot", "X", false, false },
        { "c", "snapshot", "X", true, true },   { "d", "suspend", "x", true, true },
        { "e", "suspend", "X", true, false },   { "f", "snapshot", "Y", true, true },
        { "g", "snapshot", "Y", false, false },
    };

    const FsnRetentionRules rules = { .last = 1 };
    g_autoptr(GPtrArray) entries =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_catalogue_entry_free);
    g_autoptr(GTimeZone) zone = g_time_zone_new_utc();
    g_autoptr(GArray) items = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(JsonObject) none = json_object_new();
        FsnCatalogueEntry *e = fsn_catalogue_entry_new(none);

        e->id = g_strdup(rows[i].id);
        e->kind = g_strdup(rows[i].kind);
        e->uuid = g_strdup(rows[i].uuid);
        e->has_memory = rows[i].memory;
        e->created_us = (int64_t)(100 - i) * G_USEC_PER_SEC;
        g_ptr_array_add(entries, e);
    }
    items = fsn_prune_plan(entries, always_used, NULL, &rules, zone, G_MAXINT64, NULL);
    g_assert_nonnull(items);
    for (guint i = 0; i < items->len; i++) {
        const FsnPruneItem *item = &g_array_index(items, FsnPruneItem, i);

        g_assert_true(item->entry == entries->pdata[i]);
        if (item->keep != rows[i].keep) {
            g_error("%s: %s", rows[i].id, (char *)item->reasons->pdata[0]);
        }
    }
}

/* Each domain by its own rules; what has none, or is not there, loses nothing. */
static void
test_plan_profiles(void)
{
    const struct {
        const char *id, *uuid;
        bool keep;
        const char *reason; /* the last of it */
    } rows[] = {
        { "a", "x", true, "last snapshot" },
        { "b", "X", false, "profile 'web'" },
        { "c", "y", true, "profile 'db' keeps everything" },
        { "d", "y", true, "profile 'db' keeps everything" },
        { "e", "z", true, "its domain is not there any more" },
        { "f", "z", true, "its domain is not there any more" },
    };

    g_autoptr(GPtrArray) entries =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_catalogue_entry_free);
    g_autoptr(GTimeZone) zone = g_time_zone_new_utc();
    g_autoptr(GHashTable) profiles = g_hash_table_new(g_str_hash, g_str_equal);
    FsnPruneProfile x = { .rules = { .last = 1 }, .source = (char *)"profile 'web'" };
    FsnPruneProfile y = { .keep_all = (char *)"profile 'db' keeps everything" };
    g_autoptr(GArray) items = NULL;

    g_hash_table_insert(profiles, (gpointer) "x", &x);
    g_hash_table_insert(profiles, (gpointer) "y", &y);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(JsonObject) none = json_object_new();
        FsnCatalogueEntry *e = fsn_catalogue_entry_new(none);

        e->id = g_strdup(rows[i].id);
        e->kind = g_strdup("snapshot");
        e->uuid = g_strdup(rows[i].uuid);
        e->created_us = (int64_t)(100 - i) * G_USEC_PER_SEC;
        g_ptr_array_add(entries, e);
    }
    items = fsn_prune_plan_profiles(entries, always_used, NULL, profiles, zone,
                                    G_MAXINT64, NULL);
    g_assert_nonnull(items);
    for (guint i = 0; i < items->len; i++) {
        const FsnPruneItem *item = &g_array_index(items, FsnPruneItem, i);

        g_assert_true(item->keep == rows[i].keep);
        g_assert_cmpstr(item->reasons->pdata[item->reasons->len - 1], ==, rows[i].reason);
    }
}

static void
add(const char *path, void (*test)(Fixture *, gconstpointer))
{
    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/prune/plan", test_plan);
    g_test_add_func("/cli/prune/plan-profiles", test_plan_profiles);
    add("/cli/prune/dry-run", test_dry_run);
    add("/cli/prune/run", test_run);
    add("/cli/prune/usage", test_usage);
    add("/cli/prune/damaged", test_damaged);
    return g_test_run();
}
