/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values on their way to windows: collected by domain, slot and metric, in memory. */
#include "config.h"

#include "history/store-private.h"

/* A value of a moment counts as one that held so long. */
#define MOMENT_S    1.0
#define METRIC_BITS 20
#define SLOT_BITS   20

typedef struct {
    int64_t key; /* domain, slot, metric */
    GArray *values;
} Entry;

struct FsnAccumulator {
    int64_t first_slot;
    GHashTable *entries;
};

static void
entry_free(gpointer data)
{
    Entry *entry = data;

    g_array_unref(entry->values);
    g_free(entry);
}

/* Keys differ in few bits, which lie far apart: multiplication spreads them (Knuth). */
static guint
key_hash(gconstpointer key)
{
    return (guint)((*(const uint64_t *)key * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

FsnAccumulator *
fsn_accumulator_new(int64_t first_slot)
{
    FsnAccumulator *a = g_new0(FsnAccumulator, 1);

    a->first_slot = first_slot;
    a->entries = g_hash_table_new_full(key_hash, g_int64_equal, NULL, entry_free);
    return a;
}

void
fsn_accumulator_free(FsnAccumulator *a)
{
    if (a) {
        g_hash_table_unref(a->entries);
        g_free(a);
    }
}

static void
add_one(FsnAccumulator *a,
        int64_t domain,
        int64_t metric,
        int64_t slot,
        double value,
        double weight)
{
    int64_t key = domain << (SLOT_BITS + METRIC_BITS) |
                  (slot - a->first_slot) << METRIC_BITS | metric;
    FsnWeighted weighted = { .value = value, .weight = weight };
    Entry *entry = g_hash_table_lookup(a->entries, &key);

    if (!entry) {
        entry = g_new0(Entry, 1);
        entry->key = key;
        entry->values = g_array_sized_new(FALSE, FALSE, sizeof(FsnWeighted), 32);
        g_hash_table_insert(a->entries, &entry->key, entry);
    }
    g_array_append_val(entry->values, weighted);
}

void
fsn_accumulator_add(FsnAccumulator *a,
                    int64_t domain,
                    int64_t metric,
                    int64_t time_us,
                    int64_t span_us,
                    double value,
                    int64_t from,
                    int64_t to)
{
    int64_t start_us = time_us - span_us;
    int64_t slot = fsn_floor_div(start_us, FSN_HISTORY_FINE_US);

    to = MIN(to, a->first_slot + ((int64_t)1 << SLOT_BITS));
    from = MAX(from, a->first_slot);
    if (span_us == 0) {
        if (slot >= from && slot < to) {
            add_one(a, domain, metric, slot, value, MOMENT_S);
        }
        return;
    }
    for (slot = MAX(slot, from); slot < to && slot * FSN_HISTORY_FINE_US < time_us;
         slot++) {
        int64_t begin = MAX(start_us, slot * FSN_HISTORY_FINE_US);
        int64_t end = MIN(time_us, (slot + 1) * FSN_HISTORY_FINE_US);

        if (end > begin) {
            add_one(a, domain, metric, slot, value,
                    (double)(end - begin) / G_USEC_PER_SEC);
        }
    }
}

static int
by_key(gconstpointer a, gconstpointer b)
{
    const Entry *x = *(Entry *const *)a, *y = *(Entry *const *)b;

    return (x->key > y->key) - (x->key < y->key);
}

static void
add_entry(gpointer key, gpointer value, gpointer user)
{
    g_ptr_array_add(user, value);
}

bool
fsn_accumulator_each(FsnAccumulator *a,
                     FsnAccumulatorEach each,
                     gpointer user,
                     GError **error)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    g_autoptr(GArray) windows = g_array_new(FALSE, FALSE, sizeof(FsnRowWindow));

    g_hash_table_foreach(a->entries, add_entry, sorted);
    g_ptr_array_sort(sorted, by_key);
    for (guint i = 0; i < sorted->len; i++) {
        const Entry *entry = sorted->pdata[i];
        const Entry *next = i + 1 < sorted->len ? sorted->pdata[i + 1] : NULL;
        int64_t group = entry->key >> METRIC_BITS;
        FsnRowWindow row = { .metric = entry->key & (((int64_t)1 << METRIC_BITS) - 1) };

        row.window =
            fsn_window_of((FsnWeighted *)(void *)entry->values->data, entry->values->len,
                          (double)FSN_HISTORY_FINE_US / G_USEC_PER_SEC);
        g_array_append_val(windows, row);
        if (next && next->key >> METRIC_BITS == group) {
            continue;
        }
        if (!each(user, group >> SLOT_BITS,
                  a->first_slot + (group & (((int64_t)1 << SLOT_BITS) - 1)), windows,
                  error)) {
            return false;
        }
        g_array_set_size(windows, 0);
    }
    return true;
}
