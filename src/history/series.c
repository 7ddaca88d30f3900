/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what is kept to series at regular times. What is known of a metric is a row of pieces
 * of time with a window each: hours of long ago, windows of 5 minutes, samples that are not
 * rolled up yet. A step of the series takes its share of every piece that touches it.
 */
#include "config.h"

#include "base/error.h"
#include "history/store-private.h"

#include <math.h>
#include <string.h>

/* A value of a moment is a piece so long. */
#define MOMENT_US G_USEC_PER_SEC

typedef struct {
    int64_t start_us;
    int64_t end_us;
    FsnWindow window;
} Piece;

typedef struct {
    FsnHistory *h;
    int64_t domain;
    int64_t metric;
    int64_t from_us;
    int64_t to_us;
    int64_t step_us;
    GArray *pieces;
    GArray *values; /* scratch */
} Query;

static void
add_piece(Query *q, int64_t start_us, int64_t end_us, const FsnWindow *window)
{
    Piece piece = { .start_us = MAX(start_us, q->from_us),
                    .end_us = MIN(end_us, q->to_us),
                    .window = *window };

    if (window->cover > 0 && piece.start_us < piece.end_us) {
        g_array_append_val(q->pieces, piece);
    }
}

static bool
take_sample(gpointer user,
            int64_t domain,
            int64_t key,
            const uint8_t *data,
            size_t len,
            GError **error)
{
    Query *q = user;
    int64_t span_us;

    g_array_set_size(q->values, 0);
    if (!fsn_sample_parse(data, len, &span_us, q->values)) {
        return fsn_history_damaged(q->h, "a sample", error);
    }
    for (guint i = 0; i < q->values->len; i++) {
        const FsnSampleValue *v = &g_array_index(q->values, FsnSampleValue, i);
        FsnWindow w = { .min = v->value, .mean = v->value, .max = v->value };

        w.p95 = v->value;
        w.cover = 255;
        if (v->metric == q->metric) {
            add_piece(q, key - span_us, span_us > 0 ? key : key + MOMENT_US, &w);
        }
    }
    return true;
}

/* Samples: of what is not rolled up, or of all where the steps are finer than windows. Where
 * they begin is *@out_first_us. */
static bool
add_samples(Query *q, int64_t *out_first_us, GError **error)
{
    int64_t from_us =
        q->step_us < FSN_HISTORY_FINE_US ? q->from_us : MAX(q->from_us, q->h->rolled_us);

    if (from_us < q->to_us &&
        !q->h->tables->ops->raw_scan(q->h->tables, q->domain, from_us - 1,
                                     q->to_us + FSN_RATES_MAX_GAP_US, take_sample, q,
                                     error)) {
        return false;
    }
    *out_first_us = q->to_us;
    for (guint i = 0; i < q->pieces->len; i++) {
        Piece *piece = &g_array_index(q->pieces, Piece, i);

        /* The window before holds what the sample says about it. */
        piece->start_us = MAX(piece->start_us, from_us);
        *out_first_us = MIN(*out_first_us, piece->start_us);
    }
    return true;
}

static bool
add_windows(Query *q, int level, int64_t from_us, int64_t to_us, GError **error)
{
    int64_t length = fsn_level_us(level);
    int64_t from = fsn_floor_div(from_us, length);
    int64_t to = fsn_floor_div(to_us - 1, length) + 1;
    g_autofree FsnWindow *windows = NULL;

    if (from_us >= to_us) {
        return true;
    }
    windows = g_new(FsnWindow, to - from);
    if (!fsn_windows_read(q->h, level, q->domain, q->metric, from, to, windows, error)) {
        return false;
    }
    for (int64_t slot = from; slot < to; slot++) {
        add_piece(q, MAX(slot * length, from_us), MIN((slot + 1) * length, to_us),
                  &windows[slot - from]);
    }
    return true;
}

static int
by_start(gconstpointer a, gconstpointer b)
{
    const Piece *x = a, *y = b;

    return (x->start_us > y->start_us) - (x->start_us < y->start_us);
}

