/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The level of a resource, from a profile and what the resource does.
 */
#include "config.h"

#include "policies/granularity.h"

#include "policies/granularity-private.h"

void
fsn_level_decision_clear(FsnLevelDecision *decision)
{
    g_clear_pointer(&decision->reason, g_free);
}

static double
threshold(const FsnProfile *profile, FsnResourceKind kind, FsnResourceKey key)
{
    const FsnValue *value = &profile->settings[fsn_resource_key(kind, key)].value;

    return value->off ? -1 : (double)value->number;
}

FsnLevelRule
fsn_level_rule(const FsnProfile *profile, FsnResourceKind kind)
{
    return (FsnLevelRule){
        .base = fsn_profile_level(profile, kind, FSN_KEY_BASE),
        .least = fsn_profile_level(profile, kind, FSN_KEY_LEAST),
        .greatest = fsn_profile_level(profile, kind, FSN_KEY_GREATEST),
        .io_high = threshold(profile, kind, FSN_KEY_IO_HIGH),
        .io_low = threshold(profile, kind, FSN_KEY_IO_LOW),
        .cpu_high = threshold(profile, kind, FSN_KEY_CPU_HIGH),
        .cpu_low = threshold(profile, kind, FSN_KEY_CPU_LOW),
        .hysteresis = threshold(profile, kind, FSN_KEY_HYSTERESIS) / 100,
    };
}

/* One thing that is measured, beside its thresholds. */
typedef struct {
    const char *name;
    double value;
    double high;
    double low;
    bool is_rate;
} Signal;

static char *
amount(const Signal *signal, double value)
{
    g_autofree char *text = NULL;

    if (!signal->is_rate) {
        return g_strdup_printf("%.0f%%", value);
    }
    text = fsn_granularity_bytes(value);
    return g_strconcat(text, "/s", NULL);
}

static bool
is_high(const Signal *signal, const FsnLevelRule *rule, int previous)
{
    double back = previous > 0 ? 1 - rule->hysteresis : 1;

    return signal->value >= 0 && signal->high >= 0 &&
           signal->value >= signal->high * back;
}

/* True for a signal that says "not idle". */
static bool
is_above_low(const Signal *signal, const FsnLevelRule *rule, int previous)
{
    double back = previous < 0 ? 1 + rule->hysteresis : 1;

    return signal->value >= signal->low * back;
}

static char *
up_reason(const Signal *signal, int previous)
{
    g_autofree char *value = amount(signal, signal->value);
    g_autofree char *limit = amount(signal, signal->high);

    if (signal->value < signal->high) {
        return g_strdup_printf("%s is %s, still near the high threshold of %s",
                               signal->name, value, limit);
    }
    return g_strdup_printf("%s is %s, not below the high threshold of %s", signal->name,
                           value, limit);
}

static char *
down_reason(const Signal *signal)
{
    g_autofree char *value = amount(signal, signal->value);
    g_autofree char *limit = amount(signal, signal->low);

    if (signal->value >= signal->low) {
        return g_strdup_printf("%s is %s, still near the low threshold of %s",
                               signal->name, value, limit);
    }
    return g_strdup_printf("%s is %s, below the low threshold of %s", signal->name, value,
                           limit);
}

/* The step, and why; of several signals the first that decides is named. */
static int
find_step(const FsnLevelRule *rule,
          const Signal *signals,
          size_t n,
          const FsnActivity *activity,
          char **out_reason)
{
    int previous = activity->previous;
    const Signal *idle = NULL;
    bool busy = false;
    bool measured = false;
    bool watched = false;

    for (size_t i = 0; i < n; i++) {
        const Signal *s = &signals[i];

        if (is_high(s, rule, previous)) {
            *out_reason = up_reason(s, previous);
            return 1;
        }
        watched = watched || s->high >= 0 || s->low >= 0;
        measured = measured || (s->value >= 0 && (s->high >= 0 || s->low >= 0));
        if (s->value >= 0 && s->low >= 0) {
            busy = busy || is_above_low(s, rule, previous);
            idle = idle ? idle : s;
        }
    }
    if (idle && !busy) {
        *out_reason = down_reason(idle);
        return -1;
    }
    if (watched && !measured && activity->missing) {
        *out_reason = g_strdup_printf("what it does is not known: %s", activity->missing);
        return 0;
    }
    *out_reason = g_strdup(!watched    ? "the profile has no thresholds for it"
                           : !measured ? "what it does is not known"
                                       : "what it does is between the thresholds");
    return 0;
}

void
fsn_level_decide(const FsnLevelRule *rule,
                 const FsnActivity *activity,
                 FsnLevelDecision *out_decision)
{
    const Signal signals[] = {
        { "input and output", activity->io_rate, rule->io_high, rule->io_low, true },
        { "the use of processors", activity->cpu, rule->cpu_high, rule->cpu_low, false },
    };
    FsnLevelDecision d = { .base = rule->base };
    int level;

    d.step = find_step(rule, signals, G_N_ELEMENTS(signals), activity, &d.reason);
    level = CLAMP((int)rule->base + d.step, (int)rule->least, (int)rule->greatest);
    d.level = (FsnLevel)level;
    if (level != (int)rule->base + d.step) {
        g_autofree char *why = d.reason;

        d.reason =
            g_strdup_printf("%s; '%s' is the %s that the profile allows", why,
                            fsn_level_name(d.level), d.step > 0 ? "greatest" : "least");
    }
    *out_decision = d;
}
