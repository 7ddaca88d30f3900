/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a calendar: events within their bounds, or an error, before long. */
#include "config.h"

#include "calendar/ics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t from_us = (int64_t)1767225600 * G_USEC_PER_SEC;
    static const int64_t range_us = (int64_t)90 * 86400 * G_USEC_PER_SEC;
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(FsnEvents) events = fsn_events_new();
    size_t skipped;

    if (!fsn_ics_parse((const char *)data, size, NULL, utc, from_us, from_us + range_us,
                       events, &skipped, NULL)) {
        return 0;
    }
    for (size_t i = 0; i < fsn_events_count(events); i++) {
        const FsnEvent *event = fsn_events_get(events, i);

        if (event->end_us <= from_us || event->start_us >= from_us + range_us) {
            g_error("an event out of the range");
        }
    }
    return 0;
}