/* The step that begins at @start_us, from the pieces from number @first on. */
static void
fill_step(const Query *q,
          int64_t start_us,
          guint first,
          GArray *parts,
          GArray *weights,
          FsnWindow *out)
{
    int64_t end_us = start_us + q->step_us;

    g_array_set_size(parts, 0);
    g_array_set_size(weights, 0);
    for (guint i = first; i < q->pieces->len; i++) {
        const Piece *piece = &g_array_index(q->pieces, Piece, i);
        int64_t overlap = MIN(piece->end_us, end_us) - MAX(piece->start_us, start_us);
        double weight = (double)overlap * piece->window.cover / 255;

        if (piece->start_us >= end_us) {
            break;
        }
        if (overlap > 0) {
            g_array_append_val(parts, piece->window);
            g_array_append_val(weights, weight);
        }
    }
    if (parts->len > 0) {
        *out = fsn_window_combine((const FsnWindow *)(void *)parts->data,
                                  (const double *)(void *)weights->data, parts->len,
                                  (double)q->step_us);
    }
}

static void
fill_steps(const Query *q, FsnWindow *out_windows, size_t n)
{
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(FsnWindow));
    g_autoptr(GArray) weights = g_array_new(FALSE, FALSE, sizeof(double));
    guint first = 0;

    g_array_sort(q->pieces, by_start);
    for (size_t i = 0; i < n; i++) {
        int64_t start_us = q->from_us + (int64_t)i * q->step_us;

        while (first < q->pieces->len &&
               g_array_index(q->pieces, Piece, first).end_us <= start_us) {
            first++;
        }
        fill_step(q, start_us, first, parts, weights, &out_windows[i]);
    }
}

typedef struct {
    const char *name;
    int64_t id;
} NameSearch;

static bool
find_name(gpointer user, int64_t id, const char *name, GError **error)
{
    NameSearch *search = user;

    if (strcmp(name, search->name) == 0) {
        search->id = id;
    }
    return true;
}

/* 0 if there is no such metric. */
static bool
look_up_metric(FsnHistory *h, const char *name, int64_t *out_id, GError **error)
{
    NameSearch search = { .name = name };

    if (!h->tables->ops->metric_each(h->tables, find_name, &search, error)) {
        return false;
    }
    *out_id = search.id;
    return true;
}

static bool
collect(Query *q, GError **error)
{
    int64_t samples_us;
    int64_t fine_us;

    if (!add_samples(q, &samples_us, error)) {
        return false;
    }
    fine_us = CLAMP(q->h->kept_us[0], q->from_us, samples_us);
    return add_windows(q, 0, fine_us, samples_us, error) &&
           add_windows(q, 1, q->from_us, fine_us, error);
}

static bool
run_query(FsnHistory *h,
          const char *uuid,
          const char *metric,
          Query *q,
          FsnWindow *out_windows,
          size_t n,
          GError **error)
{
    h->loaded = false;
    if (!fsn_history_load(h, error) ||
        !fsn_history_domain_id(h, uuid, &q->domain, error) ||
        !look_up_metric(h, metric, &q->metric, error)) {
        return false;
    }
    if (q->domain == 0 || q->metric == 0) {
        return true;
    }
    if (!collect(q, error)) {
        return false;
    }
    fill_steps(q, out_windows, n);
    return true;
}

bool
fsn_history_windows(FsnHistory *history,
                    const char *uuid,
                    const char *metric,
                    int64_t from_us,
                    int64_t to_us,
                    int64_t step_us,
                    FsnWindow **out_windows,
                    size_t *out_n,
                    int64_t *out_start_us,
                    GError **error)
{
    g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(FsnSampleValue));
    g_autofree FsnWindow *windows = NULL;
    int64_t start_us = fsn_floor_div(from_us, MAX(step_us, 1)) * step_us;
    Query q = { .h = history, .step_us = step_us, .pieces = pieces, .values = values };
    bool own = history->depth == 0;
    int64_t n;

    if (step_us < G_USEC_PER_SEC || start_us < 0 || to_us <= start_us ||
        (to_us - start_us) / step_us >= FSN_HISTORY_MAX_POINTS) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "a history has steps of at least a second and at most %d of them",
                    FSN_HISTORY_MAX_POINTS);
        return false;
    }
    n = (to_us - start_us + step_us - 1) / step_us;
    windows = g_new0(FsnWindow, n);
    q.from_us = start_us;
    q.to_us = start_us + n * step_us;
    if (own && !history->tables->ops->begin_read(history->tables, error)) {
        return false;
    }
    if (!run_query(history, uuid, metric, &q, windows, (size_t)n, error)) {
        if (own) {
            history->tables->ops->rollback(history->tables);
        }
        return false;
    }
    if (own && !history->tables->ops->commit(history->tables, error)) {
        return false;
    }
    *out_windows = g_steal_pointer(&windows);
    *out_n = (size_t)n;
    *out_start_us = start_us;
    return true;
}

