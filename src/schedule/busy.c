/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a domain wakes, by the model of idle times on what the history has of it. */
#include "config.h"

#include "schedule/busy.h"

#include "events/store.h"
#include "models/idle.h"

#include <math.h>

#define DAYS     60
#define FLOOR    .02 /* of a core: less is never activity */
#define AHEAD_US ((int64_t)7 * 86400 * G_USEC_PER_SEC)
/* Older samples say nothing of what comes next. */
#define FRESH_US ((int64_t)2 * 3600 * G_USEC_PER_SEC)

/* NULL without @error where nothing is known. */
static FsnIdleTrack *
load_track(FsnHistory *history,
           const char *uuid,
           int64_t now_us,
           GTimeZone *zone,
           GError **error)
{
    int64_t to_us = now_us / FSN_IDLE_STEP_US * FSN_IDLE_STEP_US;
    int64_t from_us = to_us - (int64_t)DAYS * FSN_IDLE_DAY * FSN_IDLE_STEP_US;
    g_autoptr(FsnSeries) series = fsn_history_series(
        history, uuid, "cpu", from_us, to_us, FSN_IDLE_STEP_US, FSN_HISTORY_MEAN, error);
    g_autoptr(FsnSeries) known = series ? fsn_series_without_lead(series) : NULL;

    if (!known || known->n == 0) {
        return NULL;
    }
    return fsn_idle_track_of_series(known, NAN, FLOOR, zone, error);
}

/* What is known to come, as far as it can be read: it is one hint among others. */
static FsnEvents *
load_events(const FsnIdleTrack *track, const char *uuid, const char *name)
{
    g_autoptr(FsnEvents) events = fsn_events_new();
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *folder = fsn_event_store_default();
    int64_t first_us = fsn_idle_track_time(track, 0);
    int64_t last_us = fsn_idle_track_time(track, fsn_idle_track_count(track) - 1);

    if (!fsn_event_store_load(folder, name, uuid, first_us, last_us + AHEAD_US, events,
                              warnings, NULL)) {
        return fsn_events_new();
    }
    return g_steal_pointer(&events);
}

static bool
is_fresh(const FsnIdleTrack *track, int64_t now_us)
{
    size_t last = fsn_idle_track_count(track) - 1;

    while (last > 0 && !fsn_idle_track_is_known(track, last)) {
        last--;
    }
    return now_us - fsn_idle_track_time(track, last) <= FRESH_US;
}

bool
fsn_schedule_next_wake(FsnHistory *history,
                       const char *uuid,
                       const char *name,
                       int64_t now_us,
                       int64_t until_us,
                       int64_t *out_start_us,
                       char **out_reason,
                       GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    g_autoptr(FsnIdleTrack) track = load_track(history, uuid, now_us, zone, &local);
    g_autoptr(FsnEvents) events = NULL;
    g_autoptr(FsnIdle) idle = NULL;
    FsnIdleInput input = { .track = track };
    FsnIdleForecast forecast;

    *out_start_us = 0;
    *out_reason = NULL;
    if (local) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    if (!track || !is_fresh(track, now_us)) {
        return true;
    }
    input.events = events = load_events(track, uuid, name);
    idle = fsn_idle_new();
    fsn_idle_fit(idle, &input);
    if (fsn_idle_samples(idle) == 0) {
        return true;
    }
    size_t last = fsn_idle_track_count(track) - 1;

    fsn_idle_predict(idle, &input, last, &forecast);
    if (forecast.wake_likely_us > now_us && forecast.wake_likely_us <= until_us) {
        *out_start_us = forecast.wake_likely_us;
        *out_reason = fsn_idle_explain(track, last, &forecast, zone);
    }
    return true;
}
