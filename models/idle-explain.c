/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a forecast of activity is what it is, in the terms people think in: the hour at which a VM
 * usually wakes on weekdays or at weekends, how often it wakes, and how likely it is within
 * the hour. It describes the past; it does not repeat the model's arithmetic.
 */
#include "models/idle.h"

#include <math.h>
#include <string.h>

#define DAYS        28
/* A wake after at least an hour of idleness is one that people notice. */
#define LONG_IDLE   12
/* Wakes within an hour of each other count as the same habit. */
#define HABIT_WIDTH 60
#define HABIT_SHARE .6
#define HABIT_LEAST 3

typedef struct {
    int day;    /* days before the present one, local time */
    int minute; /* of the day */
    bool weekend;
} Wake;

typedef struct {
    int minute;
    unsigned days, of;
} Habit;

/* Local day and minute of @time_us; the day counts from some fixed one. */
static Wake
local(int64_t time_us, GTimeZone *zone)
{
    int64_t seconds = time_us / G_USEC_PER_SEC;
    int interval = g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, seconds);

    seconds += interval >= 0 ? g_time_zone_get_offset(zone, interval) : 0;
    int64_t day = seconds / 86400;

    return (Wake){ .day = (int)day,
                   .minute = (int)(seconds % 86400 / 60),
                   .weekend = (day + 3) % 7 >= 5 };
}

static GArray *
long_wakes(const FsnIdleTrack *track, size_t i, GTimeZone *zone)
{
    GArray *wakes = g_array_new(FALSE, FALSE, sizeof(Wake));
    int today = local(fsn_idle_track_time(track, i), zone).day;
    size_t n;
    const FsnIdleCycle *cycles = fsn_idle_track_cycles(track, i, &n);

    for (size_t k = n; k > 0; k--) {
        const FsnIdleCycle *cycle = &cycles[k - 1];
        Wake wake = local(fsn_idle_track_time(track, cycle->wake), zone);

        if (today - wake.day > DAYS) {
            break;
        }
        if (cycle->wake - cycle->idle_from >= LONG_IDLE) {
            g_array_append_val(wakes, wake);
        }
    }
    return wakes;
}

static int
ascending(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* On how many days one of @wakes lies in the hour from @from on, and their median. */
static Habit
count_days(const GArray *wakes, bool weekend, int from)
{
    int minutes[2 * DAYS];
    Habit habit = { 0 };
    int last_day = G_MININT;

    for (guint k = 0; k < wakes->len; k++) {
        const Wake *wake = &g_array_index(wakes, Wake, k);

        if (wake->weekend == weekend && wake->minute >= from &&
            wake->minute < from + HABIT_WIDTH && wake->day != last_day &&
            habit.days < G_N_ELEMENTS(minutes)) {
            minutes[habit.days++] = wake->minute;
            last_day = wake->day;
        }
    }
    if (habit.days > 0) {
        qsort(minutes, habit.days, sizeof minutes[0], ascending);
        habit.minute = minutes[habit.days / 2];
    }
    return habit;
}

/* How many whole days of the kind the track covers, of the last ones. */
static unsigned
days_of_kind(const FsnIdleTrack *track, size_t i, bool weekend, GTimeZone *zone)
{
    Wake now = local(fsn_idle_track_time(track, i), zone);
    Wake first = local(fsn_idle_track_time(track, 0), zone);
    unsigned days = 0;

    for (int day = MAX(first.day + 1, now.day - DAYS); day < now.day; day++) {
        days += ((day + 3) % 7 >= 5) == weekend;
    }
    return days;
}

static bool
find_habit(const FsnIdleTrack *track,
           size_t i,
           const GArray *wakes,
           bool weekend,
           GTimeZone *zone,
           Habit *out_habit)
{
    Habit best = { 0 };

    for (int from = 0; from + HABIT_WIDTH <= 24 * 60; from += 10) {
        Habit habit = count_days(wakes, weekend, from);

        if (habit.days > best.days) {
            best = habit;
        }
    }
    best.of = MAX(days_of_kind(track, i, weekend, zone), best.days);
    *out_habit = best;
    return best.days >= HABIT_LEAST && best.days >= HABIT_SHARE * best.of;
}

static char *
duration_text(int64_t us)
{
    int64_t minutes = us / G_USEC_PER_SEC / 60;

    if (minutes < 120) {
        return g_strdup_printf("%" G_GINT64_FORMAT " min", minutes);
    }
    return minutes < 48 * 60
               ? g_strdup_printf("%" G_GINT64_FORMAT " h", (minutes + 30) / 60)
               : g_strdup_printf("%" G_GINT64_FORMAT " days", (minutes + 720) / 1440);
}

static void
append_habits(const FsnIdleTrack *track, size_t i, GTimeZone *zone, GString *text)
{
    static const char *const kinds[] = { "weekdays", "weekends" };
    g_autoptr(GArray) wakes = long_wakes(track, i, zone);
    bool any = false;

    for (int weekend = 0; weekend < 2; weekend++) {
        Habit habit;

        if (find_habit(track, i, wakes, weekend, zone, &habit)) {
            g_string_append_printf(text, "%s at %02d:%02d on %s (%u of %u days)",
                                   any ? " and" : "; usually wakes", habit.minute / 60,
                                   habit.minute % 60, kinds[weekend], habit.days,
                                   habit.of);
            any = true;
        }
    }
    if (any) {
        return;
    }
    size_t n;
    (void)fsn_idle_track_cycles(track, i, &n);
    double days = (double)(i + 1) / FSN_IDLE_DAY;

    g_string_append_printf(text, "; wakes at no usual hour, %.1f times a day",
                           (double)n / days);
}

char *
fsn_idle_explain(const FsnIdleTrack *track,
                 size_t i,
                 const FsnIdleForecast *forecast,
                 GTimeZone *zone)
{
    g_autofree char *lasted =
        duration_text(forecast->now_us - forecast->since_us + FSN_IDLE_STEP_US);
    GString *text = g_string_new(NULL);
    size_t n;

    (void)fsn_idle_track_cycles(track, i, &n);
    g_string_append_printf(text, "%s for %s", forecast->active ? "active" : "idle",
                           lasted);
    if (n == 0) {
        g_string_append(text, "; has not been seen to wake yet");
    } else {
        append_habits(track, i, zone, text);
    }
    if (!forecast->active) {
        g_string_append_printf(text, "; %.0f %% within the hour", 100 * forecast->p60);
    }
    return g_string_free(text, FALSE);
}
