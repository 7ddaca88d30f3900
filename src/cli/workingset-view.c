/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has been learned about a guest's first touches, as workingset shows it: how much, how
 * old, and how good it was in the last resumes.
 */
#include "config.h"

#include "cli/workingset-view.h"

#include "base/clock.h"
#include "cli/output.h"
#include "cli/units.h"

#define PAGE_BYTES 4096

/* Since the last resume; -1 if there was none. */
static int64_t
age_us(const FsnWorkingSet *set, int64_t now_us)
{
    uint32_t n;
    const FsnResumeRecord *history = fsn_working_set_history(set, &n);

    return n > 0 ? MAX(now_us - history[n - 1].realtime_us, 0) : -1;
}

static JsonObject *
record_json(const FsnResumeRecord *record)
{
    JsonObject *object = json_object_new();
    g_autofree char *time = fsn_rfc3339(record->realtime_us);

    json_object_set_string_member(object, "time", time);
    json_object_set_boolean_member(object, "predicted", record->predicted);
    json_object_set_int_member(object, "list_pages", record->list_pages);
    json_object_set_int_member(object, "faults", record->faults);
    json_object_set_int_member(object, "probes", record->probes);
    json_object_set_int_member(object, "hits", record->hits);
    return object;
}

JsonObject *
fsn_working_set_json(const FsnWorkingSet *set, int64_t now_us)
{
    JsonObject *object = json_object_new();
    JsonArray *array = json_array_new();
    uint32_t pages = fsn_working_set_length(set);
    double hit_rate = fsn_working_set_hit_rate(set);
    int64_t age = age_us(set, now_us);
    uint32_t n;
    const FsnResumeRecord *history = fsn_working_set_history(set, &n);

    json_object_set_int_member(object, "pages", pages);
    json_object_set_int_member(object, "bytes", (int64_t)pages * PAGE_BYTES);
    json_object_set_int_member(object, "resumes", fsn_working_set_resumes(set));
    if (age < 0) {
        json_object_set_null_member(object, "age_us");
    } else {
        json_object_set_int_member(object, "age_us", age);
    }
    if (hit_rate < 0) {
        json_object_set_null_member(object, "hit_rate");
    } else {
        json_object_set_double_member(object, "hit_rate", hit_rate);
    }
    for (uint32_t i = n; i > 0; i--) {
        json_array_add_object_element(array, record_json(&history[i - 1]));
    }
    json_object_set_array_member(object, "history", array);
    return object;
}

static void
add_row(FsnCliTable *table, const FsnResumeRecord *record)
{
    g_autofree char *time = fsn_rfc3339(record->realtime_us);
    g_autofree char *local = fsn_cli_instant_text(time);
    g_autofree char *pages = g_strdup_printf("%u", record->list_pages);
    g_autofree char *faults = g_strdup_printf("%u", record->faults);
    g_autofree char *hits = g_strdup_printf("%u of %u", record->hits, record->probes);

    fsn_cli_table_add(table, local, record->predicted ? "predicted" : "lazy", pages,
                      faults, hits);
}

char *
fsn_working_set_text(const FsnWorkingSet *set, int64_t now_us)
{
    GString *text = g_string_new(NULL);
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("llrrr");
    g_autofree char *rows = NULL;
    uint32_t pages = fsn_working_set_length(set);
    g_autofree char *size = fsn_cli_size_text((uint64_t)pages * PAGE_BYTES);
    double hit_rate = fsn_working_set_hit_rate(set);
    uint32_t n;
    const FsnResumeRecord *history = fsn_working_set_history(set, &n);

    g_string_append_printf(text, "pages:     %u (%s), learned from %u resumes\n", pages,
                           size, fsn_working_set_resumes(set));
    if (n > 0) {
        g_autofree char *age = fsn_cli_duration_text(age_us(set, now_us));

        g_string_append_printf(text, "age:       %s\n", age);
    }
    if (hit_rate >= 0) {
        g_string_append_printf(text,
                               "hit rate:  %.0f %% of the pages held back as probes\n",
                               hit_rate * 100);
    }
    fsn_cli_table_add(table, "RESUMED", "MODE", "LIST", "FAULTS", "HITS");
    for (uint32_t i = n; i > 0; i--) {
        add_row(table, &history[i - 1]);
    }
    rows = fsn_cli_table_text(table);
    if (n > 0) {
        g_string_append(text, rows);
    }
    return g_string_free(text, FALSE);
}
