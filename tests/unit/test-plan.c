/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policies/plan.c and calendar-times.c: what is due, what is missed and made up for, what
 * clocks do, and what holds whatever the schedule. */
#include "config.h"

#include "policies/calendar-times.h"
#include "policies/plan.h"

#include <math.h>
#include <string.h>

#define BERLIN "Europe/Berlin"
#define MINUTE ((int64_t)60 * G_USEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define MIB    ((uint64_t)1 << 20)

/* "2026-11-28T20:30Z" */
static int64_t
instant(const char *text)
{
    g_autofree char *full = g_strdup_printf("%.16s:00%s", text, text + 16);
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(full, NULL);

    g_assert_nonnull(time);
    return g_date_time_to_unix(time) * G_USEC_PER_SEC;
}

static void
test_times(void)
{
    /* In Berlin the clock jumps from 02:00 to 03:00 on 2026-03-29 (01:00Z), and from 03:00
     * back to 02:00 on 2026-10-25 (01:00Z). */
    static const struct {
        const char *text;
        const char *zone;
        const char *from, *to;
        const char *expected[8];
    } cases[] = {
        { "daily",
          "UTC",
          "2026-11-27T00:00Z",
          "2026-11-29T00:00Z",
          { "2026-11-28T00:00Z", "2026-11-29T00:00Z" } },
        { "daily",
          BERLIN,
          "2026-11-27T12:00Z",
          "2026-11-28T12:00Z",
          { "2026-11-27T23:00Z" } },
        { "02-30 00:00", "UTC", "2026-01-01T00:00Z", "2026-12-31T00:00Z", { NULL } },
        { "02-29 12:00",
          "UTC",
          "2027-12-01T00:00Z",
          "2028-12-01T00:00Z",
          { "2028-02-29T12:00Z" } },
        /* A time that does not exist: when the clock has jumped. */
        { "02:30",
          BERLIN,
          "2026-03-28T12:00Z",
          "2026-03-29T12:00Z",
          { "2026-03-29T01:00Z" } },
        { "2:0,15,30",
          BERLIN,
          "2026-03-28T12:00Z",
          "2026-03-29T12:00Z",
          { "2026-03-29T01:00Z" } },
        { "*:30",
          BERLIN,
          "2026-03-29T00:00Z",
          "2026-03-29T02:00Z",
          { "2026-03-29T00:30Z", "2026-03-29T01:30Z" } },
        /* One that is there twice: the first time; but every hour is every hour. */
        { "02:30",
          BERLIN,
          "2026-10-24T12:00Z",
          "2026-10-25T12:00Z",
          { "2026-10-25T00:30Z" } },
        { "*:30",
          BERLIN,
          "2026-10-25T00:00Z",
          "2026-10-25T03:00Z",
          { "2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-25T02:30Z" } },
        /* A day that a country left out: Samoa, 2011-12-30. */
        { "12-30 12:00",
          "Pacific/Apia",
          "2011-12-01T00:00Z",
          "2012-01-31T00:00Z",
          { "2011-12-30T10:00Z" } },
        /* Midnight does not exist: Beirut, 2021-03-28. */
        { "daily",
          "Asia/Beirut",
          "2021-03-27T12:00Z",
          "2021-03-29T12:00Z",
          { "2021-03-27T22:00Z", "2021-03-28T21:00Z" } },
        /* From is not in it, to is. */
        { "12:00",
          "UTC",
          "2026-11-27T12:00Z",
          "2026-11-28T12:00Z",
          { "2026-11-28T12:00Z" } },
        { "12:00", "UTC", "2026-11-28T12:00Z", "2026-11-27T12:00Z", { NULL } },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(cases[i].zone);
        g_autoptr(GArray) times = NULL;
        FsnCalendar calendar;
        guint n = 0;

        g_test_message("%s from %s in %s", cases[i].text, cases[i].from, cases[i].zone);
        g_assert_nonnull(zone);
        g_assert_true(fsn_calendar_parse(cases[i].text, &calendar, NULL));
        times = fsn_calendar_between(&calendar, 1, zone, instant(cases[i].from),
                                     instant(cases[i].to));
        for (; cases[i].expected[n]; n++) {
            g_assert_cmpuint(times->len, >, n);
            g_assert_cmpint(g_array_index(times, int64_t, n), ==,
                            instant(cases[i].expected[n]));
        }
        g_assert_cmpuint(times->len, ==, n);
    }
}

