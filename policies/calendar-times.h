/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/calendar.h"

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* From wall clocks to instants: when a calendar expression comes. Pure.
 *
 * Where the clock is put forward, times that it skips come together at the instant at which it
 * jumps. Where it is put back, a time that it shows twice comes the first time. An expression of
 * every hour goes by hours instead: it comes in each hour that there is, also in both of a
 * name. */

/* The instants (int64_t, microseconds since 1970, UTC), ascending and each once, of any of the
 * @n @calendars after @from_us up to @to_us, which is no more than FSN_CALENDAR_SPAN_US later:
 * what is before that is left out. The caller unrefs. */
#define FSN_CALENDAR_SPAN_US ((int64_t)400 * 86400 * G_USEC_PER_SEC)
GArray *fsn_calendar_between(const FsnCalendar *calendars,
                             size_t n,
                             GTimeZone *zone,
                             int64_t from_us,
                             int64_t to_us);

/* The first instant from @time_us on that is outside all of the @n @hours; INT64_MAX if that
 * would not come within eight days. */
int64_t fsn_hours_end(const FsnHours *hours, size_t n, GTimeZone *zone, int64_t time_us);

G_END_DECLS
