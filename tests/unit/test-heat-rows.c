/* SPDX-License-Identifier: GPL-2.0-or-later */
/* heat/rows: how many there are, what merging leaves, clocks that jump, hostile JSON. */
#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "heat/heat.h"
#include "heat/rows.h"

#include <string.h>

#define SEC   ((int64_t)G_USEC_PER_SEC)
/* A multiple of the longest slot. */
#define BEGIN (FSN_HEAT_SLOT_MAX_US * 1000000)

static void
test_slots(void)
{
    g_autoptr(FsnHeatRows) rows = fsn_heat_rows_new(3);

    for (int i = 1; i <= 4; i++) {
        const double rates[] = { 100 * i, 0, -1 };

        fsn_heat_rows_add(rows, BEGIN + i * 5 * SEC, 5 * SEC, rates);
    }
    g_assert_cmpuint(fsn_heat_rows_count(rows), ==, 2);
    g_assert_cmpint(fsn_heat_rows_slot_us(rows), ==, 10 * SEC);
    g_assert_cmpint(fsn_heat_rows_start_us(rows, 0), ==, BEGIN);
    g_assert_cmpint(fsn_heat_rows_start_us(rows, 1), ==, BEGIN + 10 * SEC);
    g_assert_cmpfloat_with_epsilon(fsn_heat_rows_rate(rows, 0, 0), 150, 1e-6);
    g_assert_cmpfloat_with_epsilon(fsn_heat_rows_rate(rows, 1, 0), 350, 1e-6);
    g_assert_cmpfloat(fsn_heat_rows_rate(rows, 1, 1), ==, 0);
    g_assert_cmpfloat(fsn_heat_rows_rate(rows, 1, 2), <, 0);
}

/* A week of rounds: never too many, what is there is of the last day and more, and a constant
 * rate stays what it is. */
static void
test_week(void)
{
    g_autoptr(FsnHeatRows) rows = fsn_heat_rows_new(2);
    int64_t end_us = BEGIN + 7 * 86400 * SEC;
    guint most = 0;

    for (int64_t t = BEGIN + 10 * SEC; t <= end_us; t += 10 * SEC) {
        const double rates[] = { 4096, 0 };

        fsn_heat_rows_add(rows, t, 10 * SEC, rates);
        most = MAX(most, fsn_heat_rows_count(rows));
    }
    g_assert_cmpuint(most, ==, FSN_HEAT_ROWS);
    g_assert_cmpint(fsn_heat_rows_slot_us(rows), ==, FSN_HEAT_SLOT_MAX_US);
    g_assert_cmpuint(fsn_heat_rows_count(rows), ==, FSN_HEAT_ROWS);
    g_assert_cmpint(fsn_heat_rows_start_us(rows, 0), <, end_us - 86400 * SEC);
    for (guint i = 0; i < fsn_heat_rows_count(rows); i++) {
        g_assert_cmpfloat_with_epsilon(fsn_heat_rows_rate(rows, i, 0), 4096, 1e-3);
        g_assert_cmpfloat(fsn_heat_rows_rate(rows, i, 1), ==, 0);
    }
}

/* Time goes back to when there were rows already, and far ahead. */
static void
test_jumps(void)
{
    g_autoptr(FsnHeatRows) rows = fsn_heat_rows_new(1);
    const double rate = 7;

    for (int i = 1; i <= 20; i++) {
        fsn_heat_rows_add(rows, BEGIN + i * 10 * SEC, 10 * SEC, &rate);
    }
    fsn_heat_rows_add(rows, BEGIN + 50 * SEC, 10 * SEC, &rate);
    g_assert_cmpuint(fsn_heat_rows_count(rows), ==, 5);
    g_assert_cmpint(fsn_heat_rows_start_us(rows, 4), ==, BEGIN + 40 * SEC);
    fsn_heat_rows_add(rows, BEGIN + 365 * 86400 * SEC, 10 * SEC, &rate);
    g_assert_cmpuint(fsn_heat_rows_count(rows), ==, 6);
    fsn_heat_rows_add(rows, -5, 10 * SEC, &rate);
    fsn_heat_rows_add(rows, INT64_MAX, 10 * SEC, &rate);
    fsn_heat_rows_add(rows, BEGIN + 365 * 86400 * SEC, 0, &rate);
    g_assert_cmpuint(fsn_heat_rows_count(rows), ==, 6);
}

