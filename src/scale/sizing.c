/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision on a domain's size. Growing follows the forecast; shrinking needs, beyond
 * that, a guest that is not busy and a policy that allows it. It does not say how a size is
 * reached (resize-plan.c), and not where the demand comes from (demand.c).
 */
#include "config.h"

#include "scale/sizing.h"

#include "base/error.h"

#include <math.h>

#define MIB         (UINT64_C(1) << 20)
#define GIB         (UINT64_C(1) << 30)
#define HOUR_US     (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)
#define BUSY        .5 /* of its vCPUs in use: too busy to lose one */
#define SATURATED   .9 /* of what it has: the real demand cannot be seen */
#define MORE        1.5
#define USED_MARGIN 1.1 /* above what the guest uses now, whatever the forecast says */
#define USED_SLACK  (64 * MIB)

const FsnSizingPolicy fsn_sizing_policy_default = {
    .quantile = .95,
    .headroom = .2,
    .horizon_us = 4 * HOUR_US,
    .shrink = true,
};

bool
fsn_sizing_policy_check(const FsnSizingPolicy *p, GError **error)
{
    const char *wrong = NULL;

    if (!(p->quantile >= .5 && p->quantile <= .975)) {
        wrong = "the quantile must be between .5 and .975";
    } else if (!(p->headroom >= 0 && p->headroom <= 4)) {
        wrong = "the headroom must be between 0 and 400 %";
    } else if (p->horizon_us < HOUR_US / 12 || p->horizon_us > 14 * 24 * HOUR_US) {
        wrong = "the horizon must be between 5 minutes and 14 days";
    } else if (p->vcpus_max > 0 && p->vcpus_min > p->vcpus_max) {
        wrong = "the least number of vCPUs is above the greatest";
    } else if (p->memory_max > 0 && p->memory_min > p->memory_max) {
        wrong = "the least memory is above the greatest";
    }
    if (wrong) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "%s", wrong);
    }
    return !wrong;
}

static void G_GNUC_PRINTF(2, 3) note(FsnSizing *sizing, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_ptr_array_add(sizing->notes, g_strdup_vprintf(format, args));
    va_end(args);
}

static char *
memory_text(double bytes)
{
    return bytes >= (double)GIB ? g_strdup_printf("%.4g GiB", bytes / (double)GIB)
                                : g_strdup_printf("%.4g MiB", bytes / (double)MIB);
}

/* From "500 ms" on nobody counts: hours, or minutes below two of them. */
static char *
horizon_text(int64_t us)
{
    return us >= 2 * HOUR_US ? g_strdup_printf("%.3g h", (double)us / (double)HOUR_US)
                             : g_strdup_printf("%.3g min", (double)us / 60e6);
}

static unsigned
wanted_vcpus(const FsnSizingPolicy *policy,
             const FsnSizingFacts *facts,
             const FsnSizingDemand *demand,
             FsnSizing *sizing)
{
    double cores = ceil(demand->cpu_cores * (1 + policy->headroom) - 1e-9);

    if (demand->cpu_cores >= SATURATED * facts->vcpus_now) {
        cores = MAX(cores, ceil(facts->vcpus_now * MORE));
        note(sizing, "the forecast reaches all of its %u vCPUs: it may want more",
             facts->vcpus_now);
    }
    if (facts->running && facts->cpu_now > demand->cpu_cores) {
        cores = MAX(cores, ceil(facts->cpu_now * (1 + policy->headroom) - 1e-9));
        note(sizing, "it uses %.2g cores now, more than forecast", facts->cpu_now);
    }
    return (unsigned)CLAMP(cores, 1, (double)UINT16_MAX);
}

static unsigned
limit_vcpus(const FsnSizingPolicy *policy,
            const FsnSizingFacts *facts,
            unsigned wanted,
            FsnSizing *sizing)
{
    unsigned vcpus = MAX(wanted, policy->vcpus_min);

    if (policy->vcpus_max > 0 && vcpus > policy->vcpus_max) {
        vcpus = policy->vcpus_max;
        note(sizing, "the policy allows %u vCPUs, %u were wanted", vcpus, wanted);
    }
    if (vcpus > facts->vcpus_max) {
        vcpus = facts->vcpus_max;
        note(sizing, "the domain can have %u vCPUs, %u were wanted", vcpus, wanted);
    }
    return MAX(vcpus, 1);
}

/* Whether fewer vCPUs than now are all right. */
static bool
may_lose_vcpus(const FsnSizingPolicy *policy, const FsnSizingFacts *facts, FsnSizing *s)
{
    if (!policy->shrink) {
        note(s, "the policy does not let it shrink");
        return false;
    }
    if (facts->running && isnan(facts->cpu_now)) {
        note(s, "its use of CPU is not known: it keeps its vCPUs");
        return false;
    }
    if (facts->running && facts->cpu_now > BUSY * facts->vcpus_now) {
        note(s, "it is busy (%.2g of %u cores): it keeps its vCPUs", facts->cpu_now,
             facts->vcpus_now);
        return false;
    }
    return true;
}

static void
decide_vcpus(const FsnSizingPolicy *policy,
             const FsnSizingFacts *facts,
             const FsnSizingDemand *demand,
             FsnSizing *sizing)
{
    unsigned vcpus;

    sizing->vcpus = facts->vcpus_now;
    if (isnan(demand->cpu_cores)) {
        note(sizing, "no forecast of its CPU use: the vCPUs stay");
        return;
    }
    vcpus =
        limit_vcpus(policy, facts, wanted_vcpus(policy, facts, demand, sizing), sizing);
    if (vcpus >= facts->vcpus_now || may_lose_vcpus(policy, facts, sizing)) {
        sizing->vcpus = vcpus;
    }
}

