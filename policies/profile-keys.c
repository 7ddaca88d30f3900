/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of the keys of a profile. The keys that every kind of resource has are written
 * once; the table holds the others. A new key is a line here and in the enum, and an item in
 * foresnap-profile(5), which a test compares with this.
 */
#include "config.h"

#include "policies/profile-keys.h"

#include "base/error.h"
#include "policies/suggest.h"

#include <string.h>

/* clang-format off */
#define COUNTS(low, high)    { .type = FSN_VALUE_COUNT, .min = (low), .max = (high) }
#define DURATIONS(low, high) { .type = FSN_VALUE_DURATION, .min = UINT64_C(1000000) * (low), \
                               .max = UINT64_C(1000000) * (high) }
#define RATES                { .type = FSN_VALUE_RATE, .max = UINT64_C(1) << 40, .may_be_off = true }
#define PERCENTS(high)       { .type = FSN_VALUE_PERCENT, .max = (high), .may_be_off = true }
#define SIZES                { .type = FSN_VALUE_SIZE, .min = 1, .max = UINT64_C(1) << 50, \
                               .may_be_off = true }
#define PLAIN(type_)         { .type = FSN_VALUE_##type_ }
#define DAY                  86400

static const char *const rules[] = { "rate", "cost", NULL };
static const char *const failures[] = { "continue", "fail", NULL };

static const FsnProfileKey resource_keys[FSN_N_RESOURCE_KEYS] = {
    [FSN_KEY_BASE] = { "", "base", PLAIN(LEVEL), "detailed",
        "the level where neither load nor idleness says otherwise" },
    [FSN_KEY_LEAST] = { "", "least", PLAIN(LEVEL), "minimal",
        "the lowest level that idleness may lead to" },
    [FSN_KEY_GREATEST] = { "", "greatest", PLAIN(LEVEL), "raw",
        "the highest level that load may lead to" },
    [FSN_KEY_IO_HIGH] = { "", "io-high", RATES, "off",
        "one level more from this much input and output on" },
    [FSN_KEY_IO_LOW] = { "", "io-low", RATES, "off",
        "one level less below this much input and output" },
    [FSN_KEY_CPU_HIGH] = { "", "cpu-high", PERCENTS(100), "off",
        "one level more from this use of the virtual processors on" },
    [FSN_KEY_CPU_LOW] = { "", "cpu-low", PERCENTS(100), "off",
        "one level less below this use of the virtual processors" },
    [FSN_KEY_HYSTERESIS] = { "", "hysteresis", { .type = FSN_VALUE_PERCENT, .max = 50 }, "20%",
        "how far a threshold has to be crossed back before the level follows" },
};

