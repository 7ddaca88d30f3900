/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bounded reader of CSV with one series: rows first, then a regular grid. Clocks that jump,
 * repeat an hour or stand still for days make gaps and averages, never a failure; what
 * cannot be read is an error that names the line.
 */
#include "models/series-csv.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

#define COLUMNS_MAX 64
#define FIELD_MAX   64
#define TIME_MAX    (G_GINT64_CONSTANT(1) << 53)

typedef struct {
    int64_t time_us;
    double value;
} Row;

typedef struct {
    GArray *rows;    /* Row */
    int time_column; /* -1: none */
    int value_column;
    bool has_columns;
    size_t line;
} Reader;

static bool
fail(const Reader *reader, GError **error, const char *what)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "line %zu: %s", reader->line, what);
    return false;
}

/* The fields of a line, without blanks and quotes around them; too many, or one that is too
 * long, give NULL. */
static GPtrArray *
split_line(const char *line, size_t len)
{
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
    const char *end = line + len;

    while (true) {
        const char *comma = memchr(line, ',', (size_t)(end - line));
        const char *stop = comma ? comma : end;

        if (fields->len == COLUMNS_MAX || stop - line > FIELD_MAX) {
            return NULL;
        }
        char *field = g_strstrip(g_strndup(line, (gsize)(stop - line)));
        size_t n = strlen(field);
        if (n >= 2 && field[0] == '"' && field[n - 1] == '"') {
            field[n - 1] = '\0';
            memmove(field, field + 1, n - 1);
        }
        g_ptr_array_add(fields, field);
        if (!comma) {
            return g_steal_pointer(&fields);
        }
        line = comma + 1;
    }
}

static bool
is_unknown(const char *field)
{
    static const char *const words[] = { "", "na", "nan", "null", "none" };

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_ascii_strcasecmp(field, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool
parse_value(const char *field, double *out)
{
    char *end;

    if (is_unknown(field)) {
        *out = NAN;
        return true;
    }
    *out = g_ascii_strtod(field, &end);
    return *end == '\0' && isfinite(*out) && fabs(*out) <= FSN_CSV_VALUE_MAX;
}

/* Seconds, or where that would be far away, milliseconds or microseconds. */
static bool
parse_number_time(const char *field, int64_t *out)
{
    char *end;
    double value = g_ascii_strtod(field, &end);

    if (*end != '\0' || end == field || !isfinite(value)) {
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
    *out = (int64_t)value;
    return true;
}

static bool
parse_time(const char *field, int64_t *out)
{
    g_autofree char *iso = g_strdup(field);
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = NULL;

    if (parse_number_time(field, out)) {
        return true;
    }
    if (strlen(iso) > 10 && iso[10] == ' ') {
        iso[10] = 'T';
    }
    if (strlen(iso) == 10) {
        g_autofree char *day = g_strconcat(iso, "T00:00:00", NULL);

        time = g_date_time_new_from_iso8601(day, utc);
    } else if (strlen(iso) == 16) {
        g_autofree char *minute = g_strconcat(iso, ":00", NULL);

        time = g_date_time_new_from_iso8601(minute, utc);
    } else {
        time = g_date_time_new_from_iso8601(iso, utc);
    }
    if (!time) {
        return false;
    }
    *out = g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
    return true;
}

static bool
is_name_of_time(const char *field)
{
    return g_ascii_strcasecmp(field, "timestamp") == 0 ||
           g_ascii_strcasecmp(field, "time") == 0 ||
           g_ascii_strcasecmp(field, "date") == 0;
}

/* Finds the columns from the first line; says in @out_heading whether that is a heading. */
static bool
find_columns(Reader *reader, GPtrArray *fields, bool *out_heading, GError **error)
{
    double ignored;

    reader->time_column = -1;
    reader->value_column = -1;
    for (guint i = 0; i < fields->len; i++) {
        if (reader->time_column < 0 && is_name_of_time(fields->pdata[i])) {
            reader->time_column = (int)i;
        } else if (g_ascii_strcasecmp(fields->pdata[i], "value") == 0) {
            reader->value_column = (int)i;
        }
    }
    *out_heading = true;
    if (reader->value_column < 0 && fields->len <= 2) {
        /* A heading with other names, or none. */
        reader->value_column = (int)fields->len - 1;
        reader->time_column = fields->len == 2 ? 0 : -1;
        *out_heading = !parse_value(fields->pdata[fields->len - 1], &ignored);
    }
    if (reader->value_column < 0) {
        return fail(reader, error, "of several columns one must be named 'value'");
    }
    if (reader->time_column < 0 && fields->len == 2) {
        reader->time_column = reader->value_column == 0 ? 1 : 0;
    }
    reader->has_columns = true;
    return true;
}

static bool
add_row(Reader *reader, GPtrArray *fields, GError **error)
{
    Row row = { 0 };

    if ((int)fields->len <= MAX(reader->value_column, reader->time_column)) {
        return fail(reader, error, "it has too few columns");
    }
    if (!parse_value(fields->pdata[reader->value_column], &row.value)) {
        return fail(reader, error, "the value is no number, or too large");
    }
    if (reader->time_column >= 0 &&
        !parse_time(fields->pdata[reader->time_column], &row.time_us)) {
        return fail(reader, error,
                    "the time is neither ISO 8601 nor a number since 1970");
    }
    if (reader->rows->len == FSN_CSV_ROWS_MAX) {
        return fail(reader, error, "there are too many lines");
    }
    g_array_append_val(reader->rows, row);
    return true;
}

static bool
read_line(Reader *reader, const char *line, size_t len, GError **error)
{
    g_autoptr(GPtrArray) fields = NULL;
    bool heading = false;

    while (len > 0 && g_ascii_isspace(line[len - 1])) {
        len--;
    }
    if (len == 0) {
        return true;
    }
    fields = split_line(line, len);
    if (!fields) {
        return fail(reader, error, "it has too many columns, or too long ones");
    }
    if (!reader->has_columns && !find_columns(reader, fields, &heading, error)) {
        return false;
    }
    return heading || add_row(reader, fields, error);
}

static bool
read_rows(Reader *reader, const char *text, size_t len, GError **error)
{
    const char *end = text + len;

    if (memchr(text, '\0', len)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "it is not a text");
        return false;
    }
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;

        reader->line++;
        if (!read_line(reader, text, (size_t)(stop - text), error)) {
            return false;
        }
        text = newline ? newline + 1 : end;
    }
    if (reader->rows->len == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "there are no values");
        return false;
    }
    return true;
}

