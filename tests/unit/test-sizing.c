/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scale/sizing.c: facts, policy and demand in, sizes and reasons out. */
#include "config.h"

#include "base/error.h"
#include "scale/sizing.h"

#include <math.h>
#include <string.h>

#define MIB     (UINT64_C(1) << 20)
#define GIB     (UINT64_C(1) << 30)
#define UNKNOWN NAN

typedef struct {
    const char *what;
    FsnSizingDemand demand;
    unsigned vcpus_now; /* of 8 */
    double gib_now;     /* of 16 */
    double gib_used;
    double gib_kept;
    double cpu_now;
    bool running;
    FsnSizingPolicy policy; /* what is not given is as by default */
    bool never_shrink;
    unsigned vcpus;
    double gib;
    const char *note; /* part of one of the notes */
} Case;

static const Case cases[] = {
    { .what = "grows and shrinks with the forecast",
      .demand = { 3.1, 5.2 * (double)GIB, .08, "ensemble" },
      .vcpus_now = 2,
      .gib_now = 8,
      .vcpus = 4,
      .gib = 6.25 },
    { .what = "an unknown demand changes nothing",
      .demand = { UNKNOWN, UNKNOWN, UNKNOWN, NULL },
      .vcpus_now = 3,
      .gib_now = 7,
      .vcpus = 3,
      .gib = 7,
      .note = "no forecast of its CPU" },
    { .what = "within what the domain can have",
      .demand = { 30, 300 * (double)GIB, .08, "ensemble" },
      .vcpus_now = 2,
      .gib_now = 8,
      .vcpus = 8,
      .gib = 16,
      .note = "can have 8 vCPUs" },
    { .what = "within the policy",
      .demand = { 4.9, 11 * (double)GIB, .08, "ensemble" },
      .vcpus_now = 6,
      .gib_now = 8,
      .policy = { .vcpus_max = 3, .memory_max = 4 * GIB },
      .vcpus = 3,
      .gib = 4,
      .note = "the policy allows 3 vCPUs" },
    { .what = "not below the policy",
      .demand = { .1, .1 * (double)GIB, .08, "ensemble" },
      .vcpus_now = 6,
      .gib_now = 8,
      .policy = { .vcpus_min = 2, .memory_min = 1 * GIB },
      .vcpus = 2,
      .gib = 1 },
    { .what = "no demand is no reason for no vCPU",
      .demand = { 0, 0, .08, "ensemble" },
      .vcpus_now = 1,
      .gib_now = 1,
      .policy = { .memory_min = GIB },
      .vcpus = 1,
      .gib = 1 },
    { .what = "a busy guest keeps its vCPUs",
      .demand = { .5, 2 * (double)GIB, .08, "ensemble" },
      .vcpus_now = 4,
      .gib_now = 8,
      .gib_used = 1,
      .cpu_now = 2.1,
      .running = true,
      .vcpus = 4,
      .gib = 2.5,
      .note = "it is busy" },
    { .what = "a quiet guest loses some, not below what it uses",
      .demand = { .5, 2 * (double)GIB, .08, "ensemble" },
      .vcpus_now = 4,
      .gib_now = 8,
      .gib_used = 1,
      .cpu_now = 1.6,
      .running = true,
      .vcpus = 2,
      .gib = 2.5,
      .note = "uses 1.6 cores now" },
    { .what = "one whose use is not known keeps what it has",
      .demand = { .5, 2 * (double)GIB, .08, "ensemble" },
      .vcpus_now = 4,
      .gib_now = 8,
      .cpu_now = UNKNOWN,
      .running = true,
      .vcpus = 4,
      .gib = 8,
      .note = "what the guest uses is not known" },
    { .what = "never below what the guest uses, whatever the policy says",
      .demand = { .5, 2 * (double)GIB, .08, "ensemble" },
      .vcpus_now = 1,
      .gib_now = 8,
      .gib_used = 6,
      .cpu_now = .2,
      .running = true,
      .policy = { .memory_max = 3 * GIB },
      .vcpus = 1,
      .gib = 6.75,
      .note = "never below what the guest uses" },
    { .what = "what the kernel keeps comes on top",
      .demand = { .5, 2 * (double)GIB, .08, "ensemble" },
      .vcpus_now = 1,
      .gib_now = 8,
      .gib_used = 1,
      .gib_kept = .5,
      .cpu_now = .2,
      .running = true,
      .vcpus = 1,
      .gib = 3 },
    { .what = "does not shrink if told so",
      .demand = { .5, 2 * (double)GIB, .08, "ensemble" },
      .vcpus_now = 4,
      .gib_now = 8,
      .never_shrink = true,
      .vcpus = 4,
      .gib = 8,
      .note = "does not let" },
    { .what = "a demand at the ceiling is more than could be seen",
      .demand = { 1.9, 2 * (double)GIB, .08, "ensemble" },
      .vcpus_now = 2,
      .gib_now = 4,
      .vcpus = 3,
      .gib = 2.5,
      .note = "may want more" },
    { .what = "more headroom",
      .demand = { 2, 4 * (double)GIB, .08, "ensemble" },
      .vcpus_now = 4,
      .gib_now = 4,
      .policy = { .headroom = 1 },
      .vcpus = 4,
      .gib = 8 },
};