static const FsnProfileKey other_keys[] = {
    { "profile", "description", PLAIN(TEXT), "", "what the profile is for" },
    { "profile", "inherit", PLAIN(NAME), "",
      "the profile that has the values that are not here" },
    { "profile", "mode-rule", { .type = FSN_VALUE_WORD, .words = rules }, "rate",
      "how it is decided whether a disk is read in full" },
    { "disk", "include", PLAIN(SELECTORS), "",
      "take these disks only; empty for all" },
    { "disk", "exclude", PLAIN(SELECTORS), "", "leave these disks out" },
    { "disk", "full-above", RATES, "off",
      "with mode-rule=rate: from this change rate on a disk or partition is read in full" },
    { "disk", "restore-point", DURATIONS(60, 366 * DAY), "1d",
      "with mode-rule=cost: how old the newest snapshot may get" },
    { "partition", "include", PLAIN(SELECTORS), "",
      "never leave these partitions out, whatever their level and exclude say" },
    { "partition", "exclude", PLAIN(SELECTORS), "",
      "leave the contents of these partitions out" },
    { "log", "tail", SIZES, "256K", "how much of each log is the newest part" },
    { "database", "declare", PLAIN(DATABASES), "",
      "databases in the guest, and how they are brought to rest and let go" },
    { "database", "on-failure", { .type = FSN_VALUE_WORD, .words = failures }, "continue",
      "what to do if a database cannot be brought to rest" },
    { "changemap", "enabled", PLAIN(SWITCH), "no",
      "measure where disks change; needs QEMU's monitor, which taints the domain" },
    { "changemap", "interval", DURATIONS(5, 30), "10s", "the time between two rounds" },
    { "schedule", "when", PLAIN(CALENDAR), "", "take a snapshot at these times" },
    { "schedule", "changed", SIZES, "off", "take one when this much has changed" },
    { "schedule", "before-busy", PLAIN(SWITCH), "no",
      "take one before a time that is forecast to be busy" },
    { "schedule", "quiet", PLAIN(HOURS), "", "take none at these times of the day" },
    { "schedule", "bandwidth", RATES, "off", "read at most this much of each disk" },
    { "retention", "keep-last", COUNTS(0, 100000), "0", "keep the newest so many" },
    { "retention", "keep-hourly", COUNTS(0, 100000), "0", "keep the newest of so many hours" },
    { "retention", "keep-daily", COUNTS(0, 100000), "0", "keep the newest of so many days" },
    { "retention", "keep-weekly", COUNTS(0, 100000), "0", "keep the newest of so many weeks" },
    { "retention", "keep-monthly", COUNTS(0, 100000), "0",
      "keep the newest of so many months" },
    { "retention", "keep-yearly", COUNTS(0, 100000), "0", "keep the newest of so many years" },
    { "sizing", "enabled", PLAIN(SWITCH), "yes",
      "bring the domain to the size that it is forecast to need when it comes back" },
    { "sizing", "quantile", { .type = FSN_VALUE_PERCENT, .min = 50, .max = 97 }, "95%",
      "of the forecast that the size has to cover" },
    { "sizing", "headroom", { .type = FSN_VALUE_PERCENT, .max = 400 }, "20%",
      "on top of that" },
    { "sizing", "horizon", DURATIONS(300, 14 * DAY), "4h",
      "how long the size has to be enough" },
    { "sizing", "shrink", PLAIN(SWITCH), "yes", "also make it smaller" },
    { "sizing", "min-vcpus", COUNTS(0, 4096), "0", "never fewer virtual processors; 0 for no limit" },
    { "sizing", "max-vcpus", COUNTS(0, 4096), "0", "never more; 0 for what the domain can have" },
    { "sizing", "min-memory", SIZES, "off", "never less memory" },
    { "sizing", "max-memory", SIZES, "off", "never more" },
    { "sizing", "limits", PLAIN(SWITCH), "no",
      "also propose limits for disks and network, and a share of the processors" },
    { "batch", "order", COUNTS(0, 1000000), "100",
      "in batches: started after domains with a lower number, put away before them" },
    { "batch", "after", PLAIN(TEXT), "",
      "names of domains that have to run before this one, separated by ';'" },
    { "batch", "tags", PLAIN(TEXT), "", "words by which batches choose it, separated by ';'" },
};
/* clang-format on */

G_STATIC_ASSERT(G_N_ELEMENTS(other_keys) == FSN_N_PROFILE_KEYS - FSN_KEY_DESCRIPTION);

static FsnProfileKey table[FSN_N_PROFILE_KEYS];

static const FsnProfileKey *
keys(void)
{
    static gsize ready;

    if (g_once_init_enter(&ready)) {
        for (unsigned i = 0; i < FSN_N_PROFILE_KEYS; i++) {
            if (i >= FSN_KEY_DESCRIPTION) {
                table[i] = other_keys[i - FSN_KEY_DESCRIPTION];
                continue;
            }
            table[i] = resource_keys[i % FSN_N_RESOURCE_KEYS];
            table[i].group = fsn_resource_name(i / FSN_N_RESOURCE_KEYS);
        }
        g_once_init_leave(&ready, 1);
    }
    return table;
}

const FsnProfileKey *
fsn_profile_key(unsigned id)
{
    g_return_val_if_fail(id < FSN_N_PROFILE_KEYS, NULL);
    return &keys()[id];
}

unsigned
fsn_resource_key(FsnResourceKind kind, FsnResourceKey key)
{
    return (unsigned)kind * FSN_N_RESOURCE_KEYS + (unsigned)key;
}

char *
fsn_profile_key_name(unsigned id)
{
    const FsnProfileKey *key = fsn_profile_key(id);

    return g_strdup_printf("%s.%s", key->group, key->key);
}

