/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policies/granularity*.c: what levels, modes and exclusions come out, and what is always true
 * of them. */
#include "config.h"

#include "base/json.h"
#include "policies/granularity-json.h"

#include <math.h>
#include <string.h>

#define SWAP  "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"
#define LINUX "0fc63daf-8483-4772-8e79-3d69d8477de4"
#define MIB   (UINT64_C(1) << 20)
#define HOUR  INT64_C(3600000000)

static FsnProfile *
profile_of(const char *text)
{
    g_autoptr(FsnProfileSet) set = fsn_profile_set_new();
    g_autoptr(GError) error = NULL;
    FsnProfile *profile;

    fsn_profile_set_add(set, fsn_profile_file_parse("p", "p.profile", FSN_PROFILE_USER,
                                                    text, strlen(text)));
    profile = fsn_profile_set_resolve(set, "p", &error);
    g_assert_no_error(error);
    return profile;
}

static void
test_levels(void)
{
    static const char text[] = "[memory]\nbase=standard\nio-high=10M/s\nio-low=1M/s\n"
                               "cpu-high=80%\ncpu-low=10%\nhysteresis=20%\n";

    static const struct {
        double mib;
        double cpu;
        int previous;
        FsnLevel level;
        const char *reason;
    } cases[] = {
        { -1, -1, 0, FSN_LEVEL_STANDARD, "is not known" },
        { 5, 50, 0, FSN_LEVEL_STANDARD, "between the thresholds" },
        { 10, 50, 0, FSN_LEVEL_DETAILED,
          "input and output is 10 MiB/s, not below the high threshold of 10 MiB/s" },
        { 9, 50, 0, FSN_LEVEL_STANDARD, "between" },
        { 9, 50, 1, FSN_LEVEL_DETAILED, "still near the high threshold" },
        { 7.9, 50, 1, FSN_LEVEL_STANDARD, "between" },
        { 0.5, 5, 0, FSN_LEVEL_MINIMAL, "below the low threshold of 1.0 MiB/s" },
        { 0.5, 10, 0, FSN_LEVEL_STANDARD, "between" },
        { 1.1, 5, 0, FSN_LEVEL_STANDARD, "between" },
        { 1.1, 11, -1, FSN_LEVEL_MINIMAL, "still near the low threshold" },
        { 1.3, 5, -1, FSN_LEVEL_STANDARD, "between" },
        { -1, 5, 0, FSN_LEVEL_MINIMAL, "the use of processors is 5%" },
        { -1, 85, 0, FSN_LEVEL_DETAILED, "the use of processors is 85%" },
    };

    g_autoptr(FsnProfile) profile = profile_of(text);
    FsnLevelRule rule = fsn_level_rule(profile, FSN_RESOURCE_MEMORY);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        FsnActivity activity = { .io_rate = cases[i].mib < 0 ? -1 : cases[i].mib * MIB,
                                 .cpu = cases[i].cpu,
                                 .previous = cases[i].previous };
        g_auto(FsnLevelDecision) decision = { 0 };

        fsn_level_decide(&rule, &activity, &decision);
        g_test_message("%zu: %s", i, decision.reason);
        g_assert_cmpint(decision.level, ==, cases[i].level);
        g_assert_nonnull(strstr(decision.reason, cases[i].reason));
    }
}

static void
test_limits(void)
{
    g_autoptr(FsnProfile) profile = profile_of("[disk]\ncpu-high=50%\ncpu-low=10%\n"
                                               "least=detailed\ngreatest=detailed\n");
    FsnLevelRule rule = fsn_level_rule(profile, FSN_RESOURCE_DISK);

    for (int step = -1; step <= 1; step += 2) {
        FsnActivity activity = { .io_rate = -1, .cpu = step > 0 ? 90 : 1 };
        g_auto(FsnLevelDecision) decision = { 0 };

        fsn_level_decide(&rule, &activity, &decision);
        g_assert_cmpint(decision.level, ==, FSN_LEVEL_DETAILED);
        g_assert_cmpint(decision.step, ==, step);
        g_assert_nonnull(strstr(decision.reason, "that the profile allows"));
    }
}

