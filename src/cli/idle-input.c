/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Brings together what a domain's activity is foretold from: its CPU use out of the history,
 * a file or Prometheus, other metrics of the history, and known events.
 */
#include "config.h"

#include "cli/idle-input.h"

#include "base/error.h"
#include "base/files.h"
#include "events/store.h"
#include "history/store.h"
#include "models/idle-csv.h"
#include "net/prometheus.h"

#include <string.h>

#define DAYS          60
#define AHEAD_US      ((int64_t)7 * 86400 * G_USEC_PER_SEC)
#define CSV_MAX       ((size_t)256 << 20)
/* 2 % of a processor: of values in cores, and of values in per cent. */
#define FLOOR_CORES   .02
#define FLOOR_PERCENT 2.

void
fsn_idle_data_clear(FsnIdleData *data)
{
    g_clear_pointer(&data->track, fsn_idle_track_free);
    g_clear_pointer(&data->events, fsn_events_free);
    for (size_t k = 0; k < FSN_IDLE_EXTRAS_MAX; k++) {
        g_clear_pointer(&data->extras[k], fsn_series_free);
        g_clear_pointer(&data->means[k], g_free);
    }
    g_clear_pointer(&data->name, g_free);
    g_clear_pointer(&data->uuid, g_free);
    g_clear_pointer(&data->warnings, g_ptr_array_unref);
}

/* The last sixty days of a metric, in whole samples. */
static FsnSeries *
metric_series(FsnHistory *history,
              const char *uuid,
              const char *metric,
              int64_t now_us,
              GError **error)
{
    int64_t to_us = now_us / FSN_IDLE_STEP_US * FSN_IDLE_STEP_US;

    return fsn_history_series(history, uuid, metric,
                              to_us - (int64_t)DAYS * FSN_IDLE_DAY * FSN_IDLE_STEP_US,
                              to_us, FSN_IDLE_STEP_US, FSN_HISTORY_MEAN, error);
}

static bool
make_track(const FsnIdleRequest *request,
           FsnIdleData *data,
           const FsnSeries *series,
           double floor,
           GError **error)
{
    g_autoptr(FsnSeries) rest = fsn_series_without_lead(series);
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();

    if (rest->n == 0) {
        g_set_error(
            error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
            "nothing is known of the CPU use of '%s': 'foresnap sample' records it",
            data->name);
        return false;
    }
    data->track = fsn_idle_track_of_series(rest, request->threshold, floor, zone, error);
    data->input.track = data->track;
    return data->track != NULL;
}

static bool
load_csv(const FsnIdleRequest *request, FsnIdleData *data, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(FsnSeries) series = NULL;
    gsize len;

    if (!fsn_file_read(request->csv, CSV_MAX, &bytes, error)) {
        return false;
    }
    const char *text = g_bytes_get_data(bytes, &len);

    series = fsn_idle_parse_csv(text ? text : "", len, FSN_IDLE_STEP_US, error);
    if (!series) {
        g_prefix_error(error, "'%s': ", request->csv);
        return false;
    }
    return make_track(request, data, series, FLOOR_PERCENT, error);
}

static bool
load_prometheus(const FsnIdleRequest *request, FsnIdleData *data, GError **error)
{
    int64_t to_us = request->now_us / FSN_IDLE_STEP_US * FSN_IDLE_STEP_US;
    g_autoptr(FsnSeries) series = NULL;

    return fsn_prometheus_range(request->prometheus, request->query,
                                to_us - (int64_t)DAYS * FSN_IDLE_DAY * FSN_IDLE_STEP_US,
                                to_us, FSN_IDLE_STEP_US, request->cancellable, &series,
                                error) &&
           make_track(request, data, series, FLOOR_CORES, error);
}

static bool
add_extra(const FsnIdleRequest *request,
          FsnIdleData *data,
          FsnHistory *history,
          const char *uuid,
          const char *metric,
          GError **error)
{
    size_t k = data->input.n_extras;

    if (k == FSN_IDLE_EXTRAS_MAX) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "at most %d metrics can be added",
                    FSN_IDLE_EXTRAS_MAX);
        return false;
    }
    if (!fsn_metric_name_check(metric, error)) {
        return false;
    }
    g_autoptr(FsnSeries) series =
        metric_series(history, uuid, metric, request->now_us, error);

    if (!series || !fsn_idle_extra_of_series(data->track, series, &data->extras[k],
                                             &data->means[k], error)) {
        return false;
    }
    data->input.extra_names[k] = metric;
    data->input.extras[k] = data->extras[k];
    data->input.extra_means[k] = data->means[k];
    data->input.n_extras++;
    return true;
}

static bool
load_history(const FsnIdleRequest *request,
             FsnIdleData *data,
             char **out_uuid,
             GError **error)
{
    g_autofree char *usual = fsn_history_default_path();
    g_autoptr(FsnHistory) history = fsn_history_open(
        request->history ? request->history : usual, FSN_HISTORY_READ_ONLY, error);
    g_autoptr(FsnSeries) series = NULL;

    if (!history || !fsn_history_find(history, request->domain, out_uuid, error)) {
        return false;
    }
    series = metric_series(history, *out_uuid, "cpu", request->now_us, error);
    if (!series || !make_track(request, data, series, FLOOR_CORES, error)) {
        return false;
    }
    for (char **metric = request->with; metric && *metric; metric++) {
        if (!add_extra(request, data, history, *out_uuid, *metric, error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_idle_data_load(const FsnIdleRequest *request, FsnIdleData *out_data, GError **error)
{
    g_auto(FsnIdleData) data = { .warnings = g_ptr_array_new_with_free_func(g_free) };
    g_autofree char *folder = fsn_event_store_default();

    data.name = g_strdup(request->domain ? request->domain
                         : request->csv  ? request->csv
                                         : request->query);
    if (!(request->csv          ? load_csv(request, &data, error)
          : request->prometheus ? load_prometheus(request, &data, error)
                                : load_history(request, &data, &data.uuid, error))) {
        return false;
    }
    if (!request->no_events) {
        int64_t first_us = fsn_idle_track_time(data.track, 0);
        int64_t last_us =
            fsn_idle_track_time(data.track, fsn_idle_track_count(data.track));

        data.events = fsn_events_new();
        data.input.events = data.events;
        if (!fsn_event_store_load(folder, request->domain, data.uuid, first_us,
                                  last_us + AHEAD_US, data.events, data.warnings,
                                  error)) {
            return false;
        }
    }
    *out_data = data;
    memset(&data, 0, sizeof data);
    return true;
}
