/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policies/calendar.c: expressions and times that are and are not in them. */
#include "config.h"

#include "base/error.h"
#include "policies/calendar.h"

#include <string.h>

static GDateTime *
at(const char *text)
{
    g_autofree char *full = g_strconcat(text, ":00Z", NULL);
    GDateTime *time = g_date_time_new_from_iso8601(full, NULL);

    g_assert_nonnull(time);
    return time;
}

static void
test_matches(void)
{
    /* 2026-11-28 is a Saturday. */
    static const struct {
        const char *text;
        const char *time;
        bool matches;
    } cases[] = {
        { "hourly", "2026-11-28T13:00", true },
        { "hourly", "2026-11-28T13:01", false },
        { "daily", "2026-11-28T00:00", true },
        { "daily", "2026-11-28T01:00", false },
        { "weekly", "2026-11-30T00:00", true },
        { "weekly", "2026-11-29T00:00", false },
        { "monthly", "2026-12-01T00:00", true },
        { "monthly", "2026-12-02T00:00", false },
        { "02:30", "2026-11-28T02:30", true },
        { "Sat 02:30", "2026-11-28T02:30", true },
        { "mon..fri 02:30", "2026-11-28T02:30", false },
        { "Mon..Fri,Sat 02:30", "2026-11-28T02:30", true },
        { "*/6:15", "2026-11-28T18:15", true },
        { "*/6:15", "2026-11-28T17:15", false },
        { "8..18/2:00", "2026-11-28T10:00", true },
        { "8..18/2:00", "2026-11-28T20:00", false },
        { "*:5/20", "2026-11-28T20:45", true },
        { "*:0,30", "2026-11-28T20:30", true },
        { "11-28 20:30", "2026-11-28T20:30", true },
        { "2026-*-28 20:30", "2026-11-28T20:30", true },
        { "2027-*-28 20:30", "2026-11-28T20:30", false },
        { "2025..2027-11-1..28 20:30", "2026-11-28T20:30", true },
        { "Sun *-*-1..7 03:00", "2026-12-06T03:00", true },
        { "Sun *-*-1..7 03:00", "2026-12-13T03:00", false },
        { "  Sat   20:30 ", "2026-11-28T20:30", true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GDateTime) time = at(cases[i].time);
        g_autoptr(GError) error = NULL;
        FsnCalendar calendar;

        g_test_message("%s at %s", cases[i].text, cases[i].time);
        g_assert_true(fsn_calendar_parse(cases[i].text, &calendar, &error));
        g_assert_true(fsn_calendar_matches(&calendar, time) == cases[i].matches);
    }
}

static void
test_refused(void)
{
    static const char *const cases[] = {
        "",
        "noon",
        "24:00",
        "12:60",
        "12",
        "12:00:00",
        "Mon",
        "Mon 12:00 Tue",
        "Xyz 12:00",
        "13-01 00:00",
        "*-32 0:00",
        "1-0 0:00",
        "*/0:00",
        "5..3:00",
        "1,:00",
        "Fri..Mon 0:00",
        "1969-1-1 0:00",
        "2..:00",
        "99999:00",
        "1-1-1-1 0:00",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        FsnCalendar calendar;

        g_test_message("%s", cases[i]);
        g_assert_false(fsn_calendar_parse(cases[i], &calendar, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
}

static void
test_hours(void)
{
    static const struct {
        const char *text;
        const char *time;
        bool inside;
    } cases[] = {
        { "08:00-18:00", "2026-11-28T08:00", true },
        { "08:00-18:00", "2026-11-28T17:59", true },
        { "08:00-18:00", "2026-11-28T18:00", false },
        { "22:00-06:00", "2026-11-28T23:00", true },
        { "22:00-06:00", "2026-11-28T05:59", true },
        { "22:00-06:00", "2026-11-28T06:00", false },
        { "Sat 22:00-06:00", "2026-11-29T05:00", true },
        { "Sat 22:00-06:00", "2026-11-28T05:00", false },
        { "Mon..Fri 08:00-18:00", "2026-11-28T09:00", false },
        { "00:00-24:00", "2026-11-28T23:59", true },
    };

    static const char *const refused[] = { "",
                                           "08:00",
                                           "08:00-25:00",
                                           "8-18",
                                           "24:00-01:00",
                                           "08:00-18:00 Mon",
                                           "1:00-2:00-3:00" };
    FsnHours hours;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GDateTime) time = at(cases[i].time);
        g_autoptr(GError) error = NULL;

        g_test_message("%s at %s", cases[i].text, cases[i].time);
        g_assert_true(fsn_hours_parse(cases[i].text, &hours, &error));
        g_assert_true(fsn_hours_contain(&hours, time) == cases[i].inside);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_hours_parse(refused[i], &hours, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/calendar/matches", test_matches);
    g_test_add_func("/calendar/refused", test_refused);
    g_test_add_func("/calendar/hours", test_hours);
    return g_test_run();
}
