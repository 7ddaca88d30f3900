/* SPDX-License-Identifier: GPL-2.0-or-later */
/* foresnap tier and prefetch, run as a user runs them: the program itself, on a repository
 * that this test makes with the library. Documents are compared with foresnap-json(5). */
#include "config.h"

#include "cli-program.h"
#include "tier-common.h"

#include "base/json.h"
#include "memory/workingset.h"
#include "repo/marks.h"

#define UUID "0f0e0d0c-0b0a-0908-0706-050403020100"

static int64_t
number(JsonObject *document, const char *name)
{
    g_assert_true(json_object_has_member(document, name));
    return json_object_get_int_member(document, name);
}

static void
add_tier(TierFixture *f, const char *options)
{
    g_autofree char *line = g_strdup_printf("tier add fast %s %s", f->tier_path, options);
    g_autoptr(JsonObject) document = run_json(f->repo_path, line, 0);

    g_assert_cmpstr(json_object_get_string_member(document, "name"), ==, "fast");
}

/* The one tier in the list; borrowed from @document. */
static JsonObject *
listed(JsonObject *document)
{
    JsonArray *array = json_object_get_array_member(document, "tiers");

    g_assert_cmpuint(json_array_get_length(array), ==, 1);
    return json_array_get_object_element(array, 0);
}

static void
test_tier(TierFixture *f, gconstpointer data)
{
    g_autoptr(JsonObject) none = run_json(f->repo_path, "tier list", 0);
    g_autoptr(JsonObject) list = NULL;
    g_autoptr(JsonObject) removed = NULL;
    g_autoptr(JsonObject) lost = NULL;
    g_autofree char *text = NULL;
    JsonObject *tier;

    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(none, "tiers")),
                     ==, 0);
    add_tier(f, "--max-size 1.5G --write-through");
    list = run_json(f->repo_path, "tier list", 0);
    tier = listed(list);
    g_assert_cmpstr(json_object_get_string_member(tier, "name"), ==, "fast");
    g_assert_cmpint(number(tier, "max_bytes"), ==, 1536 << 20);
    g_assert_cmpint(number(tier, "used_bytes"), ==, 0);
    g_assert_cmpint(number(tier, "throughput_bytes_per_s"), >, 0);
    g_assert_cmpint(number(tier, "latency_us"), >=, 0);
    g_assert_true(json_object_get_boolean_member(tier, "write_through"));
    g_assert_true(json_object_get_boolean_member(tier, "available"));
    g_assert_cmpint(run(f->repo_path, "tier list", &text), ==, 0);
    g_assert_nonnull(strstr(text, "1.5 GiB"));
    nftw(f->tier_path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    lost = run_json(f->repo_path, "tier list", 0);
    g_assert_false(json_object_get_boolean_member(listed(lost), "available"));
    removed = run_json(f->repo_path, "tier remove fast --purge", 0);
    g_assert_cmpint(number(removed, "bytes_freed"), ==, 0);
}

static void
assert_fails(TierFixture *f, const char *line, int code)
{
    g_autoptr(JsonObject) document = run_json(f->repo_path, line, code);
}

static void
test_mistakes(TierFixture *f, gconstpointer data)
{
    g_autofree char *inside = g_strdup_printf("tier add fast %s/packs", f->repo_path);
    g_autofree char *size =
        g_strdup_printf("tier add fast %s --max-size much", f->tier_path);

    assert_fails(f, "tier", 2);
    assert_fails(f, "tier rename a b", 2);
    assert_fails(f, "tier add fast", 2);
    assert_fails(f, "tier list x", 2);
    assert_fails(f, "tier list --purge", 2);
    assert_fails(f, "tier remove fast", 1);
    assert_fails(f, "tier remove fast --max-size 1G", 2);
    assert_fails(f, inside, 2);
    assert_fails(f, size, 2);
    assert_fails(f, "prefetch guest", 2);
    add_tier(f, "");
    assert_fails(f, "prefetch nobody", 1);
    assert_fails(f, "prefetch guest --tier slow", 1);
    assert_fails(f, "prefetch guest --limit -1", 2);
    assert_fails(f, "prefetch guest --limit 1X", 2);
}