/* Beside every change of a zone the times agree with what each minute's clock shows. */
static void
test_times_by_minute(void)
{
    static const char *const texts[] = { "*:*/7", "*/3:10", "Sun 0..5:30",
                                         "*-*-25..31 2:59" };
    static const char *const starts[] = { "2026-03-28T00:00Z", "2026-10-24T00:00Z" };
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(BERLIN);

    for (size_t i = 0; i < G_N_ELEMENTS(texts) * G_N_ELEMENTS(starts); i++) {
        int64_t from_us = instant(starts[i % 2]);
        g_autoptr(GArray) times = NULL;
        g_autoptr(GHashTable) shown =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        FsnCalendar calendar;
        guint n = 0;

        g_assert_true(fsn_calendar_parse(texts[i / 2], &calendar, NULL));
        times = fsn_calendar_between(&calendar, 1, zone, from_us, from_us + 72 * HOUR);
        for (int64_t t = from_us + MINUTE; t <= from_us + 72 * HOUR; t += MINUTE) {
            g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(t / G_USEC_PER_SEC);
            g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, zone);
            bool again = !g_hash_table_add(shown, g_date_time_format(local, "%F %H:%M"));
            bool here = n < times->len && g_array_index(times, int64_t, n) == t;
            bool matches = fsn_calendar_matches(&calendar, local);

            if (calendar.hours == 0xffffff) {
                g_assert_true(here == matches);
            } else if (matches) {
                g_assert_true(here == !again);
            } else if (here) { /* only where a time was skipped */
                g_autofree char *clock = g_date_time_format(local, "%F %H:%M");

                g_assert_cmpstr(clock, ==, "2026-03-29 03:00");
            }
            n += here;
        }
        g_assert_cmpuint(n, ==, times->len);
    }
}

typedef struct {
    FsnSchedule schedule;
    FsnPlanInput input;
} Fixture;

