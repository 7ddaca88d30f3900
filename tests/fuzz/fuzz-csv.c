/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as comma-separated values: events and series within their bounds, or errors. */
#include "config.h"

#include "models/events-csv.h"
#include "models/idle-csv.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(FsnEvents) events = fsn_events_new();
    g_autoptr(FsnSeries) series =
        fsn_idle_parse_csv(text, size, (int64_t)300 * G_USEC_PER_SEC, NULL);

    for (size_t i = 0; series && i < series->n; i++) {
        if (isinf(series->values[i])) {
            g_error("an infinite value");
        }
    }
    if (fsn_events_parse_csv(text, size, NULL, utc, events, NULL)) {
        for (size_t i = 0; i < fsn_events_count(events); i++) {
            const FsnEvent *event = fsn_events_get(events, i);

            if (event->end_us <= event->start_us ||
                !fsn_event_kind_is_valid(event->kind) ||
                !g_utf8_validate(event->name, -1, NULL)) {
                g_error("an event out of bounds");
            }
        }
    }
    return 0;
}
