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

#define TIME_MAX (G_GINT64_CONSTANT(1) << 53)

bool
fsn_csv_refuse(const FsnCsv *csv, const char *why, GError **error)
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
            return fsn_csv_refuse(csv, "a field is too long, or this is no text", error);
        }
    }
    if (quoted) {
        return fsn_csv_refuse(csv, "a quote is not closed", error);
    }
    if (csv->p < csv->end && !strchr(",\r\n", *csv->p)) {
        return fsn_csv_refuse(csv, "something follows a closing quote", error);
    }
    if (!g_utf8_validate(field->str, (gssize)field->len, NULL)) {
        return fsn_csv_refuse(csv, "this is not UTF-8", error);
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
            return fsn_csv_refuse(csv, "too many fields", error);
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

    *csv = (FsnCsv){ .begin = text + (marked ? 3 : 0), .end = text + len };
    csv->p = csv->begin;
    csv->names = g_ptr_array_new_with_free_func(g_free);
    csv->fields = g_ptr_array_new_with_free_func(g_free);
    do {
        if (!take_row(csv, csv->names, error)) {
            return false;
        }
    } while (is_empty(csv->names) && csv->p < csv->end);
    return !is_empty(csv->names) ||
           fsn_csv_refuse(csv, "the names of the columns are missing", error);
}

void
fsn_csv_without_names(FsnCsv *csv)
{
    csv->p = csv->begin;
    csv->line = 0;
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
    csv->given = csv->fields->len;
    if (csv->fields->len > csv->names->len) {
        return fsn_csv_refuse(csv, "there are more fields than names of columns", error);
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
            if (g_ascii_strcasecmp(csv->names->pdata[i], *names) == 0) {
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
is_unknown(const char *text)
{
    static const char *const words[] = { "", "na", "nan", "null", "none" };

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_ascii_strcasecmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool
fsn_csv_number(const char *text, double most, double *out_value, GError **error)
{
    char *end;
    double value = g_ascii_strtod(text, &end);

    if (is_unknown(text)) {
        *out_value = NAN;
        return true;
    }
    if (*end || !(fabs(value) <= most)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "'%.40s' is no number of measurable size", text);
        return false;
    }
    *out_value = value;
    return true;
}

/* Since 1970. */
static bool
parse_seconds(const char *text, int64_t *out_us)
{
    char *end;
    double value = g_ascii_strtod(text, &end);

    if (end == text || *end || !isfinite(value)) {
        return false;
    }
    if (fabs(value) < 1e11) {
        value *= 1e6;
    } else if (fabs(value) < 1e14) {
        value *= 1e3;
    }
    if (fabs(value) > (double)TIME_MAX) {
        return false;
    }
    *out_us = llround(value);
    return true;
}

static bool
parse_day(const char *text, GTimeZone *zone, int64_t *out_us)
{
    unsigned year, month, day;
    int used = 0;

    if (!zone || strlen(text) != 10 ||
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
    if (parse_seconds(text, out_us)) {
        *out_is_day = false;
        return true;
    }
    if (parse_day(text, zone, out_us)) {
        *out_is_day = true;
        return true;
    }
    /* A time may end with the minute, which ISO 8601 has and GLib has not. */
    g_autofree char *spaced = g_strconcat(text, strlen(text) == 16 ? ":00" : "", NULL);
    g_strdelimit(spaced, " ", 'T');
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
