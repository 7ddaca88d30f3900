/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Windows that come from elsewhere, or late: from a snapshot, from a file, by hand. Of two of
 * the same time the better known one stays, so that to merge twice is to merge once. What is
 * older than windows of 5 minutes are kept becomes hours at once.
 */
#include "config.h"

#include "history/merge-private.h"

#include <string.h>

#define DAY_US         (FSN_HISTORY_FINE_US * FSN_PACKED_SLOTS)
#define SLOTS_PER_HOUR (FSN_HISTORY_COARSE_US / FSN_HISTORY_FINE_US)
#define HOURS          (FSN_PACKED_SLOTS / SLOTS_PER_HOUR)

/* Hours of a day out of its windows. */
static bool
merge_hours(FsnHistory *h,
            int64_t domain,
            int64_t metric,
            int64_t day,
            const FsnWindow *windows,
            GError **error)
{
    FsnWindow hours[HOURS] = { 0 };

    for (int i = 0; i < HOURS; i++) {
        FsnWindow parts[SLOTS_PER_HOUR];
        double weights[SLOTS_PER_HOUR];
        size_t n = 0;

        for (int k = 0; k < SLOTS_PER_HOUR; k++) {
            const FsnWindow *w = &windows[i * SLOTS_PER_HOUR + k];

            if (w->cover > 0) {
                parts[n] = *w;
                weights[n++] = w->cover;
            }
        }
        if (n > 0) {
            hours[i] = fsn_window_combine(parts, weights, n, 255 * SLOTS_PER_HOUR);
        }
    }
    return fsn_windows_put_metric(h, 1, domain, metric, day * HOURS, hours, HOURS,
                                  FSN_WINDOWS_BETTER, error);
}

/* Whether all of @windows (slots from @first) are known here as well, or better. */
static bool
is_known(FsnHistory *h,
         int64_t domain,
         int64_t metric,
         int64_t first,
         const FsnWindow *windows,
         bool *out_known,
         GError **error)
{
    FsnWindow there[FSN_PACKED_SLOTS];

    if (!fsn_windows_read(h, 0, domain, metric, first, first + FSN_PACKED_SLOTS, there,
                          error)) {
        return false;
    }
    *out_known = true;
    for (int i = 0; i < FSN_PACKED_SLOTS; i++) {
        *out_known = *out_known &&
                     (windows[i].cover == 0 || fsn_window_covers(&there[i], &windows[i]));
    }
    return true;
}

/* A day of one metric: slots before the end of what is kept are hours only. */
static bool
merge_day(FsnHistory *h,
          int64_t domain,
          int64_t metric,
          int64_t day,
          FsnWindow *windows,
          GError **error)
{
    FsnWindow old[FSN_PACKED_SLOTS] = { 0 };
    int64_t first = day * FSN_PACKED_SLOTS;
    bool any_old = false;
    bool any_new = false;

    for (int i = 0; i < FSN_PACKED_SLOTS; i++) {
        int64_t time_us = (first + i) * FSN_HISTORY_FINE_US;

        if (windows[i].cover > 0 && time_us < h->kept_us[0]) {
            any_old = any_old || time_us >= h->kept_us[1];
            old[i] = windows[i];
            windows[i].cover = 0;
        }
        any_new = any_new || windows[i].cover > 0;
    }
    /* A domain that comes back to where it was brings nothing new. */
    if (any_new) {
        bool known;

        if (!is_known(h, domain, metric, first, windows, &known, error)) {
            return false;
        }
        any_new = !known;
    }
    return (!any_old || merge_hours(h, domain, metric, day, old, error)) &&
           (!any_new ||
            (fsn_windows_put_metric(h, 0, domain, metric, first, windows,
                                    FSN_PACKED_SLOTS, FSN_WINDOWS_BETTER, error) &&
             fsn_rollup_hours(h, domain, metric, MAX(day * DAY_US, h->kept_us[0]),
                              (day + 1) * DAY_US, error)));
}

