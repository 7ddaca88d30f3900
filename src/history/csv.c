/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values out of a file that people or other programs have written. Pure and total. Columns that
 * are not wanted (min, max and p95 of our own) are ignored; a line that cannot be understood
 * ends it, because half of a file is worse than none.
 */
#include "config.h"

#include "history/csv.h"

#include "models/csv.h"

#include <math.h>
#include <string.h>

typedef struct {
    FsnCsv rows;
    int time; /* number of a column; -1 = there is none */
    int metric;
    int value;
    GArray *values;
} Csv;

static bool
read_heading(Csv *csv, GError **error)
{
    static const char *const times[] = { "time", NULL };
    static const char *const metrics[] = { "metric", NULL };
    static const char *const values[] = { "value", "mean", NULL };
    const GPtrArray *names = csv->rows.names;

    csv->time = fsn_csv_column(&csv->rows, times);
    csv->metric = fsn_csv_column(&csv->rows, metrics);
    csv->value = fsn_csv_column(&csv->rows, values);
    if (csv->time < 0) {
        return fsn_csv_refuse(&csv->rows, "there is no column 'time'", error);
    }
    if (csv->metric >= 0) {
        return csv->value >= 0 ||
               fsn_csv_refuse(&csv->rows, "there is no column 'value'", error);
    }
    for (guint i = 0; i < names->len; i++) {
        if ((int)i != csv->time && !fsn_metric_name_is_valid(names->pdata[i])) {
            return fsn_csv_refuse(&csv->rows, "a column's name is no name of a metric",
                                  error);
        }
    }
    return names->len > 1 ||
           fsn_csv_refuse(&csv->rows, "there is no column of values", error);
}

static bool
add_value(Csv *csv, int64_t time_us, const char *metric, const char *text, GError **error)
{
    FsnCsvValue v = { .time_us = time_us };

    if (!fsn_csv_number(text, G_MAXDOUBLE, &v.value.value, error)) {
        fsn_csv_prefix(&csv->rows, error);
        return false;
    }
    if (isnan(v.value.value)) {
        /* What was not measured is left out, not called so. */
        return *text == '\0' || fsn_csv_refuse(&csv->rows, "a value is no number", error);
    }
    if (!fsn_metric_name_is_valid(metric)) {
        return fsn_csv_refuse(&csv->rows, "there is no such name of a metric", error);
    }
    g_strlcpy(v.value.name, metric, sizeof v.value.name);
    g_array_append_val(csv->values, v);
    return true;
}

static bool
read_values(Csv *csv, GError **error)
{
    const GPtrArray *names = csv->rows.names;
    int64_t time_us;
    bool is_day;

    if (csv->rows.given != names->len) {
        return fsn_csv_refuse(&csv->rows, "it has not as many fields as the first one",
                              error);
    }
    if (!fsn_csv_time(fsn_csv_field(&csv->rows, csv->time), NULL, &time_us, &is_day,
                      NULL) ||
        time_us < 0) {
        return fsn_csv_refuse(
            &csv->rows, "its time is neither RFC 3339 with a zone nor seconds", error);
    }
    if (csv->metric >= 0) {
        return add_value(csv, time_us, fsn_csv_field(&csv->rows, csv->metric),
                         fsn_csv_field(&csv->rows, csv->value), error);
    }
    for (guint i = 0; i < names->len; i++) {
        if ((int)i != csv->time && !add_value(csv, time_us, names->pdata[i],
                                              fsn_csv_field(&csv->rows, (int)i), error)) {
            return false;
        }
    }
    return true;
}

static int
by_time(gconstpointer a, gconstpointer b)
{
    const FsnCsvValue *x = a, *y = b;

    return x->time_us != y->time_us
               ? (x->time_us > y->time_us) - (x->time_us < y->time_us)
               : strcmp(x->value.name, y->value.name);
}

static bool
read_all(Csv *csv, const char *text, size_t len, GError **error)
{
    bool more = true;

    if (!fsn_csv_begin(&csv->rows, text, len, error) || !read_heading(csv, error)) {
        return false;
    }
    while (more) {
        if (!fsn_csv_next(&csv->rows, &more, error) ||
            (more && !read_values(csv, error))) {
            return false;
        }
    }
    return true;
}

bool
fsn_history_csv_parse(const char *text, size_t len, GArray **out_values, GError **error)
{
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(FsnCsvValue));
    Csv csv = { .values = values };
    bool ok = read_all(&csv, text, len, error);

    fsn_csv_clear(&csv.rows);
    if (!ok) {
        return false;
    }
    g_array_sort(values, by_time);
    *out_values = g_steal_pointer(&values);
    return true;
}

bool
fsn_history_insert_values(FsnHistory *history,
                          const char *uuid,
                          const char *name,
                          GArray *values,
                          int64_t now_us,
                          GError **error)
{
    g_autoptr(GArray) flat = g_array_new(FALSE, FALSE, sizeof(FsnMetricValue));
    g_autoptr(GArray) samples = g_array_new(FALSE, FALSE, sizeof(FsnHistorySample));
    guint first = 0;

    for (guint i = 0; i < values->len; i++) {
        const FsnCsvValue *v = &g_array_index(values, FsnCsvValue, i);
        const FsnCsvValue *next =
            i + 1 < values->len ? &g_array_index(values, FsnCsvValue, i + 1) : NULL;
        bool together = next && next->time_us == v->time_us;
        FsnHistorySample s = { .uuid = uuid, .name = name, .time_us = v->time_us };

        if (together && strcmp(next->value.name, v->value.name) == 0) {
            continue;
        }
        g_array_append_val(flat, v->value);
        if (!together) {
            s.n = flat->len - first;
            first = flat->len;
            g_array_append_val(samples, s);
        }
    }
    first = 0;
    for (guint i = 0; i < samples->len; i++) {
        FsnHistorySample *s = &g_array_index(samples, FsnHistorySample, i);

        s->values = &g_array_index(flat, FsnMetricValue, first);
        first += (guint)s->n;
    }
    return fsn_history_insert(history, (const FsnHistorySample *)(void *)samples->data,
                              samples->len, now_us, error);
}
