/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calendar expressions and hours of the day: text to sets of bits, and whether a wall clock's
 * time is among them. What is not a date, as February 30th, is accepted and never comes.
 */
#include "config.h"

#include "policies/calendar.h"

#include "base/error.h"

#include <string.h>

#define FIRST_YEAR 1970
#define LAST_YEAR  2199
#define ALL(first, last) \
    ((UINT64_MAX >> (63 - (last))) & ~(((UINT64_C(1) << (first)) - 1)))

static const struct {
    const char *word;
    const char *meaning;
} words[] = {
    { "hourly", "*:00" },
    { "daily", "00:00" },
    { "weekly", "Mon 00:00" },
    { "monthly", "*-01 00:00" },
};

static const char *const weekday_names[] = { "Mon", "Tue", "Wed", "Thu",
                                             "Fri", "Sat", "Sun" };

static bool
refuse(const char *field, const char *text, GError **error)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "'%s' is no %s", text, field);
    return false;
}

/* A number, or a weekday where @weekdays. */
static bool
take_number(const char **at, bool weekdays, unsigned *out)
{
    unsigned value = 0;
    const char *p = *at;

    for (unsigned i = 0; weekdays && i < G_N_ELEMENTS(weekday_names); i++) {
        if (g_ascii_strncasecmp(p, weekday_names[i], 3) == 0) {
            *at = p + 3;
            *out = i + 1;
            return true;
        }
    }
    if (weekdays) {
        return false;
    }
    for (; g_ascii_isdigit(*p) && p - *at < 4; p++) {
        value = value * 10 + (unsigned)(*p - '0');
    }
    if (p == *at || g_ascii_isdigit(*p)) {
        return false;
    }
    *at = p;
    *out = value;
    return true;
}

/* One element of a list, into @bits, whose numbers are @first to @last. */
static bool
take_element(
    const char **at, bool weekdays, unsigned first, unsigned last, uint64_t *bits)
{
    unsigned from = first;
    unsigned to = last;
    unsigned step = 1;
    bool star = **at == '*';

    if (star) {
        (*at)++;
    } else if (!take_number(at, weekdays, &from)) {
        return false;
    } else {
        to = from;
    }
    if (!star && g_str_has_prefix(*at, "..")) {
        *at += 2;
        if (!take_number(at, weekdays, &to)) {
            return false;
        }
    }
    if (**at == '/') {
        (*at)++;
        if (!take_number(at, false, &step)) {
            return false;
        }
        to = to == from ? last : to;
    }
    if (from < first || to > last || from > to || step == 0) {
        return false;
    }
    for (unsigned i = from; i <= to; i += step) {
        *bits |= UINT64_C(1) << i;
    }
    return true;
}

static bool
parse_field(const char *text,
            const char *field,
            unsigned first,
            unsigned last,
            uint64_t *out_bits,
            GError **error)
{
    const char *at = text;
    uint64_t bits = 0;

    for (;;) {
        if (!take_element(&at, strcmp(field, "weekday") == 0, first, last, &bits)) {
            return refuse(field, text, error);
        }
        if (*at != ',') {
            break;
        }
        at++;
    }
    if (*at) {
        return refuse(field, text, error);
    }
    *out_bits = bits;
    return true;
}

/* A star, a year or a range of years: they have no set of bits. */
static bool
parse_years(const char *text, FsnCalendar *calendar, GError **error)
{
    const char *at = text;
    unsigned from;
    unsigned to;

    if (strcmp(text, "*") == 0) {
        return true;
    }
    if (!take_number(&at, false, &from)) {
        return refuse("year", text, error);
    }
    to = from;
    if (g_str_has_prefix(at, "..")) {
        at += 2;
        if (!take_number(&at, false, &to)) {
            return refuse("year", text, error);
        }
    }
    if (*at || from < FIRST_YEAR || to > LAST_YEAR || from > to) {
        return refuse("year", text, error);
    }
    calendar->first_year = (uint16_t)from;
    calendar->last_year = (uint16_t)to;
    return true;
}

static bool
parse_date(const char *text, FsnCalendar *calendar, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, "-", 4);
    guint n = g_strv_length(parts);
    uint64_t months;
    uint64_t days;

    if (n < 2 || n > 3) {
        return refuse("date", text, error);
    }
    if ((n == 3 && !parse_years(parts[0], calendar, error)) ||
        !parse_field(parts[n - 2], "month", 1, 12, &months, error) ||
        !parse_field(parts[n - 1], "day of the month", 1, 31, &days, error)) {
        return false;
    }
    calendar->months = (uint16_t)months;
    calendar->days = (uint32_t)days;
    return true;
}