/* An empty history: everything that comes is about the past. */
static bool
begin_history(FsnHistory *h, int64_t now_us, GError **error)
{
    if (h->rolled_us > 0) {
        return true;
    }
    h->rolled_us = fsn_floor_div(now_us, FSN_HISTORY_FINE_US) * FSN_HISTORY_FINE_US;
    return h->tables->ops->number_put(h->tables, "rolled", h->rolled_us, error) &&
           fsn_retain(h, now_us, error);
}

/* Days of metrics, collected from slots. */
typedef struct {
    int64_t domain, metric, day;
    FsnWindow windows[FSN_PACKED_SLOTS];
} Day;

static guint
day_hash(gconstpointer key)
{
    const Day *d = key;

    return (guint)(d->domain * 31 + d->metric * 65599 + d->day);
}

static gboolean
day_equal(gconstpointer a, gconstpointer b)
{
    const Day *x = a, *y = b;

    return x->domain == y->domain && x->metric == y->metric && x->day == y->day;
}

static bool
collect_day(gpointer user, int64_t domain, int64_t slot, GArray *windows, GError **error)
{
    GHashTable *days = user;

    for (guint i = 0; i < windows->len; i++) {
        const FsnRowWindow *row = &g_array_index(windows, FsnRowWindow, i);
        Day key = { .domain = domain,
                    .metric = row->metric,
                    .day = fsn_floor_div(slot, FSN_PACKED_SLOTS) };
        Day *day = g_hash_table_lookup(days, &key);

        if (!day) {
            day = g_memdup2(&key, sizeof key);
            g_hash_table_add(days, day);
        }
        day->windows[slot - key.day * FSN_PACKED_SLOTS] = row->window;
    }
    return true;
}

bool
fsn_merge_accumulated(FsnHistory *h, FsnAccumulator *a, int64_t now_us, GError **error)
{
    g_autoptr(GHashTable) days = g_hash_table_new_full(day_hash, day_equal, g_free, NULL);
    GHashTableIter iter;
    gpointer key;

    if (!begin_history(h, now_us, error) ||
        !fsn_accumulator_each(a, collect_day, days, error)) {
        return false;
    }
    g_hash_table_iter_init(&iter, days);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        Day *day = key;

        if (!merge_day(h, day->domain, day->metric, day->day, day->windows, error)) {
            return false;
        }
    }
    return true;
}

static bool
merge_all(FsnHistory *h,
          int64_t domain,
          int64_t metric,
          int64_t slot,
          const FsnWindow *windows,
          size_t n,
          GError **error)
{
    int64_t end = slot + (int64_t)n;

    for (int64_t day = fsn_floor_div(slot, FSN_PACKED_SLOTS);
         day * FSN_PACKED_SLOTS < end; day++) {
        FsnWindow part[FSN_PACKED_SLOTS] = { 0 };
        int64_t first = day * FSN_PACKED_SLOTS;

        for (int64_t s = MAX(first, slot); s < MIN(first + FSN_PACKED_SLOTS, end); s++) {
            part[s - first] = windows[s - slot];
        }
        if (!merge_day(h, domain, metric, day, part, error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_history_merge(FsnHistory *history,
                  const char *uuid,
                  const char *name,
                  const char *metric,
                  int64_t start_us,
                  const FsnWindow *windows,
                  size_t n,
                  int64_t now_us,
                  GError **error)
{
    int64_t domain;
    int64_t id;

    g_return_val_if_fail(start_us >= 0 && start_us % FSN_HISTORY_FINE_US == 0, false);
    if (!fsn_history_begin(history, error)) {
        return false;
    }
    if (!fsn_history_load(history, error) || !begin_history(history, now_us, error) ||
        !fsn_history_domain_make(history, uuid, name, 0, &domain, error) ||
        !fsn_history_metric_id(history, metric, &id, error) ||
        !merge_all(history, domain, id, start_us / FSN_HISTORY_FINE_US, windows, n,
                   error) ||
        !fsn_history_commit(history, error)) {
        fsn_history_rollback(history);
        return false;
    }
    return true;
}