/* The groups, or the keys of @group; the caller unrefs, the strings are static. */
static GPtrArray *
candidates(const char *group)
{
    GPtrArray *array = g_ptr_array_new();

    for (unsigned i = 0; i < FSN_N_PROFILE_KEYS; i++) {
        const FsnProfileKey *key = fsn_profile_key(i);

        if (!group) {
            if (!g_ptr_array_find_with_equal_func(array, key->group, g_str_equal, NULL)) {
                g_ptr_array_add(array, (gpointer)key->group);
            }
        } else if (strcmp(group, key->group) == 0) {
            g_ptr_array_add(array, (gpointer)key->key);
        }
    }
    g_ptr_array_add(array, NULL);
    return array;
}

/* "unknown <what> '<word>'; did you mean '…'? allowed: …" */
static bool
refuse(const char *what, const char *word, GPtrArray *allowed, GError **error)
{
    const char *const *words = (const char *const *)allowed->pdata;
    const char *nearest = fsn_suggest(word, words);
    g_autofree char *list = g_strjoinv(", ", (char **)allowed->pdata);
    g_autofree char *shown = g_utf8_make_valid(word, (gssize)strnlen(word, 60));

    if (nearest) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "unknown %s '%s', did you mean '%s'? allowed: %s", what, shown,
                    nearest, list);
    } else {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "unknown %s '%s'; allowed: %s",
                    what, shown, list);
    }
    return false;
}

bool
fsn_profile_key_find(const char *group, const char *key, unsigned *out_id, GError **error)
{
    g_autoptr(GPtrArray) groups = candidates(NULL);
    g_autoptr(GPtrArray) allowed = candidates(group);
    g_autofree char *what = NULL;

    for (unsigned i = 0; i < FSN_N_PROFILE_KEYS; i++) {
        const FsnProfileKey *k = fsn_profile_key(i);

        if (strcmp(k->group, group) == 0 && strcmp(k->key, key) == 0) {
            *out_id = i;
            return true;
        }
    }
    if (allowed->len == 1) {
        return refuse("group", group, groups, error);
    }
    what = g_strdup_printf("key in [%s]", group);
    return refuse(what, key, allowed, error);
}

/* How many groups have @key, and its number in the last of them. */
static unsigned
count_groups(const char *key, unsigned *out_id)
{
    unsigned found = 0;

    for (unsigned i = 0; i < FSN_N_PROFILE_KEYS; i++) {
        if (strcmp(fsn_profile_key(i)->key, key) == 0) {
            *out_id = i;
            found++;
        }
    }
    return found;
}

/* The names with their groups are too far from any that is mistyped, and too many to list. */
static bool
refuse_alone(const char *name, GError **error)
{
    const char *keys_alone[FSN_N_PROFILE_KEYS + 1] = { NULL };
    g_autofree char *shown = g_utf8_make_valid(name, (gssize)strnlen(name, 60));
    const char *nearest;
    unsigned id = 0;

    for (unsigned i = 0; i < FSN_N_PROFILE_KEYS; i++) {
        keys_alone[i] = fsn_profile_key(i)->key;
    }
    nearest = fsn_suggest(name, keys_alone);
    if (nearest) {
        (void)count_groups(nearest, &id); /* for the id */
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "unknown key '%s', did you mean '%s.%s'?", shown,
                    fsn_profile_key(id)->group, nearest);
    } else {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "unknown key '%s': keys are written GROUP.KEY, see "
                    "foresnap-profile(5)",
                    shown);
    }
    return false;
}

static bool
parse_alone(const char *name, unsigned *out_id, GError **error)
{
    unsigned id = 0;
    unsigned n = count_groups(name, &id);

    if (n == 1) {
        *out_id = id;
        return true;
    }
    if (n > 1) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "several groups have a key '%s': write GROUP.KEY, as %s.%s", name,
                    fsn_profile_key(id)->group, name);
        return false;
    }
    return refuse_alone(name, error);
}

bool
fsn_profile_key_parse(const char *name, unsigned *out_id, GError **error)
{
    const char *dot = strchr(name, '.');
    g_autofree char *group = dot ? g_strndup(name, (gsize)(dot - name)) : NULL;
    g_autoptr(GError) local = NULL;

    if (!dot) {
        return parse_alone(name, out_id, error);
    }
    if (fsn_profile_key_find(group, dot + 1, out_id, &local)) {
        return true;
    }
    g_set_error_literal(error, FSN_ERROR, FSN_ERROR_USAGE, local->message);
    return false;
}
