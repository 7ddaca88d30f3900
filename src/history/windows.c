/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Windows in the database. The newest lie in rows, one for all metrics of a domain, because
 * that is how they come; when a span of them is over they move into packs, one per metric,
 * because that is small and how they are asked for. Where a slot is in both, the row counts.
 */
#include "config.h"

#include "base/error.h"
#include "history/store-private.h"

#include <string.h>

/* Samples come at most so late; after it a span does not change any more as a rule. */
#define LATE_US ((int64_t)3600 * G_USEC_PER_SEC)

static void
slot_row_clear(gpointer data)
{
    g_clear_pointer(&((FsnSlotRow *)data)->windows, g_array_unref);
}

bool
fsn_history_damaged(FsnHistory *h, const char *what, GError **error)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT,
                "the history is damaged (%s); move it away, and a new one is begun",
                what);
    return false;
}

int64_t
fsn_windows_due_span(const FsnHistory *h, int level)
{
    return fsn_floor_div(h->rolled_us - LATE_US, fsn_level_us(level) * FSN_PACKED_SLOTS);
}

typedef struct {
    FsnHistory *h;
    GArray *rows;
} CollectRows;

static bool
collect_row(gpointer user,
            int64_t domain,
            int64_t key,
            const uint8_t *data,
            size_t len,
            GError **error)
{
    CollectRows *c = user;
    FsnSlotRow row = { .slot = key,
                       .windows = g_array_new(FALSE, FALSE, sizeof(FsnRowWindow)) };

    g_array_append_val(c->rows, row);
    return fsn_row_parse(data, len, row.windows) ||
           fsn_history_damaged(c->h, "a row of windows", error);
}

bool
fsn_windows_rows(FsnHistory *h,
                 int level,
                 int64_t domain,
                 int64_t from,
                 int64_t to,
                 GArray **out_rows,
                 GError **error)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(FsnSlotRow));
    CollectRows c = { .h = h, .rows = rows };

    g_array_set_clear_func(rows, slot_row_clear);
    if (!h->tables->ops->row_scan(h->tables, level, domain, from, to, collect_row, &c,
                                  error)) {
        return false;
    }
    *out_rows = g_steal_pointer(&rows);
    return true;
}

typedef struct {
    FsnHistory *h;
    int64_t from;
    int64_t to;
    FsnWindow *windows;
} CollectPacks;

static bool
collect_pack(gpointer user,
             int64_t domain,
             int64_t key,
             const uint8_t *data,
             size_t len,
             GError **error)
{
    CollectPacks *c = user;
    FsnWindow windows[FSN_PACKED_SLOTS];
    int64_t first = key * FSN_PACKED_SLOTS;

    if (!fsn_packed_parse(data, len, c->h->codec, windows)) {
        return fsn_history_damaged(c->h, "a pack of windows", error);
    }
    for (int64_t i = 0; i < FSN_PACKED_SLOTS; i++) {
        if (windows[i].cover > 0 && first + i >= c->from && first + i < c->to) {
            c->windows[first + i - c->from] = windows[i];
        }
    }
    return true;
}

static const FsnWindow *
find_metric(GArray *windows, int64_t metric)
{
    for (guint i = 0; i < windows->len; i++) {
        const FsnRowWindow *row = &g_array_index(windows, FsnRowWindow, i);

        if (row->metric == metric) {
            return &row->window;
        }
    }
    return NULL;
}

bool
fsn_windows_read(FsnHistory *h,
                 int level,
                 int64_t domain,
                 int64_t metric,
                 int64_t from,
                 int64_t to,
                 FsnWindow *out_windows,
                 GError **error)
{
    g_autoptr(GArray) rows = NULL;
    CollectPacks c = { .h = h, .from = from, .to = to, .windows = out_windows };

    memset(out_windows, 0, (size_t)(to - from) * sizeof *out_windows);
    if (!h->tables->ops->pack_scan(
            h->tables, level, domain, metric, fsn_floor_div(from, FSN_PACKED_SLOTS),
            fsn_floor_div(to - 1, FSN_PACKED_SLOTS) + 1, collect_pack, &c, error) ||
        !fsn_windows_rows(h, level, domain, from, to, &rows, error)) {
        return false;
    }
    for (guint i = 0; i < rows->len; i++) {
        const FsnSlotRow *row = &g_array_index(rows, FsnSlotRow, i);
        const FsnWindow *found = find_metric(row->windows, metric);

        if (found) {
            out_windows[row->slot - from] = *found;
        }
    }
    return true;
}

