/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values out of a file that people or other programs have written. Pure and total. Columns that
 * are not wanted (min, max and p95 of our own) are ignored; a line that cannot be understood
 * ends it, because half of a file is worse than none.
 */
#include "config.h"

#include "history/csv.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

/* More columns than this are no file of measurements. */
#define MAX_FIELDS 1024

typedef struct {
    const char *p;
    const char *end;
    guint line;
    GPtrArray *fields; /* of the line: char*, owned */
    int time;          /* number of a column; -1 = there is none */
    int metric;
    int value;
    GPtrArray *columns; /* the names, where a column is a metric */
    GArray *values;
} Csv;

static bool
refuse(const Csv *csv, const char *why, GError **error)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "line %u: %s", csv->line, why);
    return false;
}

/* One field; the cursor stands behind it. */
static bool
take_field(Csv *csv, GError **error)
{
    GString *field = g_string_new(NULL);
    bool quoted = csv->p < csv->end && *csv->p == '"';
    bool closed = !quoted;

    csv->p += quoted;
    while (csv->p < csv->end) {
        char c = *csv->p;

        if (quoted && !closed) {
            closed = c == '"' && !(csv->p + 1 < csv->end && csv->p[1] == '"');
            csv->p += c == '"' && !closed;
            if (!closed) {
                g_string_append_c(field, c);
            }
        } else if (c == ',' || c == '\n' || c == '\r') {
            break;
        } else if (quoted) {
            g_string_free(field, TRUE);
            return refuse(csv, "something follows a closing quote", error);
        } else {
            g_string_append_c(field, c);
        }
        csv->p++;
    }
    g_ptr_array_add(csv->fields, g_string_free(field, FALSE));
    return closed || refuse(csv, "a quote is not closed", error);
}

/* The next line that is not empty; *@out_more is false if there is none. */
static bool
take_line(Csv *csv, bool *out_more, GError **error)
{
    g_ptr_array_set_size(csv->fields, 0);
    while (csv->p < csv->end && (*csv->p == '\n' || *csv->p == '\r')) {
        csv->line += *csv->p == '\n';
        csv->p++;
    }
    *out_more = csv->p < csv->end;
    while (csv->p < csv->end) {
        if (csv->fields->len >= MAX_FIELDS) {
            return refuse(csv, "too many fields", error);
        }
        if (!take_field(csv, error)) {
            return false;
        }
        if (csv->p == csv->end || *csv->p != ',') {
            break;
        }
        csv->p++;
        if (csv->p == csv->end || *csv->p == '\n' || *csv->p == '\r') {
            g_ptr_array_add(csv->fields, g_strdup(""));
            break;
        }
    }
    return true;
}

static bool
read_heading(Csv *csv, GError **error)
{
    bool more;

    if (!take_line(csv, &more, error)) {
        return false;
    }
    for (guint i = 0; more && i < csv->fields->len; i++) {
        char *name = g_strstrip(csv->fields->pdata[i]);

        if (i == 0 && g_str_has_prefix(name, "\xef\xbb\xbf")) {
            memmove(name, name + 3, strlen(name + 3) + 1);
        }
        if (strcmp(name, "time") == 0) {
            csv->time = (int)i;
        } else if (strcmp(name, "metric") == 0) {
            csv->metric = (int)i;
        } else if (strcmp(name, "value") == 0 || strcmp(name, "mean") == 0) {
            csv->value = (int)i;
        }
        g_ptr_array_add(csv->columns, g_strdup(name));
    }
    if (csv->time < 0) {
        return refuse(csv, "there is no column 'time'", error);
    }
    if (csv->metric >= 0) {
        return csv->value >= 0 || refuse(csv, "there is no column 'value'", error);
    }
    for (guint i = 0; i < csv->columns->len; i++) {
        if ((int)i != csv->time && !fsn_metric_name_is_valid(csv->columns->pdata[i])) {
            return refuse(csv, "a column's name is no name of a metric", error);
        }
    }
    return csv->columns->len > 1 || refuse(csv, "there is no column of values", error);
}

static bool
parse_time(const char *text, int64_t *out_us)
{
    char *end = NULL;
    double seconds = g_ascii_strtod(text, &end);
    g_autoptr(GDateTime) time = NULL;

    if (end != text && *end == '\0') {
        *out_us = (int64_t)llround(CLAMP(seconds, 0, 1e11) * G_USEC_PER_SEC);
        return seconds >= 0 && seconds < 1e11;
    }
    time = g_date_time_new_from_iso8601(text, NULL); /* without a zone it is refused */
    if (!time) {
        return false;
    }
    *out_us =
        g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
    return *out_us >= 0;
}

static bool
add_value(Csv *csv, int64_t time_us, const char *metric, const char *text, GError **error)
{
    FsnCsvValue v = { .time_us = time_us };
    char *end = NULL;

    if (*text == '\0') {
        return true;
    }
    if (!fsn_metric_name_is_valid(metric)) {
        return refuse(csv, "there is no such name of a metric", error);
    }
    g_strlcpy(v.value.name, metric, sizeof v.value.name);
    v.value.value = g_ascii_strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(v.value.value)) {
        return refuse(csv, "a value is no number", error);
    }
    g_array_append_val(csv->values, v);
    return true;
}

static bool
read_values(Csv *csv, GError **error)
{
    int64_t time_us;

    if (csv->fields->len != csv->columns->len) {
        return refuse(csv, "it has not as many fields as the first one", error);
    }
    for (guint i = 0; i < csv->fields->len; i++) {
        g_strstrip(csv->fields->pdata[i]);
    }
    if (!parse_time(csv->fields->pdata[csv->time], &time_us)) {
        return refuse(csv, "its time is neither RFC 3339 with a zone nor seconds", error);
    }
    if (csv->metric >= 0) {
        return add_value(csv, time_us, csv->fields->pdata[csv->metric],
                         csv->fields->pdata[csv->value], error);
    }
    for (guint i = 0; i < csv->fields->len; i++) {
        if ((int)i != csv->time && !add_value(csv, time_us, csv->columns->pdata[i],
                                              csv->fields->pdata[i], error)) {
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
read_all(Csv *csv, GError **error)
{
    bool more = true;

    if (!read_heading(csv, error)) {
        return false;
    }
    for (;;) {
        if (!take_line(csv, &more, error)) {
            return false;
        }
        if (!more) {
            return true;
        }
        if (!read_values(csv, error)) {
            return false;
        }
    }
}

bool
fsn_history_csv_parse(const char *text, size_t len, GArray **out_values, GError **error)
{
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) columns = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(FsnCsvValue));
    Csv csv = { .p = text,
                .end = text + len,
                .line = 1,
                .fields = fields,
                .columns = columns,
                .values = values,
                .time = -1,
                .metric = -1,
                .value = -1 };

    if (!g_utf8_validate(text, (gssize)len, NULL)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "it is no text in UTF-8");
        return false;
    }
    if (!read_all(&csv, error)) {
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