static double
some_threshold(double low, double high)
{
    return g_test_rand_int_range(0, 4) == 0 ? -1 : g_test_rand_double_range(low, high);
}

/* A rule that a sound profile can lead to. */
static FsnLevelRule
random_rule(void)
{
    FsnLevelRule rule = { .hysteresis = g_test_rand_double_range(0, 0.3) };

    rule.least = (FsnLevel)g_test_rand_int_range(0, FSN_N_LEVELS);
    rule.greatest = (FsnLevel)g_test_rand_int_range((int)rule.least, FSN_N_LEVELS);
    rule.base = (FsnLevel)g_test_rand_int_range((int)rule.least, (int)rule.greatest + 1);
    rule.io_low = some_threshold(0, 50);
    rule.io_high = some_threshold(100, 200);
    rule.cpu_low = some_threshold(0, 20);
    rule.cpu_high = some_threshold(60, 100);
    return rule;
}

static double
random_value(double high)
{
    return g_test_rand_int_range(0, 5) == 0 ? -1 : g_test_rand_double_range(0, high);
}

static FsnLevelDecision
decide(const FsnLevelRule *rule, FsnActivity activity)
{
    FsnLevelDecision decision;

    fsn_level_decide(rule, &activity, &decision);
    return decision;
}

/* Of any rule and activity: within the limits, and monotone; fed with its own step while nothing
 * changes it stays; the same again leads to the same words. */
static void
test_properties(void)
{
    for (unsigned i = 0; i < 100000; i++) {
        FsnLevelRule rule = random_rule();
        FsnActivity activity = { .io_rate = random_value(300),
                                 .cpu = random_value(100),
                                 .previous = g_test_rand_int_range(-1, 2) };
        FsnActivity more = activity;
        FsnActivity later = activity;
        g_auto(FsnLevelDecision) first = decide(&rule, activity);
        g_auto(FsnLevelDecision) same = decide(&rule, activity);
        g_auto(FsnLevelDecision) raised = { 0 };
        g_auto(FsnLevelDecision) next = { 0 };

        g_assert_cmpint(first.level, >=, rule.least);
        g_assert_cmpint(first.level, <=, rule.greatest);
        g_assert_cmpstr(first.reason, ==, same.reason);
        more.io_rate += activity.io_rate >= 0 ? g_test_rand_double_range(0, 300) : 0;
        more.cpu += activity.cpu >= 0 ? g_test_rand_double_range(0, 100) : 0;
        raised = decide(&rule, more);
        g_assert_cmpint(raised.level, >=, first.level);
        later.previous = first.step;
        next = decide(&rule, later);
        g_assert_cmpint(next.level, ==, first.level);
        g_assert_cmpint(next.step, ==, first.step);
    }
}

/* A load that swings within the band around a threshold changes the level once at most. */
static void
test_no_flapping(void)
{
    g_autoptr(FsnProfile) profile = profile_of(
        "[disk]\nbase=standard\nio-high=100M/s\nio-low=10M/s\nhysteresis=20%\n");
    FsnLevelRule rule = fsn_level_rule(profile, FSN_RESOURCE_DISK);
    static const double centres[] = { 95, 10.9 };

    for (size_t c = 0; c < G_N_ELEMENTS(centres); c++) {
        FsnActivity activity = FSN_ACTIVITY_UNKNOWN;
        FsnLevel last = FSN_LEVEL_STANDARD;
        unsigned changes = 0;

        for (unsigned i = 0; i < 1000; i++) {
            g_auto(FsnLevelDecision) d = { 0 };

            activity.io_rate = centres[c] * (1 + 0.09 * sin(i)) * MIB;
            fsn_level_decide(&rule, &activity, &d);
            changes += i > 0 && d.level != last;
            last = d.level;
            activity.previous = d.step;
        }
        g_assert_cmpuint(changes, <=, 1);
    }
}

