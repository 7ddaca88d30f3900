/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Calendar expressions, a subset of those of systemd.time(7) to the minute:
 *     [DAYS] [[YEAR-]MONTH-DAY] HOUR:MINUTE
 * DAYS is a list of Mon to Sun; every other field is a star or a list of numbers. An element
 * of a list may be a range FROM..TO, and any element may end with /STEP. Without DAYS and date
 * every day is meant. "hourly", "daily", "weekly" (Monday) and "monthly" are short for such
 * expressions. Pure. */
typedef struct {
    uint64_t minutes; /* bit 0 = minute 0 */
    uint32_t hours;   /* bit 0 = hour 0 */
    uint32_t days;    /* bit 1 = day 1 */
    uint16_t months;  /* bit 1 = January */
    uint8_t weekdays; /* bit 1 = Monday */
    uint16_t first_year;
    uint16_t last_year;
} FsnCalendar;

/* A part of each day, by the wall clock; over midnight if @to is not after @from. */
typedef struct {
    uint16_t from; /* minutes since midnight */
    uint16_t to;
    uint8_t weekdays; /* on which it begins; bit 1 = Monday */
} FsnHours;

/* FSN_ERROR_FORMAT names the field that is wrong. */
bool fsn_calendar_parse(const char *text, FsnCalendar *out_calendar, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* [DAYS] HOUR:MINUTE-HOUR:MINUTE */
bool fsn_hours_parse(const char *text, FsnHours *out_hours, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether the wall clock's @time is in it. */
bool fsn_calendar_matches(const FsnCalendar *calendar, GDateTime *time);
bool fsn_hours_contain(const FsnHours *hours, GDateTime *time);

G_END_DECLS
