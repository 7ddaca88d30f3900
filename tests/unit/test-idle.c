/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Foretelling activity: an office VM, a VM that follows its calendar, and bad input. */
#include "models/idle.h"

#include "base/error.h"
#include "base/json.h"
#include "models/idle-prior.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define MINUTE_US (G_GINT64_CONSTANT(60) * G_USEC_PER_SEC)
/* Monday 5 January 1970. */
#define MONDAY_US (4 * G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC)

static double
noise(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return (double)(*state >> 8) / (1 << 24);
}

/* Works from about 08:00 to about 17:00 on weekdays; @n samples from a Monday on. */
static FsnIdleTrack *
office(size_t n, bool garbage_after, size_t cut)
{
    FsnIdleTrack *track = fsn_idle_track_new(MONDAY_US, 2, NULL);
    uint32_t state = 3;
    size_t begin = 0, end = 0;

    for (size_t i = 0; i < n; i++) {
        size_t slot = i % FSN_IDLE_DAY;
        bool weekend = i / FSN_IDLE_DAY % 7 >= 5;

        if (slot == 0) {
            begin = 96 + (size_t)(4 * noise(&state));
            end = 204 + (size_t)(8 * noise(&state));
        }
        double value = .3 + .1 * noise(&state);

        if (!weekend && slot >= begin && slot < end) {
            value = 20 + 10 * noise(&state);
        }
        if (garbage_after && i >= cut) {
            value = 1e6 * noise(&state) - 5e5;
        }
        g_assert_true(fsn_idle_track_push(track, value));
    }
    return track;
}

/* The sample of @day at @hour:@minute. */
static size_t
at(size_t day, size_t hour, size_t minute)
{
    return day * FSN_IDLE_DAY + hour * 12 + minute / 5;
}

static void
test_office(void)
{
    g_autoptr(FsnIdleTrack) track = office(36 * FSN_IDLE_DAY, false, 0);
    g_autoptr(FsnIdle) idle = fsn_idle_new();
    FsnIdleInput input = { .track = track };
    FsnIdleForecast early, night, saturday, noon;

    fsn_idle_fit(idle, &input);
    g_assert_cmpuint(fsn_idle_samples(idle), ==, 36 * FSN_IDLE_DAY);
    fsn_idle_predict(idle, &input, at(35, 7, 40), &early);
    fsn_idle_predict(idle, &input, at(35, 2, 0), &night);
    fsn_idle_predict(idle, &input, at(33, 7, 40), &saturday);
    fsn_idle_predict(idle, &input, at(35, 12, 0), &noon);
    g_assert_cmpfloat(early.p60, >, .8);
    g_assert_cmpfloat(night.p60, <, .1);
    g_assert_cmpfloat(saturday.p60, <, .5 * early.p60);
    g_assert_false(early.active);
    g_assert_cmpint(
        ABS(early.wake_us[2] - (MONDAY_US + (int64_t)at(35, 8, 10) * FSN_IDLE_STEP_US)),
        <=, 20 * MINUTE_US);
    g_assert_cmpint(early.idle_us[2], ==, early.since_us);
    g_assert_true(noon.active);
    g_assert_cmpfloat(noon.p15, ==, 1);
    /* It falls idle after 17:00 and some minutes, and wakes on the next morning. */
    g_assert_cmpint(
        ABS(noon.idle_us[2] - (MONDAY_US + (int64_t)at(35, 17, 30) * FSN_IDLE_STEP_US)),
        <=, 45 * MINUTE_US);
    g_assert_cmpint(
        ABS(noon.wake_us[2] - (MONDAY_US + (int64_t)at(36, 8, 10) * FSN_IDLE_STEP_US)),
        <=, 45 * MINUTE_US);
    for (size_t k = 1; k < FSN_IDLE_WAIT_LEVELS; k++) {
        g_assert_cmpint(early.wake_us[k], >=, early.wake_us[k - 1]);
        g_assert_cmpint(noon.wake_us[k], >=, noon.idle_us[k]);
    }
}