/* The resumes so far touched granules 0 … 19. */
static void
learn_working_set(TierFixture *f)
{
    g_autoptr(FsnWorkingSet) set = fsn_working_set_new();
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;
    uint32_t granules[20], at_us[20];
    FsnResumeObservation seen = { .granules = granules,
                                  .at_us = at_us,
                                  .n_faults = G_N_ELEMENTS(granules),
                                  .window_us = 1000000 };

    for (uint32_t i = 0; i < G_N_ELEMENTS(granules); i++) {
        granules[i] = i;
        at_us[i] = i * 100;
    }
    fsn_working_set_merge(set, &seen);
    bytes = fsn_working_set_write(set);
    g_assert_true(fsn_repo_put_ref(f->repo, "workingset/" UUID,
                                   g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                                   &error));
}

static void
test_prefetch(TierFixture *f, gconstpointer data)
{
    g_autoptr(JsonObject) plan = NULL;
    g_autoptr(JsonObject) likely = NULL;
    g_autoptr(JsonObject) all = NULL;
    g_autoptr(JsonObject) again = NULL;
    g_autoptr(JsonObject) list = NULL;
    JsonArray *steps;
    guint n;

    add_tier(f, "");
    learn_working_set(f);
    plan = run_json(f->repo_path, "prefetch guest --dry-run", 0);
    steps = json_object_get_array_member(plan, "plan");
    n = json_array_get_length(steps);
    g_assert_cmpuint(n, ==, (guint)number(plan, "objects"));
    g_assert_cmpstr(
        json_object_get_string_member(json_array_get_object_element(steps, 0), "reason"),
        ==, "index");
    g_assert_cmpstr(json_object_get_string_member(
                        json_array_get_object_element(steps, n - 1), "reason"),
                    ==, "likely pages");
    likely = run_json(f->repo_path, "prefetch guest --tier fast", 0);
    g_assert_cmpstr(json_object_get_string_member(likely, "snapshot"), ==, TIER_ID);
    g_assert_cmpstr(json_object_get_string_member(likely, "tier"), ==, "fast");
    g_assert_cmpint(number(likely, "bytes_copied"), ==, number(plan, "bytes_total"));
    g_assert_cmpint(number(likely, "duration_us"), >, 0);
    all = run_json(f->repo_path, "prefetch 0011 --all", 0);
    g_assert_cmpint(number(all, "bytes_present"), ==, number(likely, "bytes_total"));
    g_assert_cmpint(number(all, "bytes_copied"), >, 0);
    g_assert_cmpint(number(all, "bytes_total"), >, TIER_GRANULES * FSN_GRANULE_SIZE);
    again = run_json(f->repo_path, "prefetch " UUID " --all", 0);
    g_assert_cmpint(number(again, "bytes_copied"), ==, 0);
    g_assert_cmpint(number(again, "bytes_present"), ==, number(all, "bytes_total"));
    list = run_json(f->repo_path, "tier list", 0);
    g_assert_cmpint(number(listed(list), "used_bytes"), >, number(all, "bytes_total"));
}

static void
test_prefetch_damaged(TierFixture *f, gconstpointer data)
{
    g_autofree char *key = fsn_repo_key(FSN_DIR_OBJECTS, f->state);
    g_autoptr(JsonObject) document = NULL;

    add_tier(f, "");
    g_assert_true(
        fsn_blob_put(fsn_repo_store(f->repo), key, "garbage", 7, FSN_BLOB_REPLACE, NULL));
    document = run_json(f->repo_path, "prefetch guest --all", 3);
    g_assert_cmpint(number(document, "bytes_copied"), >, 0);
    g_assert_cmpuint(
        json_array_get_length(json_object_get_array_member(document, "warnings")), ==, 1);
}

/* A domain that has run since has nothing to prefetch; its snapshot by id still may be. */
static void
test_prefetch_used(TierFixture *f, gconstpointer data)
{
    g_autoptr(JsonObject) body = json_object_new();

    add_tier(f, "");
    g_assert_true(fsn_repo_mark_create(f->repo, TIER_ID, "consumed", body, NULL));
    assert_fails(f, "prefetch guest", 1);
    g_assert_cmpint(run(f->repo_path, "prefetch " TIER_ID " -q", NULL), ==, 0);
}

#define ADD(path, function)                                                        \
    g_test_add("/cli/tier/" path, TierFixture, NULL, tier_fixture_setup, function, \
               tier_fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("tier", test_tier);
    ADD("mistakes", test_mistakes);
    ADD("prefetch", test_prefetch);
    ADD("damaged", test_prefetch_damaged);
    ADD("used", test_prefetch_used);
    return g_test_run();
}
