/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measurements out of a file that people or other programs have written, brought to regular
 * times.
 */
#include "models/idle-csv.h"

#include "base/error.h"
#include "models/csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 1e15

typedef struct {
    int64_t time_us;
    double value; /* NAN: not known */
    guint row;
} Point;

static int
by_time(const void *a, const void *b)
{
    const Point *x = a, *y = b;

    return x->time_us != y->time_us
               ? (x->time_us > y->time_us) - (x->time_us < y->time_us)
               : (x->row > y->row) - (x->row < y->row);
}

static bool
find_columns(const FsnCsv *csv, int *out_time, int *out_value, GError **error)
{
    static const char *const times[] = { "timestamp", "time", "start", NULL };
    static const char *const values[] = { "value", "mean", NULL };
    int time = fsn_csv_column(csv, times), value = fsn_csv_column(csv, values);

    if (value < 0 && time >= 0 && csv->names->len == 2) {
        value = 1 - time;
    }
    if (time < 0 || value < 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "there are no columns 'timestamp' and 'value'");
        return false;
    }
    *out_time = time;
    *out_value = value;
    return true;
}

static bool
read_points(FsnCsv *csv, int time, int value, GArray *points, GError **error)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    bool more, is_day;

    for (;;) {
        Point point = { .row = points->len };

        if (!fsn_csv_next(csv, &more, error)) {
            return false;
        }
        if (!more) {
            return true;
        }
        if (!fsn_csv_time(fsn_csv_field(csv, time), utc, &point.time_us, &is_day,
                          error) ||
            !fsn_csv_number(fsn_csv_field(csv, value), VALUE_MAX, &point.value, error)) {
            fsn_csv_prefix(csv, error);
            return false;
        }
        g_array_append_val(points, point);
    }
}

static int
by_size(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* The usual time between two points; 0 where there is only one. */
static int64_t
usual_distance(const GArray *points)
{
    g_autofree int64_t *apart = g_new(int64_t, MAX(points->len, 1));
    size_t n = 0;

    for (guint i = 1; i < points->len; i++) {
        int64_t distance_us = g_array_index(points, Point, i).time_us -
                              g_array_index(points, Point, i - 1).time_us;

        if (distance_us > 0) {
            apart[n++] = distance_us;
        }
    }
    qsort(apart, n, sizeof *apart, by_size);
    return n > 0 ? apart[n / 2] : 0;
}

static int64_t
step_of(int64_t time_us, int64_t step_us)
{
    return time_us / step_us - (time_us % step_us < 0);
}

/* Averages of ordered points; of those of one instant only the last counts. */
static void
fill(FsnSeries *series, const GArray *points)
{
    int64_t first = step_of(series->start_us, series->step_us);
    g_autofree unsigned *counts = g_new0(unsigned, series->n);

    for (guint i = 0; i < points->len; i++) {
        const Point *point = &g_array_index(points, Point, i);
        size_t k = (size_t)(step_of(point->time_us, series->step_us) - first);
        bool is_last = i + 1 == points->len ||
                       g_array_index(points, Point, i + 1).time_us != point->time_us;

        if (is_last && !isnan(point->value)) {
            series->values[k] =
                counts[k]++ ? series->values[k] + point->value : point->value;
        }
    }
    for (size_t k = 0; k < series->n; k++) {
        if (counts[k] > 1) {
            series->values[k] /= counts[k];
        }
    }
}

FsnSeries *
fsn_idle_parse_csv(const char *text, size_t len, int64_t step_us, GError **error)
{
    g_auto(FsnCsv) csv = { 0 };
    g_autoptr(GArray) points = g_array_new(FALSE, FALSE, sizeof(Point));
    int time, value;

    if (!fsn_csv_begin(&csv, text, len, error) ||
        !find_columns(&csv, &time, &value, error) ||
        !read_points(&csv, time, value, points, error)) {
        return NULL;
    }
    if (points->len == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "there are no values");
        return NULL;
    }
    qsort(points->data, points->len, sizeof(Point), by_time);
    int64_t first_us = g_array_index(points, Point, 0).time_us;
    int64_t last_us = g_array_index(points, Point, points->len - 1).time_us;
    int64_t first = step_of(first_us, step_us), last = step_of(last_us, step_us);
    int64_t distance_us = usual_distance(points);

    if (last - first >= FSN_IDLE_CSV_MAX) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "the values are spread over more than %d steps", FSN_IDLE_CSV_MAX);
        return NULL;
    }
    if (distance_us > step_us) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "a value each %" G_GINT64_FORMAT
                    " s is not enough: one each %" G_GINT64_FORMAT " s is needed",
                    distance_us / G_USEC_PER_SEC, step_us / G_USEC_PER_SEC);
        return NULL;
    }
    FsnSeries *series =
        fsn_series_new(first * step_us, step_us, (size_t)(last - first + 1));

    fill(series, points);
    return series;
}