static double
value_of(const FsnWindow *w, FsnHistoryStat stat)
{
    switch (stat) {
    case FSN_HISTORY_MEAN:
        return w->mean;
    case FSN_HISTORY_MIN:
        return isnan(w->min) ? w->mean : w->min;
    case FSN_HISTORY_MAX:
        return isnan(w->max) ? w->p95 : w->max;
    case FSN_HISTORY_P95:
        return w->p95;
    }
    g_assert_not_reached();
}

FsnSeries *
fsn_history_series(FsnHistory *history,
                   const char *uuid,
                   const char *metric,
                   int64_t from_us,
                   int64_t to_us,
                   int64_t step_us,
                   FsnHistoryStat stat,
                   GError **error)
{
    g_autofree FsnWindow *windows = NULL;
    FsnSeries *series;
    int64_t start_us;
    size_t n;

    if (!fsn_history_windows(history, uuid, metric, from_us, to_us, step_us, &windows, &n,
                             &start_us, error)) {
        return NULL;
    }
    series = fsn_series_new(start_us, step_us, n);
    for (size_t i = 0; i < n; i++) {
        if (windows[i].cover > 0) {
            series->values[i] = value_of(&windows[i], stat);
        }
    }
    return series;
}

/* Numbers of metrics that were found. */
static bool
note_sample(gpointer user,
            int64_t domain,
            int64_t key,
            const uint8_t *data,
            size_t len,
            GError **error)
{
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(FsnSampleValue));
    int64_t span_us;

    if (!fsn_sample_parse(data, len, &span_us, values)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT, "a sample is damaged");
        return false;
    }
    for (guint i = 0; i < values->len; i++) {
        g_hash_table_add(
            user, GINT_TO_POINTER((int)g_array_index(values, FsnSampleValue, i).metric));
    }
    return true;
}

static bool
note_level(FsnHistory *h, int level, int64_t domain, GHashTable *found, GError **error)
{
    g_autoptr(GArray) rows = NULL;
    int64_t metric = 0;

    if (!fsn_windows_rows(h, level, domain, 0, (int64_t)1 << 31, &rows, error)) {
        return false;
    }
    for (guint i = 0; i < rows->len; i++) {
        GArray *windows = g_array_index(rows, FsnSlotRow, i).windows;

        for (guint k = 0; k < windows->len; k++) {
            g_hash_table_add(
                found,
                GINT_TO_POINTER((int)g_array_index(windows, FsnRowWindow, k).metric));
        }
    }
    for (;;) {
        if (!h->tables->ops->pack_metric(h->tables, level, domain, metric, &metric,
                                         error)) {
            return false;
        }
        if (metric < 0) {
            return true;
        }
        g_hash_table_add(found, GINT_TO_POINTER((int)metric));
        metric++;
    }
}

typedef struct {
    GHashTable *found;
    GPtrArray *names;
} Names;

static bool
add_name(gpointer user, int64_t id, const char *name, GError **error)
{
    Names *names = user;

    if (g_hash_table_contains(names->found, GINT_TO_POINTER((int)id))) {
        g_ptr_array_add(names->names, g_strdup(name));
    }
    return true;
}

static int
by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool
fsn_history_metrics(FsnHistory *history,
                    const char *uuid,
                    GPtrArray **out_names,
                    GError **error)
{
    g_autoptr(GHashTable) found = g_hash_table_new(NULL, NULL);
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    Names names = { .found = found, .names = list };
    const FsnTablesOps *ops = history->tables->ops;
    int64_t id;

    if (!fsn_history_domain_id(history, uuid, &id, error) ||
        (id > 0 &&
         (!ops->raw_scan(history->tables, id, 0, INT64_MAX, note_sample, found, error) ||
          !note_level(history, 0, id, found, error) ||
          !note_level(history, 1, id, found, error))) ||
        !ops->metric_each(history->tables, add_name, &names, error)) {
        return false;
    }
    g_ptr_array_sort(list, by_text);
    *out_names = g_steal_pointer(&list);
    return true;
}