static FsnSizingPolicy
policy_of(const Case *c)
{
    FsnSizingPolicy policy = fsn_sizing_policy_default;

    policy.vcpus_min = c->policy.vcpus_min;
    policy.vcpus_max = c->policy.vcpus_max;
    policy.memory_min = c->policy.memory_min;
    policy.memory_max = c->policy.memory_max;
    policy.headroom = c->policy.headroom > 0 ? c->policy.headroom : policy.headroom;
    policy.shrink = !c->never_shrink;
    return policy;
}

static FsnSizingFacts
facts_of(const Case *c)
{
    return (FsnSizingFacts){
        .vcpus_now = c->vcpus_now,
        .vcpus_max = 8,
        .memory_now = (uint64_t)(c->gib_now * (double)GIB),
        .memory_max = 16 * GIB,
        .memory_step = 256 * MIB,
        .memory_used = (uint64_t)(c->gib_used * (double)GIB),
        .memory_kept = (uint64_t)(c->gib_kept * (double)GIB),
        .cpu_now = c->cpu_now,
        .running = c->running,
    };
}

static bool
has_note(const FsnSizing *sizing, const char *part)
{
    for (guint i = 0; i < sizing->notes->len; i++) {
        if (strstr(sizing->notes->pdata[i], part)) {
            return true;
        }
    }
    return false;
}

static void
test_cases(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *c = &cases[i];
        FsnSizingPolicy policy = policy_of(c);
        FsnSizingFacts facts = facts_of(c);
        g_auto(FsnSizing) sizing = { 0 };

        g_test_message("%s", c->what);
        fsn_sizing_decide(&policy, &facts, &c->demand, &sizing);
        g_assert_cmpuint(sizing.vcpus, ==, c->vcpus);
        g_assert_cmpfloat((double)sizing.memory / (double)GIB, ==, c->gib);
        g_assert_true(!c->note || has_note(&sizing, c->note));
    }
}

static void
test_summary(void)
{
    FsnSizingFacts facts = facts_of(&cases[0]);
    FsnSizingDemand none = { UNKNOWN, UNKNOWN, UNKNOWN, NULL };
    FsnSizingDemand cpu = { 1.25, UNKNOWN, UNKNOWN, "naive" };
    g_auto(FsnSizing) sizing = { 0 };
    g_auto(FsnSizing) idle = { 0 };
    g_auto(FsnSizing) half = { 0 };

    fsn_sizing_decide(&fsn_sizing_policy_default, &facts, &cases[0].demand, &sizing);
    g_assert_cmpstr(sizing.summary, ==,
                    "4 vCPU, 6.25 GiB: p95 of the next 4 h is 3.1 cores and 5.2 GiB "
                    "(ensemble, backtest error 8 %), was 2 vCPU, 8 GiB");
    fsn_sizing_decide(&fsn_sizing_policy_default, &facts, &none, &idle);
    g_assert_cmpstr(idle.summary, ==,
                    "2 vCPU, 8 GiB: nothing is known of its use, as before");
    fsn_sizing_decide(&fsn_sizing_policy_default, &facts, &cpu, &half);
    g_assert_cmpstr(half.summary, ==,
                    "2 vCPU, 8 GiB: p95 of the next 4 h is 1.2 cores (naive), as before");
}

/* More demand never gives less, and no input leaves the limits. */
static void
test_monotonic(void)
{
    FsnSizingFacts facts = facts_of(&cases[0]);
    unsigned vcpus = 0;
    uint64_t memory = 0;

    for (double x = 0; x < 40; x += .125) {
        FsnSizingDemand demand = { x, x * (double)GIB, .1, "ensemble" };
        g_auto(FsnSizing) sizing = { 0 };

        fsn_sizing_decide(&fsn_sizing_policy_default, &facts, &demand, &sizing);
        g_assert_cmpuint(sizing.vcpus, >=, MAX(vcpus, 1));
        g_assert_cmpuint(sizing.vcpus, <=, 8);
        g_assert_cmpuint(sizing.memory, >=, memory);
        g_assert_cmpuint(sizing.memory, <=, 16 * GIB);
        vcpus = sizing.vcpus;
        memory = sizing.memory;
    }
    g_assert_cmpuint(vcpus, ==, 8);
}

static void
test_policy(void)
{
    static const struct {
        const char *part;
        double quantile;
        double headroom;
        double hours;
        unsigned least;
        unsigned most;
    } bad[] = {
        { "quantile", 1.2, .2, 4, 0, 0 },   { "quantile", NAN, .2, 4, 0, 0 },
        { "headroom", .95, -.1, 4, 0, 0 },  { "headroom", .95, NAN, 4, 0, 0 },
        { "horizon", .95, .2, .001, 0, 0 }, { "horizon", .95, .2, 1e4, 0, 0 },
        { "vCPUs", .95, .2, 4, 3, 2 },
    };

    g_assert_true(fsn_sizing_policy_check(&fsn_sizing_policy_default, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        FsnSizingPolicy policy = { .quantile = bad[i].quantile,
                                   .headroom = bad[i].headroom,
                                   .horizon_us = (int64_t)(bad[i].hours * 3600e6),
                                   .vcpus_min = bad[i].least,
                                   .vcpus_max = bad[i].most };
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_sizing_policy_check(&policy, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
        g_assert_nonnull(strstr(error->message, bad[i].part));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sizing/cases", test_cases);
    g_test_add_func("/sizing/summary", test_summary);
    g_test_add_func("/sizing/monotonic", test_monotonic);
    g_test_add_func("/sizing/policy", test_policy);
    return g_test_run();
}
