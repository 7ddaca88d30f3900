/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Series out of rows of comma-separated values (models/csv.h): rows first, then a regular grid. Clocks that jump,
 * repeat an hour or stand still for days make gaps and averages, never a failure; what
 * cannot be read is an error that names the line.
 */
#include "models/series-csv.h"

#include "base/error.h"
#include "models/csv.h"

#include <math.h>
#include <string.h>

typedef struct {
    int64_t time_us;
    double value;
} Row;

typedef struct {
    FsnCsv csv;
    GArray *rows; /* Row */
    GTimeZone *utc;
    int time_column; /* -1: none */
    int value_column;
} Reader;

/* Finds the columns by the first row, which may be one of values instead of names. */
static bool
find_columns(Reader *reader, GError **error)
{
    static const char *const times[] = { "timestamp", "time", "date", NULL };
    static const char *const values[] = { "value", NULL };
    const GPtrArray *first = reader->csv.names;
    double ignored;

    reader->time_column = fsn_csv_column(&reader->csv, times);
    reader->value_column = fsn_csv_column(&reader->csv, values);
    if (reader->value_column < 0 && first->len <= 2) {
        /* Other names, or none. */
        reader->value_column = (int)first->len - 1;
        reader->time_column = first->len == 2 ? 0 : -1;
        if (fsn_csv_number(first->pdata[first->len - 1], FSN_CSV_VALUE_MAX, &ignored,
                           NULL)) {
            fsn_csv_without_names(&reader->csv);
        }
    }
    if (reader->value_column < 0) {
        return fsn_csv_refuse(&reader->csv,
                              "of several columns one must be named 'value'", error);
    }
    if (reader->time_column < 0 && first->len == 2) {
        reader->time_column = reader->value_column == 0 ? 1 : 0;
    }
    return true;
}

static bool
add_row(Reader *reader, GError **error)
{
    const FsnCsv *csv = &reader->csv;
    Row row = { 0 };
    bool is_day;

    if ((int)csv->given <= MAX(reader->value_column, reader->time_column)) {
        return fsn_csv_refuse(csv, "it has too few columns", error);
    }
    if (!fsn_csv_number(fsn_csv_field(csv, reader->value_column), FSN_CSV_VALUE_MAX,
                        &row.value, error) ||
        (reader->time_column >= 0 &&
         !fsn_csv_time(fsn_csv_field(csv, reader->time_column), reader->utc, &row.time_us,
                       &is_day, error))) {
        fsn_csv_prefix(csv, error);
        return false;
    }
    if (reader->rows->len == FSN_CSV_ROWS_MAX) {
        return fsn_csv_refuse(csv, "there are too many lines", error);
    }
    g_array_append_val(reader->rows, row);
    return true;
}

static bool
is_blank(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && g_ascii_isspace(text[i])) {
        i++;
    }
    return i == len;
}

static bool
read_rows(Reader *reader, const char *text, size_t len, GError **error)
{
    bool more = !is_blank(text, len);

    if (more && (!fsn_csv_begin(&reader->csv, text, len, error) ||
                 !find_columns(reader, error))) {
        return false;
    }
    while (more) {
        if (!fsn_csv_next(&reader->csv, &more, error) ||
            (more && !add_row(reader, error))) {
            return false;
        }
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
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    Reader reader = { .rows = rows, .utc = utc };
    FsnCsvFacts facts = { 0 };
    FsnSeries *series;
    bool ok = read_rows(&reader, text, len, error);

    fsn_csv_clear(&reader.csv);
    if (!ok) {
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