static void
test_explain(void)
{
    g_autoptr(FsnIdleTrack) track = office(36 * FSN_IDLE_DAY, false, 0);
    g_autoptr(FsnIdle) idle = fsn_idle_new();
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GTimeZone) east = g_time_zone_new_identifier("+02:00");
    FsnIdleInput input = { .track = track };
    FsnIdleForecast forecast;

    fsn_idle_predict(idle, &input, at(35, 7, 0), &forecast);
    g_autofree char *text = fsn_idle_explain(track, at(35, 7, 0), &forecast, utc);
    g_autofree char *local = fsn_idle_explain(track, at(35, 7, 0), &forecast, east);

    g_assert_nonnull(strstr(text, "usually wakes at 08:"));
    g_assert_nonnull(strstr(text, "on weekdays (20 of 20 days)"));
    g_assert_null(strstr(text, "weekends"));
    g_assert_nonnull(strstr(text, "% within the hour"));
    g_assert_nonnull(strstr(local, "usually wakes at 10:"));
}

/* What comes after a sample changes no byte of what was foretold at it, and a fit repeated
 * is the same fit. */
static void
test_no_future(void)
{
    size_t cut = 20 * FSN_IDLE_DAY;
    g_autoptr(FsnIdleTrack) known = office(cut, false, 0);
    g_autoptr(FsnIdleTrack) real = office(24 * FSN_IDLE_DAY, false, 0);
    g_autoptr(FsnIdleTrack) garbage = office(24 * FSN_IDLE_DAY, true, cut);
    g_autoptr(FsnIdle) idle = fsn_idle_new();
    g_autoptr(FsnIdle) again = fsn_idle_new();
    FsnIdleInput inputs[] = { { .track = known },
                              { .track = real },
                              { .track = garbage } };

    fsn_idle_fit(idle, &inputs[0]);
    fsn_idle_fit(again, &inputs[0]);
    for (size_t i = cut - 2 * FSN_IDLE_DAY; i < cut; i++) {
        FsnIdleForecast forecasts[4] = { 0 };

        for (size_t k = 0; k < G_N_ELEMENTS(inputs); k++) {
            fsn_idle_predict(idle, &inputs[k], i, &forecasts[k]);
        }
        fsn_idle_predict(again, &inputs[0], i, &forecasts[3]);
        for (size_t k = 1; k < G_N_ELEMENTS(forecasts); k++) {
            g_assert_cmpfloat(forecasts[0].p15, ==, forecasts[k].p15);
            g_assert_cmpfloat(forecasts[0].p60, ==, forecasts[k].p60);
            g_assert_cmpmem(forecasts[0].wake_us, sizeof forecasts[0].wake_us,
                            forecasts[k].wake_us, sizeof forecasts[k].wake_us);
            g_assert_cmpint(forecasts[0].wake_likely_us, ==, forecasts[k].wake_likely_us);
        }
    }
}

/* Wakes for an hour, at any time, only when its calendar says so: nothing else tells. */
static void
test_events(void)
{
    size_t n = 40 * FSN_IDLE_DAY;
    g_autoptr(FsnIdleTrack) track = fsn_idle_track_new(MONDAY_US, 2, NULL);
    g_autoptr(FsnEvents) events = fsn_events_new();
    g_autoptr(FsnIdle) with = fsn_idle_new();
    g_autoptr(FsnIdle) without = fsn_idle_new();
    uint32_t state = 11;
    size_t next = 50, last = 0;

    for (size_t i = 0; i < n; i++) {
        g_assert_true(fsn_idle_track_push(track, i >= next && i < next + 12 ? 30 : .3));
        if (i == next) {
            int64_t start_us = fsn_idle_track_time(track, i);

            g_assert_true(fsn_events_add(events, start_us, start_us + 60 * MINUTE_US,
                                         "job", NULL, NULL));
            last = next;
        }
        if (i == next + 12) {
            next += 60 + (size_t)(200 * noise(&state));
        }
    }
    FsnIdleInput input = { .track = track, .events = events };
    FsnIdleInput blind = { .track = track };
    FsnIdleForecast told, untold, between;

    fsn_idle_fit(with, &input);
    fsn_idle_fit(without, &blind);
    fsn_idle_predict(with, &input, last - 1, &told);
    fsn_idle_predict(without, &blind, last - 1, &untold);
    fsn_idle_predict(with, &input, last - 30, &between);
    g_assert_cmpfloat(told.p15, >, .5);
    g_assert_cmpfloat(told.p15, >, 4 * untold.p15);
    g_assert_cmpfloat(between.p15, <, .1);
}

