/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What no value says by itself: least is not above greatest, the thresholds leave room between
 * them. Checked after inheriting, since two profiles may each be sound and not fit.
 */
#include "config.h"

#include "policies/profile-check.h"

typedef struct {
    const FsnProfile *profile;
    GPtrArray *problems;
} Check;

/* "disk.least is 'raw' (where)"; the caller frees. */
static char *
setting_text(const Check *check, unsigned id)
{
    const FsnProfileSetting *setting = &check->profile->settings[id];
    g_autofree char *name = fsn_profile_key_name(id);

    return g_strdup_printf("%s is '%s' (%s)", name, setting->text, setting->source);
}

static void
complain(const Check *check, unsigned a, unsigned b, const char *what)
{
    const FsnProfileSetting *at = &check->profile->settings[a];
    g_autofree char *first = setting_text(check, a);
    g_autofree char *second = setting_text(check, b);

    if (g_str_equal(at->source, "default")) {
        at = &check->profile->settings[b]; /* a default is nobody's mistake */
    }
    fsn_profile_problem_add(check->problems, at->source, 0, "%s, %s %s", first, what,
                            second);
}

static uint64_t
number(const Check *check, unsigned id)
{
    return fsn_profile_number(check->profile, id);
}

static void
check_levels(const Check *check, FsnResourceKind kind)
{
    unsigned base = fsn_resource_key(kind, FSN_KEY_BASE);
    unsigned least = fsn_resource_key(kind, FSN_KEY_LEAST);
    unsigned greatest = fsn_resource_key(kind, FSN_KEY_GREATEST);

    if (number(check, least) > number(check, greatest)) {
        complain(check, least, greatest, "which is above:");
    } else if (number(check, base) < number(check, least)) {
        complain(check, base, least, "which is below:");
    } else if (number(check, base) > number(check, greatest)) {
        complain(check, base, greatest, "which is above:");
    }
}

/* The bands around two thresholds must not touch, or a constant load could be in both. */
static void
check_thresholds(const Check *check,
                 FsnResourceKind kind,
                 FsnResourceKey high_key,
                 FsnResourceKey low_key)
{
    unsigned high = fsn_resource_key(kind, high_key);
    unsigned low = fsn_resource_key(kind, low_key);
    unsigned width = fsn_resource_key(kind, FSN_KEY_HYSTERESIS);
    double band = (double)number(check, width) / 100;

    if (check->profile->settings[high].value.off ||
        check->profile->settings[low].value.off) {
        return;
    }
    if (number(check, low) >= number(check, high)) {
        complain(check, low, high, "which is not below:");
    } else if ((double)number(check, low) * (1 + band) >
               (double)number(check, high) * (1 - band)) {
        complain(check, low, high,
                 "which is too near, for the hysteresis between them, to:");
    }
}

void
fsn_profile_check(const FsnProfile *profile, GPtrArray *problems)
{
    Check check = { .profile = profile, .problems = problems };

    for (FsnResourceKind kind = 0; kind < FSN_N_RESOURCES; kind++) {
        check_levels(&check, kind);
        check_thresholds(&check, kind, FSN_KEY_IO_HIGH, FSN_KEY_IO_LOW);
        check_thresholds(&check, kind, FSN_KEY_CPU_HIGH, FSN_KEY_CPU_LOW);
    }
}
