/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Roll-ups: samples to windows of 5 minutes, those to windows of an hour. A window is made
 * when a sample after its end has come; one that comes late makes its windows again, so that
 * the result does not depend on the order in which samples came.
 */
#include "config.h"

#include "history/store-private.h"

#define SLOTS_PER_HOUR (FSN_HISTORY_COARSE_US / FSN_HISTORY_FINE_US)

typedef struct {
    FsnHistory *h;
    FsnAccumulator *accumulator;
    GArray *values; /* of one sample */
    int64_t from;   /* slots */
    int64_t to;
} Collect;

static bool
collect_sample(gpointer user,
               int64_t domain,
               int64_t key,
               const uint8_t *data,
               size_t len,
               GError **error)
{
    Collect *c = user;
    int64_t span_us;

    g_array_set_size(c->values, 0);
    if (!fsn_sample_parse(data, len, &span_us, c->values)) {
        return fsn_history_damaged(c->h, "a sample", error);
    }
    for (guint i = 0; i < c->values->len; i++) {
        const FsnSampleValue *v = &g_array_index(c->values, FsnSampleValue, i);

        fsn_accumulator_add(c->accumulator, domain, v->metric, key, span_us, v->value,
                            c->from, c->to);
    }
    return true;
}

static bool
put_windows(gpointer user, int64_t domain, int64_t slot, GArray *windows, GError **error)
{
    return fsn_windows_put(user, 0, domain, slot, windows, FSN_WINDOWS_REPLACE, error);
}

/* Makes the windows of slots @from … @to - 1 of @domain, or of all (-1). */
static bool
roll_slots(FsnHistory *h, int64_t domain, int64_t from, int64_t to, GError **error)
{
    g_autoptr(FsnAccumulator) accumulator = fsn_accumulator_new(from);
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(FsnSampleValue));
    Collect c = {
        .h = h, .accumulator = accumulator, .values = values, .from = from, .to = to
    };

    return h->tables->ops->raw_scan(h->tables, domain, from * FSN_HISTORY_FINE_US - 1,
                                    to * FSN_HISTORY_FINE_US + FSN_RATES_MAX_GAP_US,
                                    collect_sample, &c, error) &&
           fsn_accumulator_each(accumulator, put_windows, h, error);
}

/* The parts of one metric in an hour. */
typedef struct {
    FsnWindow parts[SLOTS_PER_HOUR];
    double weights[SLOTS_PER_HOUR];
    size_t n;
} Hour;

static void
add_part(Hour *hour, const FsnWindow *part)
{
    hour->parts[hour->n] = *part;
    hour->weights[hour->n++] = part->cover;
}

static FsnWindow
hour_window(const Hour *hour)
{
    return fsn_window_combine(hour->parts, hour->weights, hour->n, 255 * SLOTS_PER_HOUR);
}

static int
by_metric(gconstpointer a, gconstpointer b)
{
    const FsnRowWindow *x = a, *y = b;

    return (x->metric > y->metric) - (x->metric < y->metric);
}

/* The hour @slot of @domain, whose windows of 5 minutes are rows still. */
static bool
roll_hour_of(FsnHistory *h, int64_t domain, int64_t slot, GError **error)
{
    g_autoptr(GArray) rows = NULL;
    g_autoptr(GHashTable) hours = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    g_autoptr(GArray) windows = g_array_new(FALSE, FALSE, sizeof(FsnRowWindow));
    GHashTableIter iter;
    gpointer metric;
    gpointer hour;

    if (!fsn_windows_rows(h, 0, domain, slot * SLOTS_PER_HOUR,
                          (slot + 1) * SLOTS_PER_HOUR, &rows, error)) {
        return false;
    }
    for (guint i = 0; i < rows->len; i++) {
        GArray *row = g_array_index(rows, FsnSlotRow, i).windows;

        for (guint k = 0; k < row->len; k++) {
            const FsnRowWindow *w = &g_array_index(row, FsnRowWindow, k);

            metric = GINT_TO_POINTER((int)w->metric);
            hour = g_hash_table_lookup(hours, metric);
            if (!hour) {
                hour = g_new0(Hour, 1);
                g_hash_table_insert(hours, metric, hour);
            }
            add_part(hour, &w->window);
        }
    }
    g_hash_table_iter_init(&iter, hours);
    while (g_hash_table_iter_next(&iter, &metric, &hour)) {
        FsnRowWindow w = { .metric = GPOINTER_TO_INT(metric),
                           .window = hour_window(hour) };

        g_array_append_val(windows, w);
    }
    g_array_sort(windows, by_metric);
    return windows->len == 0 ||
           fsn_windows_put(h, 1, domain, slot, windows, FSN_WINDOWS_REPLACE, error);
}

static bool
collect_id(gpointer user, const FsnTablesDomain *domain, GError **error)
{
    g_array_append_val((GArray *)user, domain->id);
    return true;
}

static bool
roll_hour(FsnHistory *h, int64_t slot, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));

    if (!h->tables->ops->domain_each(h->tables, collect_id, ids, error)) {
        return false;
    }
    for (guint i = 0; i < ids->len; i++) {
        if (!roll_hour_of(h, g_array_index(ids, int64_t, i), slot, error)) {
            return false;
        }
    }
    return true;
}

