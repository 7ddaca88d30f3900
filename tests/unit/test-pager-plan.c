/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/memory/pager-plan.c, pager-policy.c: plans are checked; decisions follow the times. */
#include "config.h"

#include "base/error.h"
#include "memory/pager-plan.h"
#include "memory/pager-policy.h"

#include <string.h>

#define HEX32 "0123456789abcdef0123456789abcdef"
#define HEX64 HEX32 HEX32

static const char good[] =
    "{\"version\":1,\"mode\":\"predicted\",\"transport\":\"libvirt\","
    "\"repository\":\"/r\",\"snapshot\":\"" HEX32 "\",\"image\":\"" HEX32 "\","
    "\"head\":\"" HEX64 "\",\"device_state\":\"" HEX64 "\","
    "\"ram\":{\"section_id\":3,\"instance\":0,\"version\":4,"
    "\"blocks\":[{\"name\":\"pc.ram\",\"length\":8192}]},"
    "\"domain\":{\"name\":\"vm\",\"uuid\":\"u\",\"xml\":\"<domain/>\"},"
    "\"socket_dir\":\"/s\",\"tiers\":[\"/t\"],\"later\":true}";

static bool
parse(const char *text, FsnPagerPlan **out, GError **error)
{
    return fsn_pager_plan_parse(text, strlen(text), out, error);
}

static void
test_good(void)
{
    g_autoptr(FsnPagerPlan) plan = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(parse(good, &plan, &error));
    g_assert_cmpint(plan->mode, ==, FSN_MODE_PREDICTED);
    g_assert_cmpuint(plan->ram->n_blocks, ==, 1);
    g_assert_cmpuint(plan->ram->blocks[0].length, ==, 8192);
    g_assert_cmpstr(plan->tiers[0], ==, "/t");
    g_assert_null(plan->tiers[1]);
    g_assert_null(plan->sequence);
}

static char *
replace(const char *from, const char *to)
{
    GString *text = g_string_new(good);

    g_assert_cmpuint(g_string_replace(text, from, to, 1), ==, 1);
    return g_string_free(text, FALSE);
}

static void
test_refused(void)
{
    const char *cases[][2] = {
        { "\"version\":1", "\"version\":2" },
        { "predicted", "psychic" },
        { "\"libvirt\"", "\"telnet\"" },
        { "\"/r\"", "\"r\"" },
        { "\"snapshot\":\"0", "\"snapshot\":\"x" },
        { "\"head\":\"0", "\"head\":\"" },
        { "8192", "8193" },
        { "8192", "0" },
        { "[{\"name\":\"pc.ram\",\"length\":8192}]", "[]" },
        { "\"pc.ram\"", "\"\"" },
        { "\"xml\"", "\"xmk\"" },
        { "\"/s\"", "\"s\"" },
        { "[\"/t\"]", "[\"t\"]" },
        { "[\"/t\"]", "[1]" },
        { "\"later\":true", "\"threads\":5" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = replace(cases[i][0], cases[i][1]);
        g_autoptr(GError) error = NULL;
        FsnPagerPlan *plan = NULL;

        g_assert_false(parse(text, &plan, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_null(plan);
    }
}

static void
test_truncated(void)
{
    for (size_t i = 0; i < sizeof(good) - 1; i++) {
        FsnPagerPlan *plan = NULL;

        g_assert_false(fsn_pager_plan_parse(good, i, &plan, NULL));
    }
}

static void
test_paused_is_eager(void)
{
    g_autofree char *text = replace("\"later\":true", "\"paused\":true");
    g_autoptr(FsnPagerPlan) plan = NULL;

    g_assert_true(parse(text, &plan, NULL));
    g_assert_cmpint(plan->mode, ==, FSN_MODE_EAGER);
}

static void
test_background(void)
{
    FsnPagerTimes t = { .now_us = 5000000, .started_us = 4000000 };

    g_assert_true(fsn_policy_background_may_start(FSN_MODE_PREDICTED, &t));
    g_assert_false(fsn_policy_background_may_start(FSN_MODE_LAZY, &t));
    t.running_us = 4500000;
    g_assert_false(fsn_policy_background_may_start(FSN_MODE_LAZY, &t));
    t.last_request_us = 4950000; /* still asking */
    g_assert_false(fsn_policy_background_may_start(FSN_MODE_LAZY, &t));
    t.last_request_us = 4850000; /* calm */
    g_assert_true(fsn_policy_background_may_start(FSN_MODE_LAZY, &t));
    t.now_us = 6100000;
    t.last_request_us = 6100000; /* still asking, but long enough */
    g_assert_true(fsn_policy_background_may_start(FSN_MODE_LAZY, &t));
    t = (FsnPagerTimes){ .now_us = 15000000, .started_us = 4000000 };
    g_assert_true(fsn_policy_background_may_start(FSN_MODE_LAZY, &t));
}

static void
test_probes(void)
{
    FsnPagerTimes t = { .now_us = 5000000, .started_us = 4000000, .running_us = 4900000 };

    g_assert_false(fsn_policy_probes_may_go(&t));
    t.now_us = 5300000;
    g_assert_true(fsn_policy_probes_may_go(&t));
}

static void
test_restart_delay(void)
{
    int64_t last = 0;

    g_assert_cmpint(fsn_policy_restart_delay_us(0), ==, 0);
    for (unsigned i = 1; i < 100; i++) {
        int64_t delay = fsn_policy_restart_delay_us(i);

        g_assert_cmpint(delay, >=, last);
        g_assert_cmpint(delay, <=, 30000000);
        last = delay;
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pager-plan/good", test_good);
    g_test_add_func("/pager-plan/refused", test_refused);
    g_test_add_func("/pager-plan/truncated", test_truncated);
    g_test_add_func("/pager-plan/paused-is-eager", test_paused_is_eager);
    g_test_add_func("/pager-policy/background", test_background);
    g_test_add_func("/pager-policy/probes", test_probes);
    g_test_add_func("/pager-policy/restart-delay", test_restart_delay);
    return g_test_run();
}
