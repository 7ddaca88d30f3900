/* SPDX-License-Identifier: GPL-2.0-or-later */
/* batch/select.c: domains and selectors in, choices and reasons out. */
#include "config.h"

#include "batch/select.h"

#include <string.h>

static char *tags[] = { (char *)"nightly", (char *)"lab", NULL };
static const FsnBatchDomain web = { .name = (char *)"web-1",
                                    .title = (char *)"The shop",
                                    .profile = (char *)"standard",
                                    .tags = tags };

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
test_select(void)
{
    const struct {
        FsnBatchSelector selector;
        bool set;
        bool chosen;
    } cases[] = {
        { { 0 }, false, false },
        { { .all = true }, true, true },
        { { .matches = LIST("web-*") }, true, true },
        { { .matches = LIST("db", "web-?") }, true, true },
        { { .matches = LIST("web") }, true, false },
        { { .titles = LIST("*shop") }, true, true },
        { { .tags = LIST("prod", "lab") }, true, true },
        { { .tags = LIST("prod") }, true, false },
        { { .profiles = LIST("standard") }, true, true },
        { { .profiles = LIST("raw") }, true, false },
        { { .all = true, .excludes = LIST("*-1") }, true, false },
        { { .all = true, .excludes = LIST("*-2") }, true, true },
        { { .excludes = LIST("x") }, false, false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_true(fsn_batch_selector_is_set(&cases[i].selector) == cases[i].set);
        g_assert_true(fsn_batch_selects(&cases[i].selector, &web) == cases[i].chosen);
    }
}

static void
test_bare(void)
{
    const FsnBatchSelector by_title = { .titles = LIST("*") };
    const FsnBatchSelector by_tag = { .tags = LIST("lab") };
    const FsnBatchSelector by_profile = { .profiles = LIST("raw") };
    const FsnBatchDomain bare = { .name = (char *)"bare" };

    g_assert_false(fsn_batch_selects(&by_title, &bare));
    g_assert_false(fsn_batch_selects(&by_tag, &bare));
    g_assert_false(fsn_batch_selects(&by_profile, &bare));
}

static void
test_reasons(void)
{
    const struct {
        FsnBatchVerb verb;
        FsnBatchDomain domain;
        const char *part; /* NULL: it is to be done */
    } cases[] = {
        { FSN_BATCH_SUSPEND, { .running = true, .persistent = true }, NULL },
        { FSN_BATCH_SUSPEND, { .persistent = true }, "is off" },
        { FSN_BATCH_SUSPEND,
          { .persistent = true, .suspended = (char *)"1" },
          "suspended already" },
        { FSN_BATCH_SUSPEND, { .running = true }, "transient" },
        { FSN_BATCH_SUSPEND,
          { .running = true, .persistent = true, .refusal = (char *)"has a card" },
          "has a card" },
        { FSN_BATCH_SUSPEND,
          { .running = true, .persistent = true, .block_job = (char *)"vda" },
          "disk vda" },
        { FSN_BATCH_RESUME, { .recorded = (char *)"1", .suspended = (char *)"1" }, NULL },
        { FSN_BATCH_RESUME,
          { .recorded = (char *)FSN_BATCH_PENDING, .suspended = (char *)"1" },
          NULL },
        { FSN_BATCH_RESUME, { .suspended = (char *)"1" }, "not suspended by this batch" },
        { FSN_BATCH_RESUME,
          { .recorded = (char *)"1", .running = true },
          "runs already" },
        { FSN_BATCH_RESUME, { .recorded = (char *)"1" }, "not suspended any more" },
        { FSN_BATCH_RESUME,
          { .recorded = (char *)"1", .suspended = (char *)"2" },
          "somebody else" },
        { FSN_BATCH_SNAPSHOT, { .running = true }, NULL },
        { FSN_BATCH_SNAPSHOT, { .running = false }, NULL },
        { FSN_BATCH_SNAPSHOT, { .running = true, .block_job = (char *)"vda" }, "vda" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *reason = fsn_batch_skip_reason(cases[i].verb, &cases[i].domain);

        g_assert_true(!reason == !cases[i].part);
        g_assert_true(!reason || strstr(reason, cases[i].part));
    }
}

static void
test_room(void)
{
    FsnBatchDomain domains[] = { { .name = (char *)"a", .memory = 5 },
                                 { .name = (char *)"b", .memory = 9 },
                                 { .name = (char *)"c", .memory = 3 } };
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    g_autoptr(GPtrArray) none = NULL;
    g_autoptr(GPtrArray) some = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(domains); i++) {
        g_ptr_array_add(all, &domains[i]);
    }
    none = fsn_batch_too_large(all, 17);
    g_assert_cmpuint(none->len, ==, 0);
    some = fsn_batch_too_large(all, 8);
    g_assert_cmpuint(some->len, ==, 1);
    g_assert_cmpstr(some->pdata[0], ==, "b");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/batch-select/select", test_select);
    g_test_add_func("/batch-select/bare", test_bare);
    g_test_add_func("/batch-select/reasons", test_reasons);
    g_test_add_func("/batch-select/room", test_room);
    return g_test_run();
}
