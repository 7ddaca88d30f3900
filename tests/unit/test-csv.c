/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Comma-separated values: rows, times, events and series out of them, good and bad. */
#include "models/csv.h"

#include "base/error.h"
#include "models/events-csv.h"
#include "models/idle-csv.h"

#include <math.h>
#include <string.h>

#define SECOND_US ((int64_t)G_USEC_PER_SEC)
#define STEP_US   (300 * SECOND_US)
#define DAY_US    (86400 * SECOND_US)

static void
test_rows(void)
{
    static const char text[] = "\xef\xbb\xbf"
                               "A, b ,c\r\n1,\"x, \"\"y\"\"\",3\n\n4\r\n\"two\nlines\",,";
    g_auto(FsnCsv) csv = { 0 };
    bool more;

    g_assert_true(fsn_csv_begin(&csv, text, strlen(text), NULL));
    g_assert_cmpint(fsn_csv_column(&csv, (const char *const[]){ "z", "b", NULL }), ==, 1);
    g_assert_cmpint(fsn_csv_column(&csv, (const char *const[]){ "z", NULL }), ==, -1);
    g_assert_true(fsn_csv_next(&csv, &more, NULL) && more);
    g_assert_cmpstr(fsn_csv_field(&csv, 1), ==, "x, \"y\"");
    g_assert_cmpstr(fsn_csv_field(&csv, -1), ==, "");
    g_assert_true(fsn_csv_next(&csv, &more, NULL) && more);
    g_assert_cmpstr(fsn_csv_field(&csv, 0), ==, "4");
    g_assert_cmpstr(fsn_csv_field(&csv, 2), ==, "");
    g_assert_true(fsn_csv_next(&csv, &more, NULL) && more);
    g_assert_cmpstr(fsn_csv_field(&csv, 0), ==, "two\nlines");
    g_assert_true(fsn_csv_next(&csv, &more, NULL) && !more);
}

static void
test_times(void)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: refused */
        bool is_day;
    } rows[] = {
        { "1970-01-02T00:00:00Z", 86400, false },
        { "1970-01-02 00:00:00", 82800, false },
        { "1970-01-02T01:00:00+01:00", 86400, false },
        { "86400", 86400, false },
        { "86400.5", 86400, false },
        { "1970-01-02", 82800, true },
        { "1970-02-30", -1, false },
        { "", -1, false },
        { "yesterday", -1, false },
        { "1e300", -1, false },
        { "nan", -1, false },
        { "1970-01-02x", -1, false },
        { "70-1-2", -1, false },
    };

    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier("+01:00");

    for (size_t r = 0; r < G_N_ELEMENTS(rows); r++) {
        g_autoptr(GError) error = NULL;
        int64_t time_us;
        bool is_day;
        bool ok = fsn_csv_time(rows[r].text, zone, &time_us, &is_day, &error);

        g_assert_cmpint(ok, ==, rows[r].seconds >= 0);
        if (ok) {
            g_assert_cmpint(time_us / SECOND_US, ==, rows[r].seconds);
            g_assert_cmpint(is_day, ==, rows[r].is_day);
        } else {
            g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        }
    }
}

