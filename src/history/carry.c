/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the history and what a snapshot carries of it. What comes with a snapshot is less
 * precise than what was measured, so anything that is known here stays.
 */
#include "config.h"

#include "history/carry.h"

#include "base/clock.h"
#include "base/error.h"
#include "history/carry-format.h"
#include "history/samples-csv.h"

#include <math.h>
#include <string.h>

#define DAY_US ((int64_t)288 * FSN_HISTORY_FINE_US)

/* Those of the domain first, those of devices last. */
static int
by_kind(gconstpointer a, gconstpointer b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    int order = (int)fsn_metric_kind(x) - (int)fsn_metric_kind(y);

    return order ? order : strcmp(x, y);
}

/* One metric of the window; *@first is moved to the first slot that is known of any. */
static bool
add_metric(FsnHistory *history,
           const char *uuid,
           const char *name,
           FsnCarry *carry,
           size_t *first,
           GError **error)
{
    g_autofree FsnWindow *windows = NULL;
    FsnCarryMetric *metric;
    int64_t start_us;
    size_t n;
    bool known = false;

    if (!fsn_history_windows(history, uuid, name, carry->start_us,
                             carry->start_us + (int64_t)carry->n * carry->step_us,
                             carry->step_us, &windows, &n, &start_us, error)) {
        return false;
    }
    for (size_t i = 0; i < n && !known; i++) {
        known = windows[i].cover > 0;
        *first = known ? MIN(*first, i) : *first;
    }
    if (!known) {
        return true;
    }
    metric = fsn_carry_add(carry, name);
    for (size_t i = 0; i < n; i++) {
        if (windows[i].cover > 0) {
            metric->mean[i] = windows[i].mean;
            metric->p95[i] = windows[i].p95;
        }
    }
    return true;
}

static GBytes *
carry_of(FsnHistory *history,
         const char *uuid,
         int64_t step_us,
         int days,
         size_t max_bytes,
         GError **error)
{
    int64_t end_us = (fsn_realtime_us() / step_us + 1) * step_us;
    g_autoptr(FsnCarry) carry =
        fsn_carry_new(end_us - days * DAY_US, (size_t)(days * DAY_US / step_us));
    g_autoptr(GPtrArray) names = NULL;
    size_t first = carry->n;

    carry->step_us = step_us;
    if (!fsn_history_metrics(history, uuid, &names, error)) {
        return NULL;
    }
    g_ptr_array_sort(names, by_kind);
    for (guint i = 0; i < MIN(names->len, FSN_CARRY_MAX_METRICS); i++) {
        if (!add_metric(history, uuid, names->pdata[i], carry, &first, error)) {
            return NULL;
        }
    }
    if (carry->metrics->len == 0) {
        return NULL;
    }
    /* What is before the first value is not carried. */
    for (guint i = 0; i < carry->metrics->len; i++) {
        FsnCarryMetric *metric = carry->metrics->pdata[i];

        memmove(metric->mean, metric->mean + first, (carry->n - first) * sizeof(double));
        memmove(metric->p95, metric->p95 + first, (carry->n - first) * sizeof(double));
    }
    carry->start_us += (int64_t)first * step_us;
    carry->n -= first;
    return fsn_carry_fit(carry, max_bytes);
}

/* NULL without error if there is none. */
static FsnHistory *
open_history(const char *path, GError **error)
{
    g_autoptr(GError) local = NULL;
    FsnHistory *history = fsn_history_open(path, FSN_HISTORY_READ_ONLY, &local);

    if (!history && !g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&local));
    }
    return history;
}

GBytes *
fsn_history_carry(gpointer path, const char *uuid, GError **error)
{
    g_autoptr(FsnHistory) history = open_history(path, error);

    return history ? carry_of(history, uuid, FSN_HISTORY_FINE_US, FSN_CARRY_DAYS,
                              FSN_CARRY_MAX_BYTES, error)
                   : NULL;
}

GBytes *
fsn_history_carry_small(const char *path,
                        const char *uuid,
                        size_t max_bytes,
                        GError **error)
{
    g_autoptr(FsnHistory) history = open_history(path, error);

    return history ? carry_of(history, uuid, FSN_HISTORY_COARSE_US, FSN_CARRY_SMALL_DAYS,
                              max_bytes, error)
                   : NULL;
}

GBytes *
fsn_samples_carry(const char *path, const char *uuid, int64_t since_us, GError **error)
{
    g_autoptr(FsnHistory) history = open_history(path, error);

    return history
               ? fsn_history_samples_csv(history, uuid, since_us, FSN_SAMPLES_MAX, error)
               : NULL;
}

static bool
absorb_metric(FsnHistory *history,
              const char *uuid,
              const char *name,
              const FsnCarry *carry,
              const FsnCarryMetric *metric,
              int64_t now_us,
              GError **error)
{
    /* An hour is as good as its windows of 5 minutes, all alike, where nothing better is known. */
    size_t each = (size_t)(carry->step_us / FSN_HISTORY_FINE_US);
    g_autofree FsnWindow *windows = g_new0(FsnWindow, carry->n * each);
    /* A clock that was ahead, or a window that somebody has made up, says nothing of the future. */
    int64_t past = (now_us - carry->start_us) / FSN_HISTORY_FINE_US;
    size_t n = (size_t)CLAMP(past, 0, (int64_t)(carry->n * each));

    for (size_t i = 0; i < n; i++) {
        if (!isnan(metric->mean[i / each]) && !isnan(metric->p95[i / each])) {
            windows[i] = (FsnWindow){ .min = NAN,
                                      .mean = metric->mean[i / each],
                                      .max = NAN,
                                      .p95 = metric->p95[i / each],
                                      .cover = 1 };
        }
    }
    return fsn_history_merge(history, uuid, name, metric->name, carry->start_us, windows,
                             n, now_us, error);
}

bool
fsn_history_absorb(
    gpointer path, const char *uuid, const char *name, GBytes *bytes, GError **error)
{
    g_autoptr(FsnCarry) carry =
        fsn_carry_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error);
    g_autoptr(FsnHistory) history =
        carry ? fsn_history_open(path, FSN_HISTORY_CREATE, error) : NULL;

    if (!history || !fsn_history_begin(history, error)) {
        return false;
    }
    for (guint i = 0; i < carry->metrics->len; i++) {
        if (!absorb_metric(history, uuid, name, carry, carry->metrics->pdata[i],
                           fsn_realtime_us(), error)) {
            return false; /* it is rolled back */
        }
    }
    if (!fsn_history_commit(history, error)) {
        fsn_history_rollback(history);
        return false;
    }
    return true;
}