static void
test_round_trip(void)
{
    g_autoptr(FsnHeatRows) rows = fsn_heat_rows_new(2);
    g_autoptr(FsnHeatRows) back = NULL;
    g_autoptr(JsonObject) first = NULL;
    g_autoptr(JsonObject) second = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_autofree char *again = NULL;

    for (int i = 1; i <= 300; i++) {
        const double rates[] = { i % 7 ? 1000 * i : 0, i < 200 ? -1 : 5 };

        fsn_heat_rows_add(rows, BEGIN + i * 10 * SEC, 10 * SEC, rates);
    }
    first = fsn_heat_rows_to_json(rows);
    back = fsn_heat_rows_from_json(first, &error);
    g_assert_no_error(error);
    second = fsn_heat_rows_to_json(back);
    text = fsn_json_to_text(first, false);
    again = fsn_json_to_text(second, false);
    g_assert_cmpstr(text, ==, again);
    /* … and it goes on. */
    fsn_heat_rows_add(back, BEGIN + 3010 * SEC, 10 * SEC, (const double[]){ 1, 1 });
    g_assert_cmpuint(fsn_heat_rows_count(back), >=, fsn_heat_rows_count(rows));
}

static void
test_hostile(void)
{
    static const char *const texts[] = {
        "{}",
        "{\"slot_us\": 10000000, \"n_regions\": 1}",
        "{\"slot_us\": 10000001, \"n_regions\": 1, \"rows\": []}",
        "{\"slot_us\": 0, \"n_regions\": 1, \"rows\": []}",
        "{\"slot_us\": 10000000, \"n_regions\": 0, \"rows\": []}",
        "{\"slot_us\": 10000000, \"n_regions\": 129, \"rows\": []}",
        "{\"slot_us\": 10000000, \"n_regions\": 1, \"rows\": [1]}",
        "{\"slot_us\": 10000000, \"n_regions\": 1, \"rows\": [{}]}",
        "{\"slot_us\": 10000000, \"n_regions\": 1, \"rows\": [{\"start_us\": -1, "
        "\"known_us\": 1, \"bytes_per_s\": [1]}]}",
        "{\"slot_us\": 10000000, \"n_regions\": 1, \"rows\": [{\"start_us\": 1, "
        "\"known_us\": 1, \"bytes_per_s\": [1, 2]}]}",
        "{\"slot_us\": 10000000, \"n_regions\": 1, \"rows\": [{\"start_us\": 1, "
        "\"known_us\": 1, \"bytes_per_s\": [-1]}]}",
        "{\"slot_us\": 10000000, \"n_regions\": 1, \"rows\": [{\"start_us\": 1, "
        "\"known_us\": 1, \"bytes_per_s\": [1.5]}]}",
        "{\"slot_us\": 10000000, \"n_regions\": 1, \"rows\": [{\"start_us\": 1, "
        "\"known_us\": 1, \"bytes_per_s\": [[]]}]}",
        "{\"slot_us\": 10000000, \"n_regions\": 1, \"rows\": [{\"start_us\": 1, "
        "\"known_us\": 1, \"bytes_per_s\": [1]}, {\"start_us\": 2, \"known_us\": 1, "
        "\"bytes_per_s\": [1]}]}",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(JsonObject) object = NULL;
        g_autoptr(GError) error = NULL;

        g_test_message("%s", texts[i]);
        g_assert_true(fsn_json_parse_object(texts[i], strlen(texts[i]), 1 << 20, "rows",
                                            &object, NULL));
        g_assert_null(fsn_heat_rows_from_json(object, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/heat-rows/slots", test_slots);
    g_test_add_func("/heat-rows/week", test_week);
    g_test_add_func("/heat-rows/jumps", test_jumps);
    g_test_add_func("/heat-rows/round-trip", test_round_trip);
    g_test_add_func("/heat-rows/hostile", test_hostile);
    return g_test_run();
}
