/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CSV in all shapes in which people have it, and in those that are refused. */
#include "base/error.h"
#include "models/series-csv.h"

#include <math.h>
#include <string.h>

#define SECOND_US ((int64_t)G_USEC_PER_SEC)
#define HOUR_US   (3600 * SECOND_US)

static FsnSeries *
read_csv(const char *text, int64_t period_us, FsnCsvFacts *facts)
{
    g_autoptr(GError) error = NULL;
    FsnSeries *series = fsn_series_from_csv(text, strlen(text), period_us, facts, &error);

    g_assert_no_error(error);
    return series;
}

/* The same two hours in each form of time. */
static void
test_times(void)
{
    static const char *const texts[] = {
        "timestamp,value\n2020-01-06T00:00:00Z,1\n2020-01-06T01:00:00Z,2\n",
        "2020-01-06 00:00:00,1\n2020-01-06 01:00:00,2",
        "2020-01-06 00:00,1\r\n2020-01-06 01:00,2\r\n\r\n",
        "when,load\n2020-01-06T02:00:00+02:00,1\n2020-01-06T03:00:00+02:00,2\n",
        "1578268800,1\n1578272400,2\n",
        "1578268800000,1\n1578272400000,2\n",
        "1578268800000000,1\n1578272400000000,2\n",
        "value,host,time\n1,a,2020-01-06T00:00:00Z\n2,b,2020-01-06T01:00:00Z\n",
        "\"timestamp\",\"value\"\n\"2020-01-06T00:00:00Z\",\"1\"\n1578272400 , 2\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(FsnSeries) series = read_csv(texts[i], 0, NULL);

        g_assert_cmpint(series->start_us, ==, 1578268800 * SECOND_US);
        g_assert_cmpint(series->step_us, ==, HOUR_US);
        g_assert_cmpuint(series->n, ==, 2);
        g_assert_cmpfloat(series->values[0], ==, 1);
        g_assert_cmpfloat(series->values[1], ==, 2);
    }
}

static void
test_values_alone(void)
{
    FsnCsvFacts facts;
    g_autoptr(FsnSeries) series = read_csv("cpu\n1\nNaN\n-3e2\n", HOUR_US, &facts);

    g_assert_cmpuint(series->n, ==, 3);
    g_assert_true(isnan(series->values[1]));
    g_assert_cmpfloat(series->values[2], ==, -300);
    g_assert_cmpuint(facts.unknown, ==, 1);
}

/* Unsorted, duplicated, off the grid, with a gap. */
static void
test_irregular(void)
{
    FsnCsvFacts facts;
    g_autoptr(FsnSeries) series = read_csv("7200,4\n0,1\n3590,2\n3600,3\n10801,5\n"
                                           "14400,na\n21600,7\n",
                                           0, &facts);

    g_assert_cmpint(series->step_us, ==, HOUR_US);
    g_assert_cmpuint(series->n, ==, 7);
    g_assert_cmpfloat(series->values[0], ==, 1);
    g_assert_cmpfloat(series->values[1], ==, 2.5);
    g_assert_cmpfloat(series->values[2], ==, 4);
    g_assert_cmpfloat(series->values[3], ==, 5);
    g_assert_true(isnan(series->values[4]));
    g_assert_true(isnan(series->values[5]));
    g_assert_cmpfloat(series->values[6], ==, 7);
    g_assert_cmpuint(facts.unsorted, ==, 1);
    g_assert_cmpuint(facts.merged, ==, 1);
    g_assert_cmpuint(facts.unknown, ==, 2);
}

/* A local clock that repeats an hour in autumn and leaves one out in spring. */
static void
test_daylight_saving(void)
{
    GString *text = g_string_new(NULL);
    FsnCsvFacts facts;

    for (int hour = 0; hour < 24; hour++) {
        g_string_append_printf(text, "2023-10-29 %02d:00:00,1\n", hour);
        if (hour == 2) {
            g_string_append(text, "2023-10-29 02:00:00,3\n");
        }
    }
    g_autoptr(FsnSeries) autumn = read_csv(text->str, 0, &facts);
    g_assert_cmpuint(autumn->n, ==, 24);
    g_assert_cmpfloat(autumn->values[2], ==, 2);
    g_assert_cmpuint(facts.merged, ==, 1);

    g_string_truncate(text, 0);
    for (int hour = 0; hour < 24; hour++) {
        if (hour != 2) {
            g_string_append_printf(text, "2024-03-31 %02d:00:00,1\n", hour);
        }
    }
    g_autoptr(FsnSeries) spring = read_csv(text->str, 0, &facts);
    g_assert_cmpuint(spring->n, ==, 24);
    g_assert_true(isnan(spring->values[2]));
    g_string_free(text, TRUE);
}

static void
test_refused(void)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        { "", "no values" },
        { "timestamp,value\n", "no values" },
        { "1\n2\n", "no times" },
        { "5,1\n5,2\n", "one time" },
        { "a,b,c\n1,2,3\n", "named 'value'" },
        { "timestamp,value\n0,1\n3600\n", "line 3" },
        { "timestamp,value\nyesterday,1\n", "line 2" },
        { "0,1\n3600,two\n", "line 2" },
        { "0,1\n3600,inf\n", "line 2" },
        { "0,1\n3600,1e31\n", "line 2" },
        { "0,1\n1,2\n2,3\n5000000000,4\n", "span more than" },
        { "timestamp,value\n1e300,1\n", "line 2" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(
            fsn_series_from_csv(cases[i].text, strlen(cases[i].text), 0, NULL, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].message));
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(fsn_series_from_csv("1\0002\n", 4, HOUR_US, NULL, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/series-csv/times", test_times);
    g_test_add_func("/series-csv/values-alone", test_values_alone);
    g_test_add_func("/series-csv/irregular", test_irregular);
    g_test_add_func("/series-csv/daylight-saving", test_daylight_saving);
    g_test_add_func("/series-csv/refused", test_refused);
    return g_test_run();
}
