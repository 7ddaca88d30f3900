/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/events.h"

G_BEGIN_DECLS

/* Longest calendar that is read. */
#define FSN_ICS_MAX (8U << 20)

bool fsn_ics_is_calendar(const char *text, size_t len);

/* Adds the events of an iCalendar file (RFC 5545) that touch [@from_us, @to_us): recurring ones
 * (RRULE, RDATE, EXDATE, changed instances) one by one, cancelled ones not. Times without a
 * zone and whole days are in @zone; other zones are the file's own or the system's. @kind is
 * that of all events; if it is NULL, the first category of each is, made lower case. An instant counts
 * as a minute. Events that cannot be used (an unknown zone, a rule that repeats within the
 * hour, too often, or takes too long to expand) are skipped, and counted in *@out_skipped. What is no calendar at all is
 * FSN_ERROR_FORMAT. Not to be called in two threads at once. */
bool fsn_ics_parse(const char *text,
                   size_t len,
                   const char *kind,
                   GTimeZone *zone,
                   int64_t from_us,
                   int64_t to_us,
                   FsnEvents *events,
                   size_t *out_skipped,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