/* Puts @windows into the pack of a span, by @rule. */
static bool
update_pack(FsnHistory *h,
            int level,
            int64_t domain,
            int64_t metric,
            int64_t span,
            const FsnWindow *windows,
            FsnWindowsRule rule,
            GError **error)
{
    const FsnTablesOps *ops = h->tables->ops;
    FsnWindow merged[FSN_PACKED_SLOTS] = { 0 };
    int64_t first = span * FSN_PACKED_SLOTS;
    CollectPacks c = {
        .h = h, .from = first, .to = first + FSN_PACKED_SLOTS, .windows = merged
    };
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    if (!ops->pack_scan(h->tables, level, domain, metric, span, span + 1, collect_pack,
                        &c, error)) {
        return false;
    }
    for (int i = 0; i < FSN_PACKED_SLOTS; i++) {
        if (windows[i].cover > 0 && (rule == FSN_WINDOWS_REPLACE ||
                                     !fsn_window_covers(&merged[i], &windows[i]))) {
            merged[i] = windows[i];
        }
    }
    fsn_packed_append(bytes, h->codec, merged);
    return ops->pack_put(h->tables, level, domain, metric, span, bytes->data, bytes->len,
                         error);
}

/* The windows of both, ascending. */
static GArray *
merge_rows(GArray *old, GArray *new, FsnWindowsRule rule)
{
    GArray *merged = g_array_new(FALSE, FALSE, sizeof(FsnRowWindow));
    guint i = 0;
    guint k = 0;

    while (i < old->len || k < new->len) {
        const FsnRowWindow *a =
            i < old->len ? &g_array_index(old, FsnRowWindow, i) : NULL;
        const FsnRowWindow *b =
            k < new->len ? &g_array_index(new, FsnRowWindow, k) : NULL;
        const FsnRowWindow *chosen = !b || (a && a->metric < b->metric) ? a : b;

        if (a && b && a->metric == b->metric && rule == FSN_WINDOWS_BETTER &&
            fsn_window_covers(&a->window, &b->window)) {
            chosen = a;
        }
        i += a && a->metric == chosen->metric;
        k += b && b->metric == chosen->metric;
        g_array_append_vals(merged, chosen, 1);
    }
    return merged;
}

static bool
put_row(FsnHistory *h,
        int level,
        int64_t domain,
        int64_t slot,
        GArray *windows,
        GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    fsn_row_append(bytes, (const FsnRowWindow *)(void *)windows->data, windows->len);
    return h->tables->ops->row_put(h->tables, level, domain, slot, bytes->data,
                                   bytes->len, error);
}

bool
fsn_windows_put(FsnHistory *h,
                int level,
                int64_t domain,
                int64_t slot,
                GArray *windows,
                FsnWindowsRule rule,
                GError **error)
{
    int64_t span = fsn_floor_div(slot, FSN_PACKED_SLOTS);
    g_autoptr(GArray) rows = NULL;

    if (!fsn_windows_rows(h, level, domain, slot, slot + 1, &rows, error)) {
        return false;
    }
    if (rows->len > 0) {
        g_autoptr(GArray) merged =
            merge_rows(g_array_index(rows, FsnSlotRow, 0).windows, windows, rule);

        return put_row(h, level, domain, slot, merged, error);
    }
    if (span >= fsn_windows_due_span(h, level)) {
        return put_row(h, level, domain, slot, windows, error);
    }
    for (guint i = 0; i < windows->len; i++) {
        const FsnRowWindow *row = &g_array_index(windows, FsnRowWindow, i);
        FsnWindow one[FSN_PACKED_SLOTS] = { 0 };

        one[slot - span * FSN_PACKED_SLOTS] = row->window;
        if (!update_pack(h, level, domain, row->metric, span, one, rule, error)) {
            return false;
        }
    }
    return true;
}

