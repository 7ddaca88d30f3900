/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Known external events: order, bounds, coverage. */
#include "models/events.h"

#include "base/error.h"

#include <string.h>

#define HOUR_US (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)

static void
add(FsnEvents *events, int64_t from_h, int64_t to_h, const char *kind, const char *name)
{
    g_autoptr(GError) error = NULL;
    bool ok =
        fsn_events_add(events, from_h * HOUR_US, to_h * HOUR_US, kind, name, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
}

/* 10–12 backup, 11–14 holiday, 13–15 backup, 20–21 backup, whatever the order of adding. */
static FsnEvents *
example(void)
{
    FsnEvents *events = fsn_events_new();

    add(events, 20, 21, "backup", "late");
    add(events, 10, 12, "backup", "early");
    add(events, 13, 15, "backup", "middle");
    add(events, 11, 14, "holiday", "");
    add(events, 13, 15, "backup", "middle");
    return events;
}

static void
test_order(void)
{
    static const int starts[] = { 10, 11, 13, 20 };
    g_autoptr(FsnEvents) events = example();
    g_auto(GStrv) kinds = fsn_events_kinds(events);

    g_assert_cmpuint(fsn_events_count(events), ==, G_N_ELEMENTS(starts));
    for (size_t i = 0; i < G_N_ELEMENTS(starts); i++) {
        g_assert_cmpint(fsn_events_get(events, i)->start_us, ==, starts[i] * HOUR_US);
    }
    g_assert_cmpuint(g_strv_length(kinds), ==, 2);
    g_assert_cmpstr(kinds[0], ==, "backup");
    g_assert_cmpstr(kinds[1], ==, "holiday");
}

static void
test_coverage(void)
{
    static const struct {
        const char *kind;
        int from_h, to_h;
        double wanted;
    } rows[] = {
        { NULL, 0, 10, 0 },        { NULL, 10, 20, .5 },    { "backup", 10, 20, .4 },
        { "holiday", 12, 16, .5 }, { "holiday", 0, 11, 0 }, { NULL, 11, 13, 1 },
        { NULL, 14, 14, 0 },       { "else", 0, 99, 0 },    { NULL, 20, 24, .25 },
    };

    g_autoptr(FsnEvents) events = example();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpfloat_with_epsilon(fsn_events_coverage(events, rows[i].kind,
                                                           rows[i].from_h * HOUR_US,
                                                           rows[i].to_h * HOUR_US),
                                       rows[i].wanted, 1e-12);
    }
}

/* The column says what coverage says of each step. */
static void
test_column(void)
{
    static const char *const kinds[] = { NULL, "backup", "holiday", "else" };
    g_autoptr(FsnEvents) events = example();
    double column[40];

    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
        for (int64_t start_us = 0; start_us < 14 * HOUR_US; start_us += HOUR_US / 4) {
            int64_t step_us = HOUR_US * 7 / 10;

            fsn_events_column(events, kinds[k], start_us, step_us, 40, column);
            for (int i = 0; i < 40; i++) {
                int64_t from_us = start_us + i * step_us;

                g_assert_cmpfloat_with_epsilon(
                    column[i],
                    fsn_events_coverage(events, kinds[k], from_us, from_us + step_us),
                    1e-9);
            }
        }
    }
}

static void
test_lookup(void)
{
    g_autoptr(FsnEvents) events = example();

    g_assert_cmpstr(fsn_events_next(events, NULL, 0)->name, ==, "early");
    g_assert_cmpstr(fsn_events_next(events, "backup", 11 * HOUR_US)->name, ==, "middle");
    g_assert_cmpstr(fsn_events_next(events, NULL, 20 * HOUR_US)->name, ==, "late");
    g_assert_null(fsn_events_next(events, NULL, 21 * HOUR_US));
    g_assert_null(fsn_events_at(events, NULL, 9 * HOUR_US));
    g_assert_null(fsn_events_at(events, "holiday", 14 * HOUR_US));
    g_assert_cmpstr(fsn_events_at(events, NULL, 11 * HOUR_US)->kind, ==, "holiday");
    g_assert_cmpstr(fsn_events_at(events, "backup", 11 * HOUR_US)->name, ==, "early");
    g_assert_null(fsn_events_at(events, NULL, G_MININT64));
}

static void
test_refused(void)
{
    static const struct {
        int64_t start_us, end_us;
        const char *kind;
        const char *text;
    } rows[] = {
        { 1, 1, "event", "does not end after" },
        { 2, 1, "event", "does not end after" },
        { G_MININT64, 1, "event", "outside the years" },
        { 1, G_MAXINT64, "event", "outside the years" },
        { 1, 2, "", "no kind of event" },
        { 1, 2, "Holiday", "no kind of event" },
        { 1, 2, "9am", "no kind of event" },
        { 1, 2, "a23456789012345678901234567890123", "no kind of event" },
        { 1, 2, "caf\xc3", "no kind of event" },
    };

    g_autoptr(FsnEvents) events = fsn_events_new();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_events_add(events, rows[i].start_us, rows[i].end_us,
                                      rows[i].kind, NULL, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_nonnull(strstr(error->message, rows[i].text));
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
    }
    g_assert_cmpuint(fsn_events_count(events), ==, 0);
}

static void
test_names(void)
{
    g_autoptr(FsnEvents) events = fsn_events_new();
    g_autofree char *lengthy = g_strnfill(1000, 'x');

    add(events, 1, 2, NULL, "a\tb\x1b[1m\xff");
    add(events, 2, 3, NULL, lengthy);
    add(events, 3, 4, NULL, NULL);
    g_assert_cmpstr(fsn_events_get(events, 0)->name, ==, "a b [1m\xef\xbf\xbd");
    g_assert_cmpstr(fsn_events_get(events, 0)->kind, ==, "event");
    g_assert_cmpuint(strlen(fsn_events_get(events, 1)->name), ==, FSN_EVENT_NAME_MAX);
    g_assert_cmpstr(fsn_events_get(events, 2)->name, ==, "");
}

static void
test_merge_and_full(void)
{
    g_autoptr(FsnEvents) events = fsn_events_new();
    g_autoptr(FsnEvents) more = example();
    g_autoptr(GError) error = NULL;

    for (int64_t i = FSN_EVENTS_MAX - 4; i > 0; i--) {
        add(events, 100 + i, 101 + i, NULL, NULL);
    }
    bool ok = fsn_events_merge(events, more, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    g_assert_cmpuint(fsn_events_count(events), ==, FSN_EVENTS_MAX);
    g_assert_cmpstr(fsn_events_get(events, 0)->name, ==, "early");
    g_assert_false(fsn_events_add(events, 1, 2, NULL, NULL, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/events/order", test_order);
    g_test_add_func("/events/coverage", test_coverage);
    g_test_add_func("/events/column", test_column);
    g_test_add_func("/events/lookup", test_lookup);
    g_test_add_func("/events/refused", test_refused);
    g_test_add_func("/events/names", test_names);
    g_test_add_func("/events/merge", test_merge_and_full);
    return g_test_run();
}
