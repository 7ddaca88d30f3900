/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cli/workingset-view.c: the newest resume first, and null where nothing is known. */
#include "config.h"

#include "cli/workingset-view.h"

#include <string.h>

#define START_US (INT64_C(1767225600) * 1000000) /* 2026-01-01T00:00:00Z */

static void
learn(FsnWorkingSet *set, int64_t at_us, bool predicted)
{
    const uint32_t granules[] = { 7, 3 };
    const uint32_t at[] = { 10, 20 };
    const uint32_t probes[] = { 3, 900 };
    const FsnResumeObservation seen = { .granules = granules,
                                        .at_us = at,
                                        .n_faults = 2,
                                        .probes = probes,
                                        .n_probes = predicted ? 2 : 0,
                                        .predicted = predicted,
                                        .window_us = 1000000,
                                        .realtime_us = at_us };

    fsn_working_set_merge(set, &seen);
}

static void
test_empty(void)
{
    g_autoptr(FsnWorkingSet) set = fsn_working_set_new();
    g_autoptr(JsonObject) object = fsn_working_set_json(set, START_US);
    g_autofree char *text = fsn_working_set_text(set, START_US);

    g_assert_cmpint(json_object_get_int_member(object, "pages"), ==, 0);
    g_assert_true(json_object_get_null_member(object, "age_us"));
    g_assert_true(json_object_get_null_member(object, "hit_rate"));
    g_assert_cmpstr(text, ==, "pages:     0 (0 B), learned from 0 resumes\n");
}

static void
test_learned(void)
{
    g_autoptr(FsnWorkingSet) set = fsn_working_set_new();
    g_autoptr(JsonObject) object = NULL;
    g_autofree char *text = NULL;
    JsonArray *history;
    JsonObject *newest;

    learn(set, START_US, false);
    learn(set, START_US + 60000000, true);
    object = fsn_working_set_json(set, START_US + 120000000);
    text = fsn_working_set_text(set, START_US + 120000000);
    g_assert_cmpint(json_object_get_int_member(object, "pages"), ==, 2);
    g_assert_cmpint(json_object_get_int_member(object, "bytes"), ==, 8192);
    g_assert_cmpint(json_object_get_int_member(object, "resumes"), ==, 2);
    g_assert_cmpint(json_object_get_int_member(object, "age_us"), ==, 60000000);
    g_assert_cmpfloat(json_object_get_double_member(object, "hit_rate"), ==,
                      fsn_working_set_hit_rate(set));
    history = json_object_get_array_member(object, "history");
    g_assert_cmpint(json_array_get_length(history), ==, 2);
    newest = json_array_get_object_element(history, 0);
    g_assert_cmpstr(json_object_get_string_member(newest, "time"), ==,
                    "2026-01-01T00:01:00Z");
    g_assert_true(json_object_get_boolean_member(newest, "predicted"));
    g_assert_cmpint(json_object_get_int_member(newest, "faults"), ==, 2);
    g_assert_cmpint(json_object_get_int_member(newest, "probes"), ==, 2);
    g_assert_true(json_object_has_member(newest, "hits"));
    g_assert_true(json_object_has_member(newest, "list_pages"));
    g_assert_nonnull(strstr(text, "age:       1 min 00 s\n"));
    g_assert_nonnull(strstr(text, "2026-01-01 00:01  predicted "));
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/workingset/empty", test_empty);
    g_test_add_func("/cli/workingset/learned", test_learned);
    return g_test_run();
}