/* The part of @windows (slots from @from) that lies in @span, one slot at a time. */
static bool
put_slots(FsnHistory *h,
          int level,
          int64_t domain,
          int64_t metric,
          int64_t from,
          const FsnWindow *windows,
          size_t n,
          FsnWindowsRule rule,
          GError **error)
{
    g_autoptr(GArray) one = g_array_new(FALSE, FALSE, sizeof(FsnRowWindow));

    for (size_t i = 0; i < n; i++) {
        FsnRowWindow row = { .metric = metric, .window = windows[i] };

        if (windows[i].cover == 0) {
            continue;
        }
        g_array_set_size(one, 0);
        g_array_append_val(one, row);
        if (!fsn_windows_put(h, level, domain, from + (int64_t)i, one, rule, error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_windows_put_metric(FsnHistory *h,
                       int level,
                       int64_t domain,
                       int64_t metric,
                       int64_t from,
                       const FsnWindow *windows,
                       size_t n,
                       FsnWindowsRule rule,
                       GError **error)
{
    int64_t end = from + (int64_t)n;

    while (from < end) {
        int64_t span = fsn_floor_div(from, FSN_PACKED_SLOTS);
        int64_t first = span * FSN_PACKED_SLOTS;
        int64_t stop = MIN(end, first + FSN_PACKED_SLOTS);
        FsnWindow day[FSN_PACKED_SLOTS] = { 0 };
        bool any = false;
        bool ok = true;

        for (int64_t slot = from; slot < stop; slot++) {
            day[slot - first] = windows[slot - from];
            any = any || windows[slot - from].cover > 0;
        }
        if (any && span >= fsn_windows_due_span(h, level)) {
            ok = put_slots(h, level, domain, metric, from, windows, (size_t)(stop - from),
                           rule, error);
        } else if (any) {
            ok = fsn_windows_pack(h, level, domain, span, error) &&
                 update_pack(h, level, domain, metric, span, day, rule, error);
        }
        if (!ok) {
            return false;
        }
        windows += stop - from;
        from = stop;
    }
    return true;
}

static void
free_windows(gpointer data)
{
    g_free(data);
}

bool
fsn_windows_pack(FsnHistory *h, int level, int64_t domain, int64_t span, GError **error)
{
    int64_t first = span * FSN_PACKED_SLOTS;
    g_autoptr(GArray) rows = NULL;
    g_autoptr(GHashTable) metrics = g_hash_table_new_full(NULL, NULL, NULL, free_windows);
    GHashTableIter iter;
    gpointer metric;
    gpointer windows;

    if (!fsn_windows_rows(h, level, domain, first, first + FSN_PACKED_SLOTS, &rows,
                          error)) {
        return false;
    }
    for (guint i = 0; i < rows->len; i++) {
        const FsnSlotRow *row = &g_array_index(rows, FsnSlotRow, i);

        for (guint k = 0; k < row->windows->len; k++) {
            const FsnRowWindow *w = &g_array_index(row->windows, FsnRowWindow, k);

            metric = GINT_TO_POINTER((int)w->metric);
            windows = g_hash_table_lookup(metrics, metric);
            if (!windows) {
                windows = g_new0(FsnWindow, FSN_PACKED_SLOTS);
                g_hash_table_insert(metrics, metric, windows);
            }
            ((FsnWindow *)windows)[row->slot - first] = w->window;
        }
    }
    g_hash_table_iter_init(&iter, metrics);
    while (g_hash_table_iter_next(&iter, &metric, &windows)) {
        if (!update_pack(h, level, domain, GPOINTER_TO_INT(metric), span, windows,
                         FSN_WINDOWS_REPLACE, error)) {
            return false;
        }
    }
    return rows->len == 0 || h->tables->ops->row_purge(h->tables, level, domain, first,
                                                       first + FSN_PACKED_SLOTS, error);
}