/* Everything before @to_us is made now; the hour that was begun, too, if it is over. */
static bool
set_rolled(FsnHistory *h, int64_t to_us, GError **error)
{
    int64_t hour = fsn_floor_div(h->rolled_us, FSN_HISTORY_COARSE_US);

    h->rolled_us = to_us;
    return (to_us < (hour + 1) * FSN_HISTORY_COARSE_US || roll_hour(h, hour, error)) &&
           h->tables->ops->number_put(h->tables, "rolled", to_us, error);
}

bool
fsn_rollup_advance(FsnHistory *h, int64_t newest_us, GError **error)
{
    int64_t end_us = fsn_floor_div(newest_us, FSN_HISTORY_FINE_US) * FSN_HISTORY_FINE_US;

    while (h->rolled_us < end_us) {
        int64_t slot = h->rolled_us / FSN_HISTORY_FINE_US;
        int64_t next_us;
        int64_t first_us;

        if (!h->tables->ops->raw_next(h->tables, h->rolled_us - 1, &next_us, error)) {
            return false;
        }
        /* Nothing can lie in the windows of a gap. */
        first_us = MIN(next_us, end_us + FSN_RATES_MAX_GAP_US) - FSN_RATES_MAX_GAP_US;
        first_us = fsn_floor_div(first_us, FSN_HISTORY_FINE_US) * FSN_HISTORY_FINE_US;
        if (first_us > h->rolled_us) {
            if (!set_rolled(h, MIN(first_us, end_us), error)) {
                return false;
            }
            continue;
        }
        if (!roll_slots(h, -1, slot, slot + 1, error) ||
            !set_rolled(h, (slot + 1) * FSN_HISTORY_FINE_US, error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_rollup_hours(FsnHistory *h,
                 int64_t domain,
                 int64_t metric,
                 int64_t from_us,
                 int64_t to_us,
                 GError **error)
{
    int64_t from = fsn_floor_div(from_us, FSN_HISTORY_COARSE_US);
    int64_t to = MIN(fsn_floor_div(to_us - 1, FSN_HISTORY_COARSE_US) + 1,
                     fsn_floor_div(h->rolled_us, FSN_HISTORY_COARSE_US));
    g_autofree FsnWindow *fine = NULL;
    g_autofree FsnWindow *hours = NULL;

    if (from >= to) {
        return true;
    }
    fine = g_new0(FsnWindow, (to - from) * SLOTS_PER_HOUR);
    hours = g_new0(FsnWindow, to - from);
    if (!fsn_windows_read(h, 0, domain, metric, from * SLOTS_PER_HOUR,
                          to * SLOTS_PER_HOUR, fine, error)) {
        return false;
    }
    for (int64_t i = 0; i < to - from; i++) {
        Hour hour = { .n = 0 };

        for (int64_t k = 0; k < SLOTS_PER_HOUR; k++) {
            if (fine[i * SLOTS_PER_HOUR + k].cover > 0) {
                add_part(&hour, &fine[i * SLOTS_PER_HOUR + k]);
            }
        }
        if (hour.n > 0) {
            hours[i] = hour_window(&hour);
        }
    }
    return fsn_windows_put_metric(h, 1, domain, metric, from, hours, (size_t)(to - from),
                                  FSN_WINDOWS_REPLACE, error);
}

/* Which metrics were made again. */
typedef struct {
    FsnHistory *h;
    GHashTable *metrics;
} Again;

static bool
put_again(gpointer user, int64_t domain, int64_t slot, GArray *windows, GError **error)
{
    Again *again = user;

    for (guint i = 0; i < windows->len; i++) {
        g_hash_table_add(
            again->metrics,
            GINT_TO_POINTER((int)g_array_index(windows, FsnRowWindow, i).metric));
    }
    return put_windows(again->h, domain, slot, windows, error);
}

bool
fsn_rollup_again(
    FsnHistory *h, int64_t domain, int64_t from_us, int64_t to_us, GError **error)
{
    int64_t from = fsn_floor_div(from_us, FSN_HISTORY_FINE_US);
    int64_t to = MIN(fsn_floor_div(to_us, FSN_HISTORY_FINE_US) + 1,
                     fsn_floor_div(h->rolled_us, FSN_HISTORY_FINE_US));
    g_autoptr(FsnAccumulator) accumulator = fsn_accumulator_new(from);
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(FsnSampleValue));
    g_autoptr(GHashTable) metrics = g_hash_table_new(NULL, NULL);
    Collect c = {
        .h = h, .accumulator = accumulator, .values = values, .from = from, .to = to
    };
    Again again = { .h = h, .metrics = metrics };
    GHashTableIter iter;
    gpointer metric;

    if (from >= to) {
        return true;
    }
    if (!h->tables->ops->raw_scan(h->tables, domain, from * FSN_HISTORY_FINE_US - 1,
                                  to * FSN_HISTORY_FINE_US + FSN_RATES_MAX_GAP_US,
                                  collect_sample, &c, error) ||
        !fsn_accumulator_each(accumulator, put_again, &again, error)) {
        return false;
    }
    g_hash_table_iter_init(&iter, metrics);
    while (g_hash_table_iter_next(&iter, &metric, NULL)) {
        if (!fsn_rollup_hours(h, domain, GPOINTER_TO_INT(metric),
                              from * FSN_HISTORY_FINE_US, to * FSN_HISTORY_FINE_US,
                              error)) {
            return false;
        }
    }
    return true;
}