static void
fixture_clear(Fixture *f)
{
    fsn_schedule_clear(&f->schedule);
    g_clear_pointer(&f->input.zone, g_time_zone_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static Fixture
fixture(const char *when, const char *quiet, const char *zone, const char *now)
{
    g_autoptr(FsnProfileSet) set = fsn_profile_set_new();
    FsnProfileFile *file = fsn_profile_file_new("p", "p", FSN_PROFILE_USER);
    g_autoptr(FsnProfile) profile = NULL;
    g_autoptr(GError) error = NULL;
    Fixture f = { 0 };

    fsn_profile_file_set(file, 0, "schedule.when", when);
    fsn_profile_file_set(file, 0, "schedule.quiet", quiet);
    fsn_profile_set_add(set, file);
    profile = fsn_profile_set_resolve(set, "p", &error);
    g_assert_no_error(error);
    fsn_schedule_of_profile(profile, &f.schedule);
    f.input = (FsnPlanInput){ .now_us = instant(now),
                              .until_us = instant(now) + 24 * HOUR,
                              .zone = g_time_zone_new_identifier(zone),
                              .handled_us = instant(now),
                              .changed = UINT64_MAX };
    return f;
}

/* "due 2026-… calendar; …" */
static char *
plan_text(const Fixture *f)
{
    g_autoptr(GArray) items = fsn_plan(&f->schedule, &f->input);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < items->len; i++) {
        const FsnPlanItem *item = &g_array_index(items, FsnPlanItem, i);
        g_autoptr(GDateTime) time =
            g_date_time_new_from_unix_utc(item->at_us / G_USEC_PER_SEC);
        g_autofree char *clock = g_date_time_format(time, "%dT%H:%M");

        g_test_message("%s: %s", clock, item->reason);
        g_assert_cmpuint(strlen(item->reason), >, 0);
        g_string_append_printf(text, "%s%s %s %s", i ? "; " : "",
                               fsn_plan_state_name(item->state), clock,
                               fsn_plan_trigger_name(item->triggers));
    }
    return g_string_free(text, FALSE);
}

#define ASSERT_PLAN(f, expected)                \
    do {                                        \
        g_autofree char *text_ = plan_text(f);  \
                                                \
        g_assert_cmpstr(text_, ==, (expected)); \
    } while (0)

static void
test_calendar(void)
{
    g_auto(Fixture) f = fixture("*/8:00", "", "UTC", "2026-11-28T12:00Z");
    g_auto(Fixture) none = fixture("", "", "UTC", "2026-11-28T12:00Z");

    ASSERT_PLAN(&f, "planned 28T16:00 calendar; planned 29T00:00 calendar; "
                    "planned 29T08:00 calendar");
    ASSERT_PLAN(&none, "");
    g_assert_true(fsn_schedule_is_set(&f.schedule));
    g_assert_false(fsn_schedule_is_set(&none.schedule));
}

/* The host was off: one snapshot makes up for all, and one that was taken does so too. */
static void
test_missed(void)
{
    g_auto(Fixture) f = fixture("*/8:00", "", "UTC", "2026-11-28T12:00Z");
    g_autoptr(GArray) items = NULL;

    f.input.until_us = f.input.now_us + 4 * HOUR;
    f.input.handled_us = instant("2026-11-20T00:00Z");
    ASSERT_PLAN(&f, "due 28T12:00 calendar; planned 28T16:00 calendar");
    items = fsn_plan(&f.schedule, &f.input);
    g_assert_cmpstr(fsn_plan_due(items)->reason, ==,
                    "calendar: */8:00, was due at 08:00, with 24 earlier times");
    g_assert_cmpint(fsn_plan_due(items)->asked_us, ==, instant("2026-11-28T08:00Z"));
    f.input.taken_us = instant("2026-11-28T08:01Z");
    ASSERT_PLAN(&f, "planned 28T16:00 calendar");
    /* … but not one that is older than the last time. */
    f.input.taken_us = instant("2026-11-28T07:59Z");
    ASSERT_PLAN(&f, "due 28T12:00 calendar; planned 28T16:00 calendar");
    /* A schedule that is new owes nothing. */
    f.input.taken_us = 0;
    f.input.handled_us = 0;
    ASSERT_PLAN(&f, "planned 28T16:00 calendar");
}

static void
test_quiet(void)
{
    g_auto(Fixture) f = fixture("*:00", "13:00-18:30", "UTC", "2026-11-28T12:00Z");
    g_auto(Fixture) never = fixture("*:*", "00:00-24:00", "UTC", "2026-11-28T12:00Z");

    f.input.until_us = f.input.now_us + 7 * HOUR;
    ASSERT_PLAN(&f, "planned 28T18:30 calendar; planned 28T19:00 calendar");
    /* Missed, and it is quiet now. */
    f.input.now_us = instant("2026-11-28T14:10Z");
    f.input.handled_us = instant("2026-11-28T12:10Z");
    ASSERT_PLAN(&f, "planned 28T18:30 calendar; planned 28T19:00 calendar");
    ASSERT_PLAN(&never, "dropped 28T12:01 calendar");
}

static void
test_changed(void)
{
    g_auto(Fixture) f = fixture("20:00", "", "UTC", "2026-11-28T12:00Z");

    f.schedule.changed = 100 * MIB;
    f.input.until_us = f.input.now_us + 9 * HOUR;
    /* Nothing is there to count from. */
    ASSERT_PLAN(&f, "due 28T12:00 changed; planned 28T20:00 calendar");
    /* 30 MiB an hour. */
    f.input.taken_us = f.input.now_us - HOUR;
    f.input.change_rate = 30. * MIB / 3600;
    f.input.changed = 30 * MIB;
    ASSERT_PLAN(&f, "planned 28T14:20 changed; planned 28T17:40 changed; "
                    "planned 28T20:00 calendar");
    f.input.changed = UINT64_MAX; /* what the rate comes to is the same */
    ASSERT_PLAN(&f, "planned 28T14:20 changed; planned 28T17:40 changed; "
                    "planned 28T20:00 calendar");
    f.input.changed = 100 * MIB;
    ASSERT_PLAN(&f, "due 28T12:00 changed; planned 28T15:20 changed; "
                    "planned 28T18:40 changed; planned 28T20:00 calendar");
    /* Not again at once. */
    f.input.taken_us = f.input.now_us - 4 * MINUTE;
    f.input.change_rate = NAN;
    ASSERT_PLAN(&f, "planned 28T12:06 changed; planned 28T20:00 calendar");
    f.input.changed = 99 * MIB;
    ASSERT_PLAN(&f, "planned 28T20:00 calendar");
    f.input.unchanged = true;
    ASSERT_PLAN(&f, "dropped 28T20:00 calendar");
}

static void
test_busy(void)
{
    g_auto(Fixture) f = fixture("20:00", "", "UTC", "2026-11-28T12:00Z");
    FsnPlanBusy busy[] = { { .start_us = instant("2026-11-28T15:00Z"),
                             .reason = "habit" },
                           { .start_us = instant("2026-11-28T20:10Z") },
                           { .start_us = instant("2026-11-28T11:00Z") } };

    f.input.busy = busy;
    f.input.n_busy = G_N_ELEMENTS(busy);
    ASSERT_PLAN(&f, "planned 28T20:00 calendar"); /* the profile does not want it */
    f.schedule.before_busy = true;
    ASSERT_PLAN(&f, "planned 28T14:55 busy; planned 28T20:00 calendar");
    f.input.took_us = 15 * MINUTE;
    ASSERT_PLAN(&f, "planned 28T14:30 busy; planned 28T20:00 calendar");
    f.input.now_us = instant("2026-11-28T14:40Z");
    f.input.handled_us = f.input.now_us;
    ASSERT_PLAN(&f, "due 28T14:40 busy; planned 28T20:00 calendar");
    f.input.taken_us = instant("2026-11-28T14:05Z");
    ASSERT_PLAN(&f, "planned 28T20:00 calendar");
    f.input.taken_us = instant("2026-11-28T13:55Z");
    ASSERT_PLAN(&f, "due 28T14:40 busy; planned 28T20:00 calendar");
    g_assert_true(fsn_hours_parse("14:00-15:00", &f.schedule.quiet[0], NULL));
    f.schedule.n_quiet = 1;
    ASSERT_PLAN(&f, "dropped 28T14:30 busy; planned 28T20:00 calendar");
}

static void
test_failures(void)
{
    g_auto(Fixture) f = fixture("*/8:00", "", "UTC", "2026-11-28T08:03Z");

    f.input.until_us = f.input.now_us + 2 * HOUR;
    f.input.handled_us = instant("2026-11-28T07:50Z");
    f.input.tried_us = instant("2026-11-28T08:01Z");
    f.input.failures = 1;
    ASSERT_PLAN(&f, "planned 28T08:06 calendar");
    f.input.failures = 4;
    ASSERT_PLAN(&f, "planned 28T08:41 calendar");
    f.input.failures = UINT_MAX;
    f.input.until_us = f.input.now_us + 8 * HOUR;
    ASSERT_PLAN(&f, "planned 28T14:01 calendar; planned 28T16:00 calendar");
    f.input.until_us = f.input.now_us + 2 * HOUR;
    f.input.failures = 1;
    f.input.now_us = instant("2026-11-28T08:06Z");
    ASSERT_PLAN(&f, "due 28T08:06 calendar");
}

/* The clock is put back: by little nothing is done twice, by much nothing is waited for. */
static void
test_clock_back(void)
{
    g_auto(Fixture) f = fixture("*:00", "", "UTC", "2026-11-28T12:30Z");

    f.input.until_us = f.input.now_us + HOUR;
    f.input.handled_us = instant("2026-11-28T14:00Z");
    f.input.taken_us = instant("2026-11-28T14:00Z");
    f.input.tried_us = instant("2026-11-28T14:00Z");
    ASSERT_PLAN(&f, "");
    f.input.until_us = f.input.now_us + 3 * HOUR;
    ASSERT_PLAN(&f, "planned 28T15:00 calendar");
    f.input.handled_us = instant("2027-11-28T14:00Z");
    f.input.taken_us = instant("2027-11-28T14:00Z");
    ASSERT_PLAN(&f, "planned 28T13:00 calendar; planned 28T14:00 calendar; "
                    "planned 28T15:00 calendar");
    f.schedule.changed = MIB;
    f.input.changed = MIB;
    f.input.until_us = f.input.now_us + 20 * MINUTE;
    ASSERT_PLAN(&f, "planned 28T12:40 changed");
}

static void
random_fixture(GRand *rand, Fixture *f)
{
    static const char *const whens[] = {
        "", "*:*/20", "daily; 02:30", "*/5:50", "Mon..Fri 8..18/2:00", "*:30; Sun 02:15"
    };
    static const char *const quiets[] = { "", "22:00-06:00",
                                          "Sat,Sun 00:00-24:00; 12:00-13:00" };
    static const char *const nows[] = { "2026-03-28T17:13Z", "2026-10-24T20:00Z",
                                        "2026-11-28T12:00Z" };
    static FsnPlanBusy busy[2];

    *f = fixture(whens[g_rand_int_range(rand, 0, G_N_ELEMENTS(whens))],
                 quiets[g_rand_int_range(rand, 0, G_N_ELEMENTS(quiets))],
                 g_rand_boolean(rand) ? BERLIN : "UTC",
                 nows[g_rand_int_range(rand, 0, G_N_ELEMENTS(nows))]);
    for (size_t i = 0; i < G_N_ELEMENTS(busy); i++) {
        busy[i].start_us = f->input.now_us + g_rand_int_range(rand, -60, 1440) * MINUTE;
    }
    f->input.busy = busy;
    f->input.n_busy = (size_t)g_rand_int_range(rand, 0, 3);
    f->schedule.before_busy = g_rand_boolean(rand);
    f->schedule.changed =
        g_rand_boolean(rand) ? (uint64_t)g_rand_int_range(rand, 1, 500) * MIB : 0;
    f->input.taken_us = f->input.now_us - g_rand_int_range(rand, 0, 2000) * MINUTE;
    f->input.handled_us = f->input.now_us - g_rand_int_range(rand, 0, 2000) * MINUTE;
    f->input.took_us = g_rand_int_range(rand, 0, 40) * MINUTE;
    f->input.changed = (uint64_t)g_rand_int_range(rand, 0, 600) * MIB;
    f->input.change_rate =
        g_rand_boolean(rand) ? g_rand_double_range(rand, 0, MIB / 4.) : 0;
    if (g_rand_int_range(rand, 0, 4) == 0) {
        f->input.failures = (unsigned)g_rand_int_range(rand, 1, 9);
        f->input.tried_us = f->input.now_us - g_rand_int_range(rand, 0, 90) * MINUTE;
    }
}

/* In order, none before now, none in quiet hours, at most one due, reasons everywhere. */
static void
check_items(const Fixture *f, const GArray *items)
{
    int64_t before_us = 0;
    guint due = 0;

    for (guint i = 0; i < items->len; i++) {
        const FsnPlanItem *item = &g_array_index(items, FsnPlanItem, i);

        g_assert_cmpint(item->at_us, >=, before_us);
        before_us = item->at_us;
        g_assert_cmpstr(item->reason, !=, NULL);
        if (item->state == FSN_PLAN_DROPPED) {
            continue;
        }
        g_assert_cmpint(item->at_us, >=, f->input.now_us);
        g_assert_cmpint(item->at_us, >=, item->asked_us);
        g_assert_true((item->state == FSN_PLAN_DUE) == (item->at_us == f->input.now_us));
        due += item->state == FSN_PLAN_DUE;
        g_assert_cmpint(fsn_hours_end(f->schedule.quiet, f->schedule.n_quiet,
                                      f->input.zone, item->at_us),
                        ==, item->at_us);
    }
    g_assert_cmpuint(due, <=, 1);
}

/* The next that would happen; NULL if nothing. */
static const FsnPlanItem *
next_of(const GArray *items)
{
    for (guint i = 0; i < items->len; i++) {
        const FsnPlanItem *item = &g_array_index(items, FsnPlanItem, i);

        if (item->state != FSN_PLAN_DROPPED) {
            return item;
        }
    }
    return NULL;
}

/* Time goes on as the plan expects, and nothing is done until then. */
static void
advance(Fixture *f, int64_t to_us)
{
    double seconds = (double)(to_us - f->input.now_us) / G_USEC_PER_SEC;

    if (f->input.change_rate > 0) {
        f->input.changed += (uint64_t)ceil(f->input.change_rate * seconds);
    }
    f->input.now_us = to_us;
}

/* What is planned is what happens: if everything goes as expected it is due at its time, not a
 * second before, and once it is done it is not due any more. */
static void
test_property_plan_is_run(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(5);

    for (int round = 0; round < 300; round++) {
        g_auto(Fixture) f = { 0 };

        random_fixture(rand, &f);
        for (int step = 0; step < 12; step++) {
            g_autoptr(GArray) items = fsn_plan(&f.schedule, &f.input);
            const FsnPlanItem *next = next_of(items);
            int64_t at_us;

            check_items(&f, items);
            if (!next) {
                break;
            }
            at_us = next->at_us;
            if (at_us - f.input.now_us > 10 * G_USEC_PER_SEC) {
                g_autoptr(GArray) before = NULL;

                advance(&f, at_us - 5 * G_USEC_PER_SEC);
                before = fsn_plan(&f.schedule, &f.input);
                g_assert_null(fsn_plan_due(before));
            }
            if (at_us > f.input.now_us) {
                /* bytes are whole: the count may come to an end a second later */
                advance(&f, at_us + G_USEC_PER_SEC);
            }
            g_clear_pointer(&items, g_array_unref);
            items = fsn_plan(&f.schedule, &f.input);
            g_assert_nonnull(fsn_plan_due(items));
            f.input.handled_us = f.input.taken_us = f.input.now_us;
            f.input.changed = 0;
            f.input.failures = 0;
            g_clear_pointer(&items, g_array_unref);
            items = fsn_plan(&f.schedule, &f.input);
            g_assert_null(fsn_plan_due(items));
        }
    }
}

/* Whenever the planner is asked, and however late: what was missed is one snapshot. */
static void
test_property_once(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);

    for (int round = 0; round < 200; round++) {
        g_auto(Fixture) f = { 0 };
        int runs = 0;

        random_fixture(rand, &f);
        f.input.failures = 0;
        f.input.n_busy = 0;
        f.schedule.changed = 0;
        f.schedule.n_quiet = 0;
        f.input.now_us += g_rand_int_range(rand, 0, 30000) * MINUTE;
        for (int i = 0; i < 5; i++) {
            g_autoptr(GArray) items = fsn_plan(&f.schedule, &f.input);

            if (fsn_plan_due(items)) {
                runs++;
                f.input.handled_us = f.input.taken_us = f.input.now_us;
            }
            f.input.now_us += G_USEC_PER_SEC / 2;
        }
        g_assert_cmpint(runs, <=, 1 + (f.schedule.n_calendars > 0));
    }
}

