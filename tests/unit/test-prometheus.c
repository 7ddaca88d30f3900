/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers of Prometheus to range queries. */
#include "models/prometheus-json.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

#define MINUTE_US ((int64_t)60 * G_USEC_PER_SEC)
#define ANSWER(result)                                                                \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[" result \
    "]}}"

static void
test_values(void)
{
    static const char text[] =
        ANSWER("{\"metric\":{},\"values\":[[60,\"1.5\"],[120.001,\"2\"],[180,\"NaN\"],"
               "[240,\"+Inf\"],[0,\"9\"],[9999,\"9\"]]}");
    g_autoptr(FsnSeries) series = fsn_series_new(MINUTE_US, MINUTE_US, 5);
    g_autoptr(GError) error = NULL;
    bool found = false;

    g_assert_true(fsn_prometheus_parse(text, strlen(text), series, &found, &error));
    g_assert_no_error(error);
    g_assert_true(found);
    g_assert_cmpfloat(series->values[0], ==, 1.5);
    g_assert_cmpfloat(series->values[1], ==, 2);
    for (size_t i = 2; i < 5; i++) {
        g_assert_true(isnan(series->values[i]));
    }
}

static void
test_none(void)
{
    static const char text[] = ANSWER("");
    g_autoptr(FsnSeries) series = fsn_series_new(0, MINUTE_US, 5);
    bool found = true;

    g_assert_true(fsn_prometheus_parse(text, strlen(text), series, &found, NULL));
    g_assert_false(found);
}

static void
test_refused(void)
{
    static const struct {
        const char *text;
        int code;
    } rows[] = {
        { "", FSN_ERROR_FORMAT },
        { "<html>", FSN_ERROR_FORMAT },
        { "{}", FSN_ERROR_FORMAT },
        { "{\"status\":\"error\",\"error\":\"bad query\"}", FSN_ERROR_FAILED },
        { "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}",
          FSN_ERROR_FORMAT },
        { ANSWER("{\"values\":[]},{\"values\":[]}"), FSN_ERROR_USAGE },
        { ANSWER("{\"values\":3}"), FSN_ERROR_FORMAT },
        { ANSWER("{\"values\":[[1]]}"), FSN_ERROR_FORMAT },
        { ANSWER("{\"values\":[[1,2]]}"), FSN_ERROR_FORMAT },
        { ANSWER("{\"values\":[[1,\"x\"]]}"), FSN_ERROR_FORMAT },
        { ANSWER("{\"values\":[[{},\"1\"]]}"), FSN_ERROR_FORMAT },
        { ANSWER("7"), FSN_ERROR_FORMAT },
    };

    for (size_t r = 0; r < G_N_ELEMENTS(rows); r++) {
        g_autoptr(FsnSeries) series = fsn_series_new(0, MINUTE_US, 5);
        g_autoptr(GError) error = NULL;
        bool found;

        g_assert_false(fsn_prometheus_parse(rows[r].text, strlen(rows[r].text), series,
                                            &found, &error));
        g_assert_error(error, FSN_ERROR, rows[r].code);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/prometheus/values", test_values);
    g_test_add_func("/prometheus/none", test_none);
    g_test_add_func("/prometheus/refused", test_refused);
    return g_test_run();
}