/* Users log in half an hour before the CPU is used. */
static void
test_extra_series(void)
{
    size_t n = 30 * FSN_IDLE_DAY, next = 77;
    g_autoptr(FsnIdleTrack) track = fsn_idle_track_new(MONDAY_US, 2, NULL);
    g_autoptr(FsnSeries) users = fsn_series_new(MONDAY_US, FSN_IDLE_STEP_US, n);
    g_autoptr(FsnSeries) extra = NULL;
    g_autofree double *means = NULL;
    g_autoptr(FsnIdle) with = fsn_idle_new();
    FsnIdleForecast there, alone;
    uint32_t state = 5;

    for (size_t i = 0; i < n; i++) {
        g_assert_true(fsn_idle_track_push(track, i >= next && i < next + 10 ? 30 : .3));
        users->values[i] = i + 3 >= next && i < next + 10;
        next += i == next + 10 ? 50 + (size_t)(200 * noise(&state)) : 0;
    }
    g_assert_true(fsn_idle_extra_of_series(track, users, &extra, &means, NULL));
    FsnIdleInput input = { .track = track,
                           .n_extras = 1,
                           .extra_names = { "users" },
                           .extras = { extra },
                           .extra_means = { means } };

    fsn_idle_fit(with, &input);
    size_t i = n - 1;
    while (users->values[i] < 1 || users->values[i - 1] > 0) {
        i--;
    }
    fsn_idle_predict(with, &input, i, &there);
    fsn_idle_predict(with, &input, i - 1, &alone);
    g_assert_cmpfloat(there.p15, >, .5);
    g_assert_cmpfloat(there.p15, >, 4 * alone.p15);
}

static void
test_json(void)
{
    g_autoptr(FsnIdleTrack) track = office(20 * FSN_IDLE_DAY, false, 0);
    g_autoptr(FsnEvents) events = fsn_events_new();
    g_autoptr(FsnIdle) idle = fsn_idle_new();
    g_autoptr(GError) error = NULL;
    FsnIdleInput input = { .track = track, .events = events };
    FsnIdleForecast a, b;
    size_t i = at(19, 7, 30);

    g_assert_true(
        fsn_events_add(events, MONDAY_US, MONDAY_US + MINUTE_US, "holiday", NULL, NULL));
    fsn_idle_fit(idle, &input);
    g_autoptr(JsonNode) node = fsn_idle_to_json(idle);
    g_autofree char *text = json_to_string(node, FALSE);
    g_assert_cmpuint(strlen(text), <, FSN_IDLE_JSON_MAX / 4);
    g_autoptr(JsonObject) object = NULL;
    g_assert_true(fsn_json_parse_object(text, strlen(text), FSN_IDLE_JSON_MAX, "it",
                                        &object, &error));
    g_autoptr(JsonNode) read = json_node_init_object(json_node_alloc(), object);
    g_autoptr(FsnIdle) back = fsn_idle_from_json(read, &error);
    g_assert_no_error(error);
    fsn_idle_predict(idle, &input, i, &a);
    fsn_idle_predict(back, &input, i, &b);
    g_assert_cmpfloat(a.p15, ==, b.p15);
    g_assert_cmpfloat(a.p60, ==, b.p60);
    g_assert_cmpuint(fsn_idle_samples(back), ==, 20 * FSN_IDLE_DAY);
}

static void
test_json_refused(void)
{
#define TARGET(scale, weights) \
    "{\"scale\":" scale ",\"offset\":0,\"weights\":{" weights "}}"
#define DOCUMENT(version, scale, weights)                           \
    "{\"version\":" version ",\"samples\":5,\"within_15\":" TARGET( \
        scale, weights) ","                                         \
                        "\"within_60\":" TARGET("1", "") "}"

    static const struct {
        const char *text;
        int code; /* -1: it is taken */
    } rows[] = {
        { DOCUMENT("1", "1", ""), -1 },
        { DOCUMENT("1", "1", "\"weekend\":-2,\"of.another.time\":5"), -1 },
        { DOCUMENT("1", "1", "\"event.now.job\":3"), -1 },
        { DOCUMENT("2", "1", ""), FSN_ERROR_UNSUPPORTED },
        { DOCUMENT("0", "1", ""), FSN_ERROR_FORMAT },
        { DOCUMENT("1", "7", ""), FSN_ERROR_FORMAT },
        { DOCUMENT("1", "\"x\"", ""), FSN_ERROR_FORMAT },
        { DOCUMENT("1", "1", "\"weekend\":1e9"), FSN_ERROR_FORMAT },
        { DOCUMENT("1", "1", "\"weekend\":null"), FSN_ERROR_FORMAT },
        { DOCUMENT("1", "1", "\"event.job\":3"), FSN_ERROR_FORMAT },
        { "{}", FSN_ERROR_FORMAT },
        { "{\"version\":1,\"samples\":-1}", FSN_ERROR_FORMAT },
        { "{\"version\":1,\"samples\":1}", FSN_ERROR_FORMAT },
        { "[1]", FSN_ERROR_FORMAT },
    };

    for (size_t r = 0; r < G_N_ELEMENTS(rows); r++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(JsonNode) node = json_from_string(rows[r].text, &error);
        g_assert_no_error(error);
        g_autoptr(FsnIdle) idle = fsn_idle_from_json(node, &error);

        g_assert_cmpint(idle != NULL, ==, rows[r].code < 0);
        if (rows[r].code >= 0) {
            g_assert_error(error, FSN_ERROR, rows[r].code);
        }
    }
}