static void
test_modes(void)
{
    static const FsnPartitionActivity hot_and_cold[] = { { 1, 100 * MIB, 3600 * MIB },
                                                         { 2, 9000 * MIB, 1 * MIB } };

    static const struct {
        const char *text;
        FsnLevel level;
        FsnDiskActivity activity;
        FsnReadMode mode;
        const char *reason;
    } cases[] = {
        { "",
          FSN_LEVEL_RAW,
          { .size = MIB, .recorded = true },
          FSN_READ_FULL,
          "level raw" },
        { "", FSN_LEVEL_DETAILED, { .size = MIB }, FSN_READ_FULL, "not recorded" },
        { "",
          FSN_LEVEL_DETAILED,
          { .size = MIB, .recorded = true, .dirty = MIB, .since_us = 1 },
          FSN_READ_INCREMENTAL,
          "mode-rule=rate: disk.full-above is off" },
        { "[disk]\nfull-above=1M/s\n",
          FSN_LEVEL_DETAILED,
          { .size = 10000 * MIB,
            .recorded = true,
            .dirty = 3600 * MIB,
            .since_us = HOUR },
          FSN_READ_FULL,
          "changes by 1.0 MiB/s, not less than 1.0 MiB/s" },
        { "[disk]\nfull-above=1M/s\n",
          FSN_LEVEL_DETAILED,
          { .size = 10000 * MIB,
            .recorded = true,
            .dirty = 3599 * MIB,
            .since_us = HOUR },
          FSN_READ_INCREMENTAL,
          "mode-rule=rate: it changes by 1024 KiB/s, less than" },
        { "[disk]\nfull-above=1M/s\n",
          FSN_LEVEL_DETAILED,
          { .size = 10000 * MIB, .recorded = true, .dirty = 3600 * MIB },
          FSN_READ_INCREMENTAL,
          "since when it changes is not known" },
        { "[disk]\nfull-above=1M/s\n",
          FSN_LEVEL_DETAILED,
          { .size = 10000 * MIB,
            .recorded = true,
            .dirty = 3601 * MIB,
            .since_us = HOUR,
            .partitions = hot_and_cold,
            .n_partitions = 2 },
          FSN_READ_HYBRID,
          "so do only its partitions 1" },
        { "[profile]\nmode-rule=cost\n[disk]\nrestore-point=1h\n",
          FSN_LEVEL_DETAILED,
          { .size = 10000 * MIB,
            .allocated = 1000 * MIB,
            .recorded = true,
            .dirty = 100 * MIB,
            .since_us = HOUR },
          FSN_READ_INCREMENTAL,
          "mode-rule=cost: until the restore point of 1h about 100 MiB change" },
        { "[profile]\nmode-rule=cost\n[disk]\nrestore-point=1d\n",
          FSN_LEVEL_DETAILED,
          { .size = 10000 * MIB,
            .allocated = 1000 * MIB,
            .recorded = true,
            .dirty = 100 * MIB,
            .since_us = HOUR },
          FSN_READ_FULL,
          "all of it is 1000 MiB" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FsnProfile) profile = profile_of(cases[i].text);
        g_auto(FsnReadDecision) d = { 0 };

        fsn_read_decide(profile, cases[i].level, &cases[i].activity, &d);
        g_test_message("%s: %s", fsn_read_mode_name(d.mode), d.reason);
        g_assert_cmpint(d.mode, ==, cases[i].mode);
        g_assert_nonnull(strstr(d.reason, cases[i].reason));
        g_assert_cmpuint(d.full->len, ==, d.mode == FSN_READ_HYBRID ? 1 : 0);
    }
}