static int
compare_rows(gconstpointer a, gconstpointer b)
{
    int64_t x = ((const Row *)a)->time_us;
    int64_t y = ((const Row *)b)->time_us;

    return (x > y) - (x < y);
}

static int
compare_times(gconstpointer a, gconstpointer b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* The median of the differences between times that differ; 0 if there are none. */
static int64_t
usual_difference(GArray *rows)
{
    g_autoptr(GArray) differences = g_array_new(FALSE, FALSE, sizeof(int64_t));

    for (guint i = 1; i < rows->len; i++) {
        int64_t difference =
            g_array_index(rows, Row, i).time_us - g_array_index(rows, Row, i - 1).time_us;

        if (difference > 0) {
            g_array_append_val(differences, difference);
        }
    }
    if (differences->len == 0) {
        return 0;
    }
    g_array_sort(differences, compare_times);
    return g_array_index(differences, int64_t, differences->len / 2);
}

/* Values alone: one per step. */
static FsnSeries *
plain_series(GArray *rows, int64_t period_us)
{
    FsnSeries *series = fsn_series_new(0, period_us, rows->len);

    for (guint i = 0; i < rows->len; i++) {
        series->values[i] = g_array_index(rows, Row, i).value;
    }
    return series;
}

/* Each sorted row to its nearest step; those that meet are averaged. */
static FsnSeries *
grid_series(GArray *rows, int64_t period_us, FsnCsvFacts *facts)
{
    int64_t start_us = g_array_index(rows, Row, 0).time_us;
    int64_t span = g_array_index(rows, Row, rows->len - 1).time_us - start_us;
    FsnSeries *series = fsn_series_new(start_us, period_us,
                                       (size_t)((span + period_us / 2) / period_us) + 1);
    size_t slot = 0;
    double sum = 0;
    size_t count = 0;

    for (guint i = 0; i < rows->len; i++) {
        const Row *row = &g_array_index(rows, Row, i);
        size_t at = (size_t)((row->time_us - start_us + period_us / 2) / period_us);

        if (at != slot) {
            slot = at;
            sum = 0;
            count = 0;
        }
        if (!isnan(row->value)) {
            sum += row->value;
            facts->merged += count++ > 0;
            series->values[at] = sum / (double)count;
        }
    }
    return series;
}

static size_t
count_unsorted(GArray *rows)
{
    size_t n = 0;

    for (guint i = 1; i < rows->len; i++) {
        n +=
            g_array_index(rows, Row, i).time_us < g_array_index(rows, Row, i - 1).time_us;
    }
    return n;
}

static FsnSeries *
make_series(const Reader *reader, int64_t period_us, FsnCsvFacts *facts, GError **error)
{
    GArray *rows = reader->rows;
    int64_t span;

    if (reader->time_column < 0) {
        if (period_us <= 0) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                        "there are no times: say how far apart the values are");
            return NULL;
        }
        return plain_series(rows, period_us);
    }
    facts->unsorted = count_unsorted(rows);
    g_array_sort(rows, compare_rows);
    if (period_us <= 0) {
        period_us = usual_difference(rows);
    }
    if (period_us <= 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "all values are of one time: say how far apart they are");
        return NULL;
    }
    span = g_array_index(rows, Row, rows->len - 1).time_us -
           g_array_index(rows, Row, 0).time_us;
    if (span / period_us >= FSN_CSV_STEPS_MAX) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "the times span more than %d steps of %g s", FSN_CSV_STEPS_MAX,
                    (double)period_us / 1e6);
        return NULL;
    }
    return grid_series(rows, period_us, facts);
}

FsnSeries *
fsn_series_from_csv(const char *text,
                    size_t len,
                    int64_t period_us,
                    FsnCsvFacts *out_facts,
                    GError **error)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(Row));
    Reader reader = { .rows = rows };
    FsnCsvFacts facts = { 0 };
    FsnSeries *series;

    if (!read_rows(&reader, text, len, error)) {
        return NULL;
    }
    series = make_series(&reader, period_us, &facts, error);
    if (!series) {
        return NULL;
    }
    for (size_t i = 0; i < series->n; i++) {
        facts.unknown += isnan(series->values[i]);
    }
    facts.rows = rows->len;
    if (out_facts) {
        *out_facts = facts;
    }
    return series;
}