static bool
parse_time(const char *text, FsnCalendar *calendar, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", 3);
    uint64_t hours;

    if (g_strv_length(parts) != 2) {
        return refuse("time (HOUR:MINUTE)", text, error);
    }
    if (!parse_field(parts[0], "hour", 0, 23, &hours, error) ||
        !parse_field(parts[1], "minute", 0, 59, &calendar->minutes, error)) {
        return false;
    }
    calendar->hours = (uint32_t)hours;
    return true;
}

static bool
parse_weekdays(const char *text, uint8_t *out_weekdays, GError **error)
{
    uint64_t bits;

    if (!parse_field(text, "weekday", 1, 7, &bits, error)) {
        return false;
    }
    *out_weekdays = (uint8_t)bits;
    return true;
}

/* The words of @text; the caller frees. */
static char **
split(const char *text)
{
    g_autofree char *copy = g_strstrip(g_strdup(text));
    g_auto(GStrv) parts = g_strsplit_set(copy, " \t", -1);
    GPtrArray *array = g_ptr_array_new();

    for (char **part = parts; *part; part++) {
        if (**part) {
            g_ptr_array_add(array, g_strdup(*part));
        }
    }
    g_ptr_array_add(array, NULL);
    return (char **)g_ptr_array_free(array, FALSE);
}

bool
fsn_calendar_parse(const char *text, FsnCalendar *out_calendar, GError **error)
{
    FsnCalendar calendar = { .days = (uint32_t)ALL(1, 31),
                             .months = (uint16_t)ALL(1, 12),
                             .weekdays = (uint8_t)ALL(1, 7),
                             .first_year = FIRST_YEAR,
                             .last_year = LAST_YEAR };
    g_auto(GStrv) parts = NULL;
    guint i = 0;

    for (size_t w = 0; w < G_N_ELEMENTS(words); w++) {
        if (strcmp(text, words[w].word) == 0) {
            text = words[w].meaning;
        }
    }
    parts = split(text);
    if (parts[i] && g_ascii_isalpha(*parts[i]) &&
        !parse_weekdays(parts[i++], &calendar.weekdays, error)) {
        return false;
    }
    if (parts[i] && strchr(parts[i], '-') && !parse_date(parts[i++], &calendar, error)) {
        return false;
    }
    if (!parts[i] || parts[i + 1]) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "'%s' does not end with one HOUR:MINUTE", text);
        return false;
    }
    if (!parse_time(parts[i], &calendar, error)) {
        return false;
    }
    *out_calendar = calendar;
    return true;
}

static bool
parse_clock(const char *text, uint16_t *out_minutes)
{
    const char *at = text;
    unsigned hour;
    unsigned minute;

    if (!take_number(&at, false, &hour) || *at != ':') {
        return false;
    }
    at++;
    if (!take_number(&at, false, &minute) || *at || hour > 24 || minute > 59 ||
        hour * 60 + minute > 24 * 60) {
        return false;
    }
    *out_minutes = (uint16_t)(hour * 60 + minute);
    return true;
}

bool
fsn_hours_parse(const char *text, FsnHours *out_hours, GError **error)
{
    FsnHours hours = { .weekdays = (uint8_t)ALL(1, 7) };
    g_auto(GStrv) parts = split(text);
    g_auto(GStrv) ends = NULL;
    guint i = 0;

    if (parts[i] && g_ascii_isalpha(*parts[i]) &&
        !parse_weekdays(parts[i++], &hours.weekdays, error)) {
        return false;
    }
    ends = g_strsplit(parts[i] ? parts[i] : "", "-", 3);
    if (!parts[i] || parts[i + 1] || g_strv_length(ends) != 2 ||
        !parse_clock(ends[0], &hours.from) || !parse_clock(ends[1], &hours.to) ||
        hours.from == 24 * 60) {
        return refuse("time of day (as 22:00-06:00)", text, error);
    }
    *out_hours = hours;
    return true;
}

static bool
has(uint64_t bits, int number)
{
    return bits >> number & 1;
}

bool
fsn_calendar_matches(const FsnCalendar *c, GDateTime *time)
{
    int year = g_date_time_get_year(time);

    return year >= c->first_year && year <= c->last_year &&
           has(c->months, g_date_time_get_month(time)) &&
           has(c->days, g_date_time_get_day_of_month(time)) &&
           has(c->weekdays, g_date_time_get_day_of_week(time)) &&
           has(c->hours, g_date_time_get_hour(time)) &&
           has(c->minutes, g_date_time_get_minute(time));
}

bool
fsn_hours_contain(const FsnHours *hours, GDateTime *time)
{
    int minute = g_date_time_get_hour(time) * 60 + g_date_time_get_minute(time);
    int today = g_date_time_get_day_of_week(time);
    int yesterday = today == 1 ? 7 : today - 1;

    if (hours->from < hours->to) {
        return has(hours->weekdays, today) && minute >= hours->from && minute < hours->to;
    }
    return (has(hours->weekdays, today) && minute >= hours->from) ||
           (has(hours->weekdays, yesterday) && minute < hours->to);
}