static void
test_disks(void)
{
    static const struct {
        const char *text;
        FsnLevel level;
        const char *why; /* NULL = taken */
    } cases[] = {
        { "", FSN_LEVEL_DETAILED, NULL },
        { "", FSN_LEVEL_MINIMAL, "level minimal" },
        { "[disk]\nexclude=target:vda\n", FSN_LEVEL_RAW, "excludes target:vda" },
        { "[disk]\nexclude=size:>1G\n", FSN_LEVEL_RAW, NULL },
        { "[disk]\ninclude=target:vdb; size:>1G\n", FSN_LEVEL_RAW, "includes only" },
        { "[disk]\ninclude=target:vd*\n", FSN_LEVEL_RAW, NULL },
        { "[disk]\ninclude=target:vd*\nexclude=size:<1G\n", FSN_LEVEL_RAW, "excludes" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FsnProfile) profile = profile_of(cases[i].text);
        g_autofree char *why =
            fsn_granularity_skip_disk(profile, cases[i].level, "vda", MIB);

        g_test_message("%s", why);
        g_assert_true((why == NULL) == (cases[i].why == NULL));
        g_assert_true(!why || strstr(why, cases[i].why));
    }
}

static void
test_partitions(void)
{
    static const FsnPartitionFacts swap = { "vda", 2, MIB, SWAP, "x", NULL, false, true };
    static const FsnPartitionFacts root = { "vda", 1, MIB, LINUX, "root", NULL, false };
    static const FsnPartitionFacts both = { "vda", 3, MIB, SWAP, NULL, NULL, true, true };
    static const FsnPartitionFacts hibernated = { "vda", 4,    MIB,   SWAP,
                                                  NULL,  NULL, false, false };

    static const struct {
        const char *text;
        FsnLevel level;
        const FsnPartitionFacts *partition;
        bool memory;
        const char *why;
        const char *kept;
    } cases[] = {
        { "", FSN_LEVEL_STANDARD, &root, false, NULL, NULL },
        { "", FSN_LEVEL_STANDARD, &swap, false, "it is swap", NULL },
        { "", FSN_LEVEL_DETAILED, &swap, false, NULL, NULL },
        { "", FSN_LEVEL_STANDARD, &hibernated, false, NULL, NULL },
        { "", FSN_LEVEL_STANDARD, &swap, true, NULL, "but the memory may refer to it" },
        { "", FSN_LEVEL_STANDARD, &both, false, NULL, "but it shares its place" },
        { "[partition]\ninclude=target:vda:2\n", FSN_LEVEL_STANDARD, &swap, false, NULL,
          "but the profile includes it" },
        { "[partition]\nexclude=label:ro*\n", FSN_LEVEL_RAW, &root, false,
          "excludes label:ro*", NULL },
        { "[partition]\nexclude=label:ro*\n", FSN_LEVEL_RAW, &swap, false, NULL, NULL },
        { "", FSN_LEVEL_MINIMAL, &root, false, "level minimal", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FsnProfile) profile = profile_of(cases[i].text);
        g_autofree char *kept = NULL;
        g_autofree char *why = fsn_granularity_skip_partition(
            profile, cases[i].level, cases[i].partition, cases[i].memory, &kept);

        g_test_message("%zu: %s / %s", i, why, kept);
        g_assert_true((why == NULL) == (cases[i].why == NULL));
        g_assert_true((kept == NULL) == (cases[i].kept == NULL));
        g_assert_true(!why || strstr(why, cases[i].why));
        g_assert_true(!kept || strstr(kept, cases[i].kept));
    }
}