static void
test_events(void)
{
    static const char text[] = "name,start,end,kind\n"
                               "a,2026-03-28,2026-03-29,holiday\n" /* the 29th has 23 h */
                               "b,2026-01-05T10:00:00Z,,\n"
                               "\"c, d\",2026-01-05T10:00:00Z,2026-01-05T10:30:00Z,\n";
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier("Europe/Berlin");
    g_autoptr(FsnEvents) events = fsn_events_new();
    g_autoptr(GError) error = NULL;

    if (!zone) {
        g_test_skip("there is no time zone data");
        return;
    }
    bool ok = fsn_events_parse_csv(text, strlen(text), "work", zone, events, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    g_assert_cmpuint(fsn_events_count(events), ==, 3);
    const FsnEvent *c = fsn_events_get(events, 0), *b = fsn_events_get(events, 1);
    const FsnEvent *a = fsn_events_get(events, 2);

    g_assert_cmpstr(c->name, ==, "c, d");
    g_assert_cmpstr(c->kind, ==, "work");
    g_assert_cmpint(c->end_us - c->start_us, ==, 1800 * SECOND_US);
    g_assert_cmpint(b->end_us - b->start_us, ==, 3600 * SECOND_US);
    g_assert_cmpstr(a->kind, ==, "holiday");
    g_assert_cmpint(a->end_us - a->start_us, ==, 47 * 3600 * SECOND_US);
    g_assert_cmpint(a->start_us % DAY_US, ==, 23 * 3600 * SECOND_US);
}

static void
test_events_refused(void)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        { "", "names of the columns" },
        { "begin,end\n", "no column 'start'" },
        { "start\nsoon\n", "line 2: 'soon' is no time" },
        { "start,end\n2026-01-02,2026-01-01\n", "line 2: an event does not end" },
        { "start,kind\n2026-01-02,No!\n", "line 2: 'No!' is no kind" },
        { "start\n2026-01-02,x\n", "line 2: there are more fields" },
        { "start\n\"2026-01-02\n", "line 2: a quote is not closed" },
        { "start\n\"2026-01-02\"x\n", "line 2: something follows" },
        { "start\n\xff\n", "line 2: this is not UTF-8" },
        { "start\n9999-01-02\n", "line 2: the time of an event" },
    };

    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();

    for (size_t r = 0; r < G_N_ELEMENTS(rows); r++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(FsnEvents) events = fsn_events_new();

        g_assert_false(fsn_events_parse_csv(rows[r].text, strlen(rows[r].text), NULL, utc,
                                            events, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        if (!strstr(error->message, rows[r].message)) {
            g_error("'%s' instead of '%s'", error->message, rows[r].message);
        }
        g_assert_cmpuint(fsn_events_count(events), ==, 0);
    }
}

/* Out of order, doubled, with a hole, two in a step, one of them unknown. */
static void
test_series(void)
{
    static const char text[] = "timestamp,cpu_percent\n"
                               "1970-01-01T00:20:00Z,9\n"
                               "1970-01-01T00:00:00Z,1\n"
                               "1970-01-01T00:02:30Z,3\n"
                               "600,7\n600,5\n"
                               "700,\n"
                               "1970-01-01T00:05:00Z,nan\n";
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnSeries) series = fsn_idle_parse_csv(text, strlen(text), STEP_US, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(series->n, ==, 5);
    g_assert_cmpint(series->start_us, ==, 0);
    g_assert_cmpfloat(series->values[0], ==, 2);
    g_assert_true(isnan(series->values[1]));
    g_assert_cmpfloat(series->values[2], ==, 5);
    g_assert_true(isnan(series->values[3]));
    g_assert_cmpfloat(series->values[4], ==, 9);
}

static void
test_series_refused(void)
{
    static const struct {
        const char *text;
        int code;
    } rows[] = {
        { "", FSN_ERROR_FORMAT },
        { "timestamp,value\n", FSN_ERROR_FORMAT },
        { "a,b\n1,2\n", FSN_ERROR_FORMAT },
        { "timestamp,a,b\n1,2,3\n", FSN_ERROR_FORMAT },
        { "timestamp,value\n1,two\n", FSN_ERROR_FORMAT },
        { "timestamp,value\n1,inf\n", FSN_ERROR_FORMAT },
        { "timestamp,value\n1,-1e200\n", FSN_ERROR_FORMAT },
        { "timestamp,value\n0,1\n99999999999,2\n", FSN_ERROR_FORMAT },
        { "timestamp,value\n0,1\n3600,2\n7200,2\n", FSN_ERROR_UNSUPPORTED },
    };

    for (size_t r = 0; r < G_N_ELEMENTS(rows); r++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(
            fsn_idle_parse_csv(rows[r].text, strlen(rows[r].text), STEP_US, &error));
        g_assert_error(error, FSN_ERROR, rows[r].code);
    }
}

/* Before 1970 steps still begin at multiples of the step. */
static void
test_series_negative(void)
{
    static const char text[] = "timestamp,value\n-1,4\n1,6\n";
    g_autoptr(FsnSeries) series = fsn_idle_parse_csv(text, strlen(text), STEP_US, NULL);

    g_assert_cmpuint(series->n, ==, 2);
    g_assert_cmpint(series->start_us, ==, -STEP_US);
    g_assert_cmpfloat(series->values[0], ==, 4);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/csv/rows", test_rows);
    g_test_add_func("/csv/times", test_times);
    g_test_add_func("/csv/events", test_events);
    g_test_add_func("/csv/events-refused", test_events_refused);
    g_test_add_func("/csv/series", test_series);
    g_test_add_func("/csv/series-refused", test_series_refused);
    g_test_add_func("/csv/series-negative", test_series_negative);
    return g_test_run();
}
