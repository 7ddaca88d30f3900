/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reader of comma-separated values. It keeps one row at a time, so that its memory does
 * not grow with the file. It knows nothing of what the columns mean.
 */
#include "models/csv.h"

#include "base/error.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
refuse(const FsnCsv *csv, const char *why, GError **error)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "line %u: %s", csv->line, why);
    return false;
}

/* One field; the cursor then stands at the comma or the end of line behind it. */
static bool
take_field(FsnCsv *csv, GPtrArray *fields, GError **error)
{
    g_autoptr(GString) field = g_string_new(NULL);
    bool quoted = csv->p < csv->end && *csv->p == '"';

    csv->p += quoted;
    while (csv->p < csv->end) {
        char c = *csv->p;

        if (quoted && c == '"') {
            quoted = csv->p + 1 < csv->end && csv->p[1] == '"';
            csv->p += 1 + quoted;
            if (!quoted) {
                break;
            }
        } else if (!quoted && (c == ',' || c == '\n' || c == '\r')) {
            break;
        } else {
            csv->p++;
        }
        g_string_append_c(field, c);
        if (c == '\0' || field->len > FSN_CSV_FIELD_MAX) {
            return refuse(csv, "a field is too long, or this is no text", error);
        }
    }
    if (quoted) {
        return refuse(csv, "a quote is not closed", error);
    }
    if (csv->p < csv->end && !strchr(",\r\n", *csv->p)) {
        return refuse(csv, "something follows a closing quote", error);
    }
    if (!g_utf8_validate(field->str, (gssize)field->len, NULL)) {
        return refuse(csv, "this is not UTF-8", error);
    }
    g_ptr_array_add(fields, g_strstrip(g_strdup(field->str)));
    return true;
}

static bool
take_row(FsnCsv *csv, GPtrArray *fields, GError **error)
{
    g_ptr_array_set_size(fields, 0);
    csv->line++;
    for (;;) {
        if (fields->len == FSN_CSV_FIELDS_MAX) {
            return refuse(csv, "too many fields", error);
        }
        if (!take_field(csv, fields, error)) {
            return false;
        }
        if (csv->p == csv->end || *csv->p != ',') {
            break;
        }
        csv->p++;
    }
    csv->p += csv->p < csv->end && *csv->p == '\r';
    csv->p += csv->p < csv->end && *csv->p == '\n';
    return true;
}

static bool
is_empty(const GPtrArray *fields)
{
    return fields->len == 1 && !*(const char *)fields->pdata[0];
}

bool
fsn_csv_begin(FsnCsv *csv, const char *text, size_t len, GError **error)
{
    static const char mark[] = "\xef\xbb\xbf";
    bool marked = len >= 3 && memcmp(text, mark, 3) == 0;

    *csv = (FsnCsv){ .p = text + (marked ? 3 : 0), .end = text + len };
    csv->names = g_ptr_array_new_with_free_func(g_free);
    csv->fields = g_ptr_array_new_with_free_func(g_free);
    if (!take_row(csv, csv->names, error)) {
        return false;
    }
    if (is_empty(csv->names)) {
        return refuse(csv, "the names of the columns are missing", error);
    }
    for (guint i = 0; i < csv->names->len; i++) {
        char *name = csv->names->pdata[i];

        csv->names->pdata[i] = g_ascii_strdown(name, -1);
        g_free(name);
    }
    return true;
}

void
fsn_csv_clear(FsnCsv *csv)
{
    g_clear_pointer(&csv->names, g_ptr_array_unref);
    g_clear_pointer(&csv->fields, g_ptr_array_unref);
}

bool
fsn_csv_next(FsnCsv *csv, bool *out_more, GError **error)
{
    do {
        if (csv->p == csv->end) {
            *out_more = false;
            return true;
        }
        if (!take_row(csv, csv->fields, error)) {
            return false;
        }
    } while (is_empty(csv->fields));
    if (csv->fields->len > csv->names->len) {
        return refuse(csv, "there are more fields than names of columns", error);
    }
    while (csv->fields->len < csv->names->len) {
        g_ptr_array_add(csv->fields, g_strdup(""));
    }
    *out_more = true;
    return true;
}

int
fsn_csv_column(const FsnCsv *csv, const char *const *names)
{
    for (; *names; names++) {
        for (guint i = 0; i < csv->names->len; i++) {
            if (strcmp(csv->names->pdata[i], *names) == 0) {
                return (int)i;
            }
        }
    }
    return -1;
}

const char *
fsn_csv_field(const FsnCsv *csv, int column)
{
    return column < 0 ? "" : csv->fields->pdata[column];
}

void
fsn_csv_prefix(const FsnCsv *csv, GError **error)
{
    g_prefix_error(error, "line %u: ", csv->line);
}

static bool
parse_day(const char *text, GTimeZone *zone, int64_t *out_us)
{
    unsigned year, month, day;
    int used = 0;

    if (strlen(text) != 10 ||
        sscanf(text, "%4u-%2u-%2u%n", &year, &month, &day, &used) != 3 || used != 10 ||
        year < 1 ||
        !g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year)) {
        return false;
    }
    g_autoptr(GDateTime) time =
        g_date_time_new(zone, (int)year, (int)month, (int)day, 0, 0, 0);
    if (!time) {
        return false;
    }
    *out_us = g_date_time_to_unix(time) * G_USEC_PER_SEC;
    return true;
}

bool
fsn_csv_time(
    const char *text, GTimeZone *zone, int64_t *out_us, bool *out_is_day, GError **error)
{
    char *end;
    double seconds = g_ascii_strtod(text, &end);

    if (*text && !*end && isfinite(seconds) && fabs(seconds) < 1e11) {
        *out_us = (int64_t)(seconds * G_USEC_PER_SEC);
        *out_is_day = false;
        return true;
    }
    if (parse_day(text, zone, out_us)) {
        *out_is_day = true;
        return true;
    }
    g_autofree char *spaced = g_strdelimit(g_strdup(text), " ", 'T');
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(spaced, zone);
    if (!time) {
        g_autofree char *shown = g_strndup(text, 40);
        g_autofree char *valid = g_utf8_make_valid(shown, -1);

        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "'%s' is no time: use 2026-01-31T18:00:00Z or 2026-01-31", valid);
        return false;
    }
    *out_us =
        g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
    *out_is_day = false;
    return true;
}
