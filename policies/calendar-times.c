/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When expressions come: day by day, the times that match are turned into instants by the
 * offset from UTC of that day. Only near a change of the offset each time is looked at for
 * itself. Zones that change twice within three days are taken for those that do so once.
 */
#include "config.h"

#include "policies/calendar-times.h"

#define DAY         ((int64_t)86400)
#define EVERY_HOUR  ((UINT32_C(1) << 24) - 1)
#define QUIET_LIMIT (8 * DAY)

static int64_t
offset_at(GTimeZone *zone, int64_t utc)
{
    gint interval = g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, utc);

    return interval < 0 ? 0 : g_time_zone_get_offset(zone, interval);
}

static void
add(GArray *times, int64_t utc)
{
    int64_t us = utc * G_USEC_PER_SEC;

    g_array_append_val(times, us);
}

/* The second at which the offset changes, which it does once after @low up to @high. */
static int64_t
find_change(GTimeZone *zone, int64_t low, int64_t high)
{
    int64_t before = offset_at(zone, low);

    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;

        *(offset_at(zone, middle) == before ? &low : &high) = middle;
    }
    return high;
}

/* @wall are the seconds since 1970 that a clock in UTC would show. */
static void
add_near_change(GArray *times, GTimeZone *zone, int64_t wall, bool every_hour)
{
    int64_t offset[2] = { offset_at(zone, wall - DAY), offset_at(zone, wall + DAY) };
    int64_t utc[2] = { wall - offset[0], wall - offset[1] };
    bool shown[2] = { offset_at(zone, utc[0]) == offset[0],
                      offset_at(zone, utc[1]) == offset[1] };

    if (shown[0] && shown[1] && offset[0] != offset[1]) {
        add(times, MIN(utc[0], utc[1]));
        if (every_hour) {
            add(times, MAX(utc[0], utc[1]));
        }
    } else if (shown[0] || shown[1]) {
        add(times, utc[shown[0] ? 0 : 1]);
    } else if (!every_hour) {
        add(times, find_change(zone, wall - DAY, wall + DAY));
    }
}

static bool
day_matches(const FsnCalendar *c, GDate *day)
{
    return g_date_get_year(day) >= c->first_year &&
           g_date_get_year(day) <= c->last_year &&
           c->months >> g_date_get_month(day) & 1 && c->days >> g_date_get_day(day) & 1 &&
           c->weekdays >> g_date_get_weekday(day) & 1;
}

static void
add_day(GArray *times, const FsnCalendar *c, GTimeZone *zone, int64_t midnight)
{
    bool every_hour = (c->hours & EVERY_HOUR) == EVERY_HOUR;
    int64_t offset = offset_at(zone, midnight - DAY);
    bool steady = offset == offset_at(zone, midnight + 2 * DAY);

    for (int hour = 0; hour < 24; hour++) {
        for (int minute = 0; c->hours >> hour & 1 && minute < 60; minute++) {
            int64_t wall = midnight + hour * 3600 + minute * 60;

            if (!(c->minutes >> minute & 1)) {
                continue;
            }
            if (steady) {
                add(times, wall - offset);
            } else {
                add_near_change(times, zone, wall, every_hour);
            }
        }
    }
}

static int
compare(gconstpointer a, gconstpointer b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

GArray *
fsn_calendar_between(const FsnCalendar *calendars,
                     size_t n,
                     GTimeZone *zone,
                     int64_t from_us,
                     int64_t to_us)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(int64_t));
    GArray *times = g_array_new(FALSE, FALSE, sizeof(int64_t));
    GDate epoch;

    g_date_clear(&epoch, 1);
    g_date_set_dmy(&epoch, 1, G_DATE_JANUARY, 1970);
    from_us = MAX(from_us, to_us - FSN_CALENDAR_SPAN_US);
    from_us = MAX(from_us, 0); /* before there is nothing */
    /* A day more at each end: local days are not those of UTC. */
    for (int64_t day = from_us / G_USEC_PER_SEC / DAY - 2;
         day <= to_us / G_USEC_PER_SEC / DAY + 2; day++) {
        GDate date = epoch;

        if (day < 0) {
            continue;
        }
        g_date_add_days(&date, (guint)day);
        for (size_t i = 0; i < n; i++) {
            if (day_matches(&calendars[i], &date)) {
                add_day(all, &calendars[i], zone, day * DAY);
            }
        }
    }
    g_array_sort(all, compare);
    for (guint i = 0; i < all->len; i++) {
        int64_t us = g_array_index(all, int64_t, i);

        if (us > from_us && us <= to_us &&
            (times->len == 0 || g_array_index(times, int64_t, times->len - 1) != us)) {
            g_array_append_val(times, us);
        }
    }
    return times;
}

static bool
is_inside(const FsnHours *hours, size_t n, GTimeZone *zone, int64_t utc)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(utc);
    g_autoptr(GDateTime) local = time ? g_date_time_to_timezone(time, zone) : NULL;

    for (size_t i = 0; local && i < n; i++) {
        if (fsn_hours_contain(&hours[i], local)) {
            return true;
        }
    }
    return false;
}

int64_t
fsn_hours_end(const FsnHours *hours, size_t n, GTimeZone *zone, int64_t time_us)
{
    int64_t utc = time_us / G_USEC_PER_SEC;
    int64_t limit = utc + QUIET_LIMIT;

    if (!is_inside(hours, n, zone, utc)) {
        return time_us;
    }
    /* They end at whole minutes, also where offsets have seconds: every second is too slow,
     * and such offsets are history. */
    for (utc = utc - utc % 60 + 60; utc <= limit; utc += 60) {
        if (!is_inside(hours, n, zone, utc)) {
            return utc * G_USEC_PER_SEC;
        }
    }
    return INT64_MAX;
}