/* Histories from which nothing can be learned: still probabilities, still in order. */
static void
test_poor_histories(void)
{
    static const struct {
        size_t n;
        double quiet, loud;
        size_t every; /* a loud sample; 0: never */
    } rows[] = {
        { 1, .3, 0, 0 },     { 10, 50, 0, 0 },       { 600, 0, 0, 0 },
        { 900, NAN, 0, 0 },  { 6000, 50, 0, 0 },     { 6000, NAN, 90, 500 },
        { 6000, 0, 90, 2 },  { 6000, .3, 1e308, 7 }, { 6000, -1, 90, 4000 },
        { 6000, .3, 90, 4 },
    };

    for (size_t r = 0; r < G_N_ELEMENTS(rows); r++) {
        g_autoptr(FsnIdleTrack) track = fsn_idle_track_new(0, 2, NULL);
        g_autoptr(FsnIdle) idle = fsn_idle_new();
        FsnIdleInput input = { .track = track };
        FsnIdleForecast forecast;

        for (size_t i = 0; i < rows[r].n; i++) {
            bool loud = rows[r].every && i % rows[r].every == 0;

            g_assert_true(
                fsn_idle_track_push(track, loud ? rows[r].loud : rows[r].quiet));
        }
        fsn_idle_fit(idle, &input);
        for (size_t i = rows[r].n > 20 ? rows[r].n - 20 : 0; i < rows[r].n; i++) {
            fsn_idle_predict(idle, &input, i, &forecast);
            g_assert_true(forecast.p15 >= 0 && forecast.p15 <= forecast.p60 &&
                          forecast.p60 <= 1);
            g_assert_cmpint(forecast.wake_us[0], >, forecast.now_us);
            for (size_t k = 1; k < FSN_IDLE_WAIT_LEVELS; k++) {
                g_assert_cmpint(forecast.wake_us[k], >=, forecast.wake_us[k - 1]);
                g_assert_cmpint(forecast.idle_length_us[k], >=,
                                forecast.idle_length_us[k - 1]);
            }
            g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
            g_autofree char *why = fsn_idle_explain(track, i, &forecast, utc);
            g_assert_cmpuint(strlen(why), >, 0);
        }
    }
}

/* Weights are read by name: the table of the prior and the features must agree. */
static void
test_prior(void)
{
    g_assert_cmpuint(fsn_idle_prior_count, ==, fsn_idle_feature_count() + 1);
    for (size_t j = 0; j < fsn_idle_feature_count(); j++) {
        g_assert_cmpstr(fsn_idle_prior[j].name, ==, fsn_idle_feature_name(j));
        g_assert_cmpfloat(fsn_idle_prior[j].spread, >, 0);
    }
}

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"

/* The time at which clocks of @zone show @day.@month. 2026 @hour:@minute. */
static int64_t
local_us(GTimeZone *zone, int month, int day, int hour, int minute)
{
    g_autoptr(GDateTime) time = g_date_time_new(zone, 2026, month, day, hour, minute, 0);

    return g_date_time_to_unix(time) * G_USEC_PER_SEC;
}

/* Works from 08:00 to 17:00 every day, by the clock of @work, from 40 days before @to_us
 * until then; habits are looked for by the clock of @zone. */