static void
test_json(void)
{
    g_autoptr(FsnProfile) profile = profile_of("[disk]\nfull-above=1M/s\n");
    g_autoptr(JsonObject) o = fsn_granularity_json(profile);
    FsnActivity activity = { .io_rate = 3 * MIB, .cpu = -1, .previous = 1 };
    FsnLevelRule rule = fsn_level_rule(profile, FSN_RESOURCE_DISK);
    FsnDiskActivity disk = {
        .size = MIB, .recorded = true, .dirty = 5, .since_us = HOUR
    };
    g_auto(FsnLevelDecision) level = decide(&rule, activity);
    g_auto(FsnReadDecision) read = { 0 };
    g_autoptr(GPtrArray) sentences = NULL;
    JsonObject *decision;
    JsonObject *inputs;

    fsn_read_decide(profile, level.level, &disk, &read);
    decision = fsn_granularity_add(o, FSN_RESOURCE_DISK, "vda", &activity, &level);
    fsn_granularity_add_read(decision, &disk, &read);
    inputs = json_object_get_object_member(decision, "inputs");
    g_assert_cmpint(fsn_json_peek_int(inputs, "io_bytes_per_s", 0), ==, 3 * MIB);
    g_assert_false(json_object_has_member(inputs, "cpu_percent"));
    g_assert_cmpint(fsn_json_peek_int(inputs, "dirty", 0), ==, 5);
    level.step = -1;
    decision = fsn_granularity_add(o, FSN_RESOURCE_PARTITION, "vda:2", &activity, &level);
    fsn_granularity_add_left_out(decision, "it is swap", NULL);
    g_assert_cmpint(fsn_granularity_step(o, FSN_RESOURCE_PARTITION, "vda:2"), ==, -1);
    g_assert_cmpint(fsn_granularity_step(o, FSN_RESOURCE_PARTITION, "vda:1"), ==, 0);
    g_assert_cmpint(fsn_granularity_step(NULL, FSN_RESOURCE_DISK, "vda"), ==, 0);
    sentences = fsn_granularity_explain(o);
    g_assert_cmpuint(sentences->len, ==, 5);
    g_assert_cmpstr(sentences->pdata[0], ==, "Profile 'p' was used.");
    g_assert_cmpstr(
        sentences->pdata[1], ==,
        "Disk vda: level detailed, which keeps all that the guest can read of "
        "it; the profile has no thresholds for it.");
    g_assert_cmpstr(
        sentences->pdata[2], ==,
        "Disk vda: mode incremental; mode-rule=rate: it changes by 0 B/s, less "
        "than 1.0 MiB/s.");
    g_assert_true(
        g_str_has_prefix(sentences->pdata[3], "Partition vda:2: level detailed, "));
    g_assert_cmpstr(sentences->pdata[4], ==,
                    "Partition vda:2 was left out, and reads as zeroes: it is swap.");
}

/* What a manifest may have there. */
static void
test_hostile_json(void)
{
    static const char *const cases[] = {
        "{}",
        "{\"decisions\": 1, \"settings\": {}}",
        "{\"decisions\": [1, null, {}, {\"kind\": 1, \"level\": []}], \"profile\": []}",
        "{\"decisions\": [{\"kind\": \"\", \"name\": \"\", \"step\": 99}]}",
        "{\"settings\": [1, {\"source\": \"domain 'x'\"}]}",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(JsonObject) o = NULL;
        g_autoptr(GPtrArray) sentences = NULL;

        g_assert_true(
            fsn_json_parse_object(cases[i], strlen(cases[i]), 4096, "it", &o, NULL));
        sentences = fsn_granularity_explain(o);
        g_assert_cmpuint(sentences->len, >=, 1);
        g_assert_cmpint(fsn_granularity_step(o, FSN_RESOURCE_DISK, ""), ==, 0);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/granularity/levels", test_levels);
    g_test_add_func("/granularity/limits", test_limits);
    g_test_add_func("/granularity/properties", test_properties);
    g_test_add_func("/granularity/no-flapping", test_no_flapping);
    g_test_add_func("/granularity/modes", test_modes);
    g_test_add_func("/granularity/disks", test_disks);
    g_test_add_func("/granularity/partitions", test_partitions);
    g_test_add_func("/granularity/json", test_json);
    g_test_add_func("/granularity/hostile-json", test_hostile_json);
    return g_test_run();
}