static void
test_retention(void)
{
    g_autoptr(FsnProfileSet) set = fsn_profile_set_new();
    FsnProfileFile *file = fsn_profile_file_new("p", "p", FSN_PROFILE_USER);
    FsnProfileFile *other = fsn_profile_file_new("q", "q", FSN_PROFILE_USER);
    g_autoptr(FsnProfile) p = NULL;
    g_autoptr(FsnProfile) q = NULL;
    FsnRetentionRules rules;

    fsn_profile_file_set(file, 0, "retention.keep-daily", "7");
    fsn_profile_file_set(file, 0, "retention.keep-yearly", "2");
    fsn_profile_set_add(set, file);
    fsn_profile_set_add(set, other);
    p = fsn_profile_set_resolve(set, "p", NULL);
    q = fsn_profile_set_resolve(set, "q", NULL);
    g_assert_true(fsn_retention_of_profile(p, &rules));
    g_assert_cmpuint(rules.daily, ==, 7);
    g_assert_cmpuint(rules.yearly, ==, 2);
    g_assert_cmpuint(rules.last + rules.hourly + rules.weekly + rules.monthly, ==, 0);
    g_assert_false(fsn_retention_of_profile(q, &rules));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/times", test_times);
    g_test_add_func("/plan/times-by-minute", test_times_by_minute);
    g_test_add_func("/plan/calendar", test_calendar);
    g_test_add_func("/plan/missed", test_missed);
    g_test_add_func("/plan/quiet", test_quiet);
    g_test_add_func("/plan/changed", test_changed);
    g_test_add_func("/plan/busy", test_busy);
    g_test_add_func("/plan/failures", test_failures);
    g_test_add_func("/plan/clock-back", test_clock_back);
    g_test_add_func("/plan/property-plan-is-run", test_property_plan_is_run);
    g_test_add_func("/plan/property-once", test_property_once);
    g_test_add_func("/plan/retention", test_retention);
    return g_test_run();
}