static uint64_t
round_up(double bytes, uint64_t step)
{
    double units = ceil(bytes / (double)step - 1e-9);

    return units >= (double)(UINT64_MAX / 2 / step) ? UINT64_MAX / 2 / step * step
                                                    : (uint64_t)units * step;
}

static uint64_t
limit_memory(const FsnSizingPolicy *policy,
             const FsnSizingFacts *facts,
             uint64_t wanted,
             FsnSizing *sizing)
{
    uint64_t memory =
        MAX(wanted, round_up((double)policy->memory_min, facts->memory_step));
    uint64_t most = facts->memory_max;
    uint64_t floor =
        round_up((double)(facts->memory_used + facts->memory_kept) * USED_MARGIN +
                     (double)USED_SLACK,
                 facts->memory_step);

    if (policy->memory_max > 0 && policy->memory_max < most) {
        most = policy->memory_max / facts->memory_step * facts->memory_step;
    }
    if (memory > most) {
        g_autofree char *text = memory_text((double)wanted);

        note(sizing, "%s were wanted, more than %s", text,
             most == facts->memory_max ? "the domain can have" : "the policy allows");
        memory = most;
    }
    /* Above the policy, for taking what is in use makes the guest kill or swap. */
    if (facts->running && facts->memory_used > 0 && memory < floor) {
        memory = MIN(floor, facts->memory_max);
        note(sizing, "never below what the guest uses now");
    }
    return memory;
}

static bool
may_lose_memory(const FsnSizingPolicy *policy, const FsnSizingFacts *facts, FsnSizing *s)
{
    if (!policy->shrink) {
        note(s, "the policy does not let its memory shrink");
        return false;
    }
    if (facts->running && facts->memory_used == 0) {
        note(s, "what the guest uses is not known: its memory does not shrink");
        return false;
    }
    return true;
}

static void
decide_memory(const FsnSizingPolicy *policy,
              const FsnSizingFacts *facts,
              const FsnSizingDemand *demand,
              FsnSizing *sizing)
{
    uint64_t memory;
    double wanted;

    sizing->memory = facts->memory_now;
    if (isnan(demand->memory_bytes)) {
        note(sizing, "no forecast of its memory use: the memory stays");
        return;
    }
    wanted = demand->memory_bytes * (1 + policy->headroom) + (double)facts->memory_kept;
    memory = limit_memory(policy, facts, round_up(wanted, facts->memory_step), sizing);
    if (memory >= facts->memory_now || may_lose_memory(policy, facts, sizing)) {
        sizing->memory = memory;
    }
}

static void
add_demand(GString *text, const FsnSizingPolicy *policy, const FsnSizingDemand *demand)
{
    bool cpu = !isnan(demand->cpu_cores);
    bool memory = !isnan(demand->memory_bytes);
    g_autofree char *horizon = horizon_text(policy->horizon_us);
    g_autofree char *bytes = memory ? memory_text(demand->memory_bytes) : NULL;

    if (!cpu && !memory) {
        g_string_append(text, ": nothing is known of its use");
        return;
    }
    g_string_append_printf(text, ": p%g of the next %s is ", policy->quantile * 100,
                           horizon);
    if (cpu) {
        g_string_append_printf(text, "%.2g cores", demand->cpu_cores);
    }
    g_string_append_printf(text, "%s%s", cpu && memory ? " and " : "",
                           bytes ? bytes : "");
    if (demand->model && isnan(demand->error)) {
        g_string_append_printf(text, " (%s)", demand->model);
    } else if (demand->model) {
        g_string_append_printf(text, " (%s, backtest error %.0f %%)", demand->model,
                               demand->error * 100);
    }
}

static char *
summarise(const FsnSizingPolicy *policy,
          const FsnSizingDemand *demand,
          const FsnSizing *sizing)
{
    g_autofree char *memory = memory_text((double)sizing->memory);
    g_autofree char *was = memory_text((double)sizing->memory_was);
    GString *text = g_string_new(NULL);

    g_string_printf(text, "%u vCPU, %s", sizing->vcpus, memory);
    add_demand(text, policy, demand);
    if (sizing->vcpus == sizing->vcpus_was && sizing->memory == sizing->memory_was) {
        g_string_append(text, ", as before");
    } else {
        g_string_append_printf(text, ", was %u vCPU, %s", sizing->vcpus_was, was);
    }
    return g_string_free(text, FALSE);
}

void
fsn_sizing_decide(const FsnSizingPolicy *policy,
                  const FsnSizingFacts *facts,
                  const FsnSizingDemand *demand,
                  FsnSizing *out_sizing)
{
    FsnSizing sizing = { .vcpus_was = facts->vcpus_now,
                         .memory_was = facts->memory_now,
                         .notes = g_ptr_array_new_with_free_func(g_free) };

    g_return_if_fail(facts->memory_step > 0);
    decide_vcpus(policy, facts, demand, &sizing);
    decide_memory(policy, facts, demand, &sizing);
    sizing.summary = summarise(policy, demand, &sizing);
    *out_sizing = sizing;
}

void
fsn_sizing_clear(FsnSizing *sizing)
{
    g_clear_pointer(&sizing->notes, g_ptr_array_unref);
    g_clear_pointer(&sizing->summary, g_free);
}
