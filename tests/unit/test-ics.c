/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calendars: recurrence, zones, exceptions, and rules that would not end. */
#include "calendar/ics.h"

#include "base/error.h"

#include <string.h>
#include <time.h>

#define HOUR_US ((int64_t)3600 * G_USEC_PER_SEC)
#define DAY_US  (24 * HOUR_US)

static int64_t
utc(const char *text)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);

    g_assert_nonnull(time);
    return g_date_time_to_unix(time) * G_USEC_PER_SEC;
}

/* The events of @body, inside a calendar, from 1 March to 1 June 2026, in Berlin. */
static FsnEvents *
parse(const char *body, const char *kind, size_t *out_skipped)
{
    g_autofree char *text = g_strconcat("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", body,
                                        "END:VCALENDAR\r\n", NULL);
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier("Europe/Berlin");
    g_autoptr(GError) error = NULL;
    FsnEvents *events = fsn_events_new();
    size_t skipped = 0;

    g_assert_nonnull(zone);
    bool ok = fsn_ics_parse(text, strlen(text), kind, zone, utc("2026-03-01T00:00:00Z"),
                            utc("2026-06-01T00:00:00Z"), events, &skipped, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    if (out_skipped) {
        *out_skipped = skipped;
    } else {
        g_assert_cmpuint(skipped, ==, 0);
    }
    return events;
}

#define EVENT(lines) "BEGIN:VEVENT\r\nUID:a\r\n" lines "END:VEVENT\r\n"

static void
assert_starts(const FsnEvents *events, const char *const *starts, size_t n)
{
    g_assert_cmpuint(fsn_events_count(events), ==, n);
    for (size_t i = 0; i < n; i++) {
        g_assert_cmpint(fsn_events_get(events, i)->start_us, ==, utc(starts[i]));
    }
}

static void
test_single(void)
{
    g_autoptr(FsnEvents) events =
        parse(EVENT("DTSTART:20260310T100000Z\r\nDTEND:20260310T113000Z\r\n"
                    "SUMMARY:Main\\, tenance\r\nCATEGORIES:Planned Work,x\r\n"),
              NULL, NULL);
    const FsnEvent *event = fsn_events_get(events, 0);

    g_assert_cmpuint(fsn_events_count(events), ==, 1);
    g_assert_cmpstr(event->name, ==, "Main, tenance");
    g_assert_cmpstr(event->kind, ==, "planned-work");
    g_assert_cmpint(event->start_us, ==, utc("2026-03-10T10:00:00Z"));
    g_assert_cmpint(event->end_us - event->start_us, ==, 90 * HOUR_US / 60);
}

/* 22:00 on the clock in Berlin, before and after the clocks go forward on 29 March. */
static void
test_zone(void)
{
    static const char *const starts[] = { "2026-03-22T21:00:00Z", "2026-03-29T20:00:00Z",
                                          "2026-04-05T20:00:00Z" };
    static const char rule[] = "RRULE:FREQ=WEEKLY;COUNT=3\r\nDURATION:PT2H\r\n";
    static const char *const begins[] = {
        "DTSTART;TZID=Europe/Berlin:20260322T220000\r\n", /* the system's zone */
        "DTSTART:20260322T220000\r\n",                    /* floating */
        "DTSTART;TZID=Own:20260322T220000\r\n",           /* the file's zone */
    };
    static const char own[] =
        "BEGIN:VTIMEZONE\r\nTZID:Own\r\n"
        "BEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\n"
        "TZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\n"
        "BEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\nTZOFFSETFROM:+0100\r\n"
        "TZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\n"
        "END:VTIMEZONE\r\n";

    for (size_t i = 0; i < G_N_ELEMENTS(begins); i++) {
        g_autofree char *body = g_strconcat(own, "BEGIN:VEVENT\r\nUID:a\r\n", begins[i],
                                            rule, "END:VEVENT\r\n", NULL);
        g_autoptr(FsnEvents) events = parse(body, "backup", NULL);

        assert_starts(events, starts, G_N_ELEMENTS(starts));
        g_assert_cmpstr(fsn_events_get(events, 0)->kind, ==, "backup");
        g_assert_cmpint(fsn_events_get(events, 1)->end_us -
                            fsn_events_get(events, 1)->start_us,
                        ==, 2 * HOUR_US);
    }
}

static void
test_whole_days(void)
{
    static const char *const starts[] = { "2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z",
                                          "2026-03-29T22:00:00Z" };
    g_autoptr(FsnEvents) events = parse(
        EVENT("DTSTART;VALUE=DATE:20260328\r\nRRULE:FREQ=DAILY;COUNT=3\r\n"), NULL, NULL);

    assert_starts(events, starts, 3);
    g_assert_cmpint(fsn_events_get(events, 1)->end_us, ==, utc("2026-03-29T22:00:00Z"));
}

/* The last day of each month but April's, one more in May; one that was moved, one that was
 * cancelled. */
static void
test_exceptions(void)
{
    static const char *const starts[] = { "2026-03-31T10:00:00Z", "2026-05-02T10:00:00Z",
                                          "2026-05-30T12:00:00Z" };
    g_autoptr(FsnEvents) events =
        parse(EVENT("DTSTART:20260131T100000Z\r\n"
                    "RRULE:FREQ=MONTHLY;BYMONTHDAY=-1;UNTIL=20260630T100000Z\r\n"
                    "EXDATE:20260430T100000Z\r\nRDATE:20260502T100000Z\r\n")
                  EVENT("RECURRENCE-ID:20260531T100000Z\r\nDTSTART:20260530T120000Z\r\n")
                      EVENT("DTSTART:20260401T000000Z\r\nSTATUS:CANCELLED\r\n"),
              NULL, NULL);

    assert_starts(events, starts, G_N_ELEMENTS(starts));
    g_assert_cmpint(fsn_events_get(events, 0)->end_us -
                        fsn_events_get(events, 0)->start_us,
                    ==, HOUR_US / 60);
}

/* Long under way, and far away. */
static void
test_range(void)
{
    g_autoptr(FsnEvents) events =
        parse(EVENT("DTSTART:20260101T000000Z\r\nDTEND:20260302T000000Z\r\n")
                  EVENT("DTSTART:20260901T000000Z\r\n")
                      EVENT("DTSTART:20250901T000000Z\r\nRRULE:FREQ=DAILY\r\n"),
              NULL, NULL);

    g_assert_cmpuint(fsn_events_count(events), ==, 1 + 31 + 30 + 31);
}

static void
test_unusable(void)
{
    static const char *const bodies[] = {
        EVENT("DTSTART:20260310T100000Z\r\nRRULE:FREQ=SECONDLY\r\n"),
        EVENT("DTSTART:20260310T100000Z\r\nRRULE:FREQ=MINUTELY;INTERVAL=5\r\n"),
        EVENT("DTSTART:19010101T100000Z\r\nRRULE:FREQ=HOURLY\r\n"),
        EVENT(
            "DTSTART:20260310T100000Z\r\nRRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30\r\n"),
        EVENT("DTSTART;TZID=No/Where:20260310T100000\r\n"),
        EVENT("SUMMARY:no start\r\n"),
        EVENT("DTSTART:2026\r\n"),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        size_t skipped;
        g_autoptr(FsnEvents) events = parse(bodies[i], NULL, &skipped);

        g_assert_cmpuint(skipped, ==, 1);
        g_assert_cmpuint(fsn_events_count(events), <=, 1);
    }
}

/* Thousands of rules that each have far to go share one allowance, of steps and of time. */
static void
test_bounded(void)
{
    static const char *const rules[] = {
        EVENT("DTSTART:19300101T100000Z\r\nRRULE:FREQ=DAILY\r\n"),
        EVENT("DTSTART:20260101T100000Z\r\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\r\n"),
    };

    for (size_t k = 0; k < G_N_ELEMENTS(rules); k++) {
        g_autoptr(GString) body = g_string_new(NULL);
        size_t skipped;

        for (int i = 0; i < 3000; i++) {
            g_string_append(body, rules[k]);
        }
        clock_t before = clock();
        g_autoptr(FsnEvents) events = parse(body->str, NULL, &skipped);

        g_assert_cmpuint(skipped, >, 1000);
        g_assert_cmpint((clock() - before) / CLOCKS_PER_SEC, <, 20);
    }
}

static void
test_refused(void)
{
    static const char *const texts[] = { "", "BEGIN:VCARD\r\nEND:VCARD\r\n",
                                         "start,end\n",
                                         "BEGIN:VCALENDAR\r\n\0END:VCALENDAR" };
    g_autoptr(GTimeZone) zone = g_time_zone_new_utc();

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(FsnEvents) events = fsn_events_new();
        size_t len = i == 3 ? 32 : strlen(texts[i]), skipped;

        g_assert_false(fsn_ics_parse(texts[i], len, NULL, zone, 0, DAY_US, events,
                                     &skipped, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ics/single", test_single);
    g_test_add_func("/ics/zone", test_zone);
    g_test_add_func("/ics/whole-days", test_whole_days);
    g_test_add_func("/ics/exceptions", test_exceptions);
    g_test_add_func("/ics/range", test_range);
    g_test_add_func("/ics/unusable", test_unusable);
    g_test_add_func("/ics/bounded", test_bounded);
    g_test_add_func("/ics/refused", test_refused);
    return g_test_run();
}