static FsnIdleTrack *
by_the_clock(int64_t to_us, GTimeZone *work, GTimeZone *zone)
{
    int64_t start_us = to_us - 40 * FSN_IDLE_DAY * FSN_IDLE_STEP_US;
    FsnIdleTrack *track = fsn_idle_track_new(start_us, 2, zone);

    for (int64_t time_us = start_us; time_us < to_us; time_us += FSN_IDLE_STEP_US) {
        int interval = g_time_zone_find_interval(work, G_TIME_TYPE_UNIVERSAL,
                                                 time_us / G_USEC_PER_SEC);
        int64_t local_s =
            time_us / G_USEC_PER_SEC + g_time_zone_get_offset(work, interval);
        int64_t hour = local_s / 3600 % 24;

        g_assert_true(fsn_idle_track_push(track, hour >= 8 && hour < 17 ? 30 : .3));
    }
    return track;
}

/* The wake that is expected on the evening before @day, against 08:00 on that day: minutes. */
static double
off_by(GTimeZone *work, GTimeZone *zone, int month, int day)
{
    int64_t evening_us = local_us(work, month, day - 1, 20, 0);
    int64_t morning_us = local_us(work, month, day, 8, 0);
    g_autoptr(FsnIdleTrack) track = by_the_clock(evening_us, work, zone);
    g_autoptr(FsnIdle) idle = fsn_idle_new();
    FsnIdleInput input = { .track = track };
    FsnIdleForecast forecast;

    fsn_idle_fit(idle, &input);
    fsn_idle_predict(idle, &input, fsn_idle_track_count(track) - 1, &forecast);
    for (size_t k = 1; k < FSN_IDLE_WAIT_LEVELS; k++) {
        g_assert_cmpint(forecast.wake_us[k], >=, forecast.wake_us[k - 1]);
    }
    return fabs((double)(forecast.wake_likely_us - morning_us) / MINUTE_US);
}

/* Over both switches of the clock, the night itself and the ones around it. Where habits are
 * looked for by UTC the first mornings are an hour off, which shows that this test can fail. */
static void
test_clock(void)
{
    static const struct {
        int month, day;
    } switches[] = { { 3, 29 }, { 10, 25 } };

    g_autoptr(GTimeZone) berlin = g_time_zone_new_identifier(BERLIN);

    if (!berlin) {
        g_test_skip("GLib does not know zones by rule");
        return;
    }
    for (size_t s = 0; s < G_N_ELEMENTS(switches); s++) {
        for (int day = switches[s].day - 1; day <= switches[s].day + 2; day++) {
            g_assert_cmpfloat(off_by(berlin, berlin, switches[s].month, day), <=, 10);
        }
        g_assert_cmpfloat(off_by(berlin, NULL, switches[s].month, switches[s].day), >=,
                          50);
    }
}

/* What is probable soon follows the clock too: just before 08:00 on the morning after. */
static void
test_clock_soon(void)
{
    static const int days[][2] = { { 3, 30 }, { 10, 26 } };
    g_autoptr(GTimeZone) berlin = g_time_zone_new_identifier(BERLIN);

    for (size_t s = 0; berlin && s < G_N_ELEMENTS(days); s++) {
        int64_t early_us = local_us(berlin, days[s][0], days[s][1], 6, 45);
        int64_t late_us = local_us(berlin, days[s][0], days[s][1], 7, 50);
        g_autoptr(FsnIdleTrack) track = by_the_clock(late_us, berlin, berlin);
        size_t last = fsn_idle_track_count(track) - 1;
        g_autoptr(FsnIdle) idle = fsn_idle_new();
        FsnIdleInput input = { .track = track };
        FsnIdleForecast early;
        FsnIdleForecast late;

        fsn_idle_fit(idle, &input);
        fsn_idle_predict(idle, &input,
                         last - (size_t)((late_us - early_us) / FSN_IDLE_STEP_US),
                         &early);
        fsn_idle_predict(idle, &input, last, &late);
        g_assert_cmpfloat(late.p15, >, .8);
        g_assert_cmpfloat(early.p60, <, .3);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/idle/prior", test_prior);
    g_test_add_func("/idle/office", test_office);
    g_test_add_func("/idle/explain", test_explain);
    g_test_add_func("/idle/no-future", test_no_future);
    g_test_add_func("/idle/events", test_events);
    g_test_add_func("/idle/extra-series", test_extra_series);
    g_test_add_func("/idle/json", test_json);
    g_test_add_func("/idle/json-refused", test_json_refused);
    g_test_add_func("/idle/poor-histories", test_poor_histories);
    g_test_add_func("/idle/clock", test_clock);
    g_test_add_func("/idle/clock-soon", test_clock_soon);
    return g_test_run();
}
