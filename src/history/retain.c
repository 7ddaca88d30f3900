/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of what is old: rows of windows become packs, and everything has its time. A
 * little is done whenever windows are rolled up, so that no run takes long. What is kept goes
 * by the clock, which may be wrong: the end of the past moves by at most an hour each time, so
 * that a clock that is years ahead for an hour costs half a day of history and not all of it.
 */
#include "config.h"

#include "history/store-private.h"

/* Domains whose rows are packed in one go. */
#define PACK_DOMAINS 50
#define MOVE_US      FSN_HISTORY_COARSE_US

static const char *const kept_names[FSN_LEVELS] = { "kept.0", "kept.1" };
static const char *const packed_names[FSN_LEVELS] = { "packed.0", "packed.1" };
static const char *const packing_names[FSN_LEVELS] = { "packing.0", "packing.1" };

static bool
purge_raw(FsnHistory *h, int64_t now_us, GError **error)
{
    /* A window that is not made yet, or not long ago, needs its samples. */
    int64_t until_us = MIN(now_us - h->keep.raw_us, h->rolled_us - FSN_RATES_MAX_GAP_US);

    if (until_us <= h->raw_us) {
        return true;
    }
    h->raw_us = until_us;
    return h->tables->ops->raw_purge(h->tables, until_us, error) &&
           h->tables->ops->number_put(h->tables, "raw.until", until_us, error);
}

typedef struct {
    int64_t after;
    GArray *ids;
} Ids;

static bool
collect_id(gpointer user, const FsnTablesDomain *domain, GError **error)
{
    Ids *ids = user;

    if (domain->id > ids->after) {
        g_array_append_val(ids->ids, domain->id);
    }
    return true;
}

/* Domains with numbers above @after. */
static bool
domains_after(FsnHistory *h, int64_t after, GArray **out_ids, GError **error)
{
    g_autoptr(GArray) array = g_array_new(FALSE, FALSE, sizeof(int64_t));
    Ids ids = { .after = after, .ids = array };

    if (!h->tables->ops->domain_each(h->tables, collect_id, &ids, error)) {
        return false;
    }
    *out_ids = g_steal_pointer(&array);
    return true;
}

/* All spans before @due of one domain. */
static bool
pack_domain(FsnHistory *h, int level, int64_t domain, int64_t due, GError **error)
{
    g_autoptr(GArray) rows = NULL;
    int64_t last = -1;

    if (!fsn_windows_rows(h, level, domain, 0, due * FSN_PACKED_SLOTS, &rows, error)) {
        return false;
    }
    for (guint i = 0; i < rows->len; i++) {
        int64_t span = g_array_index(rows, FsnSlotRow, i).slot / FSN_PACKED_SLOTS;

        if (span != last && !fsn_windows_pack(h, level, domain, span, error)) {
            return false;
        }
        last = span;
    }
    return true;
}

static bool
pack_due(FsnHistory *h, int level, GError **error)
{
    const FsnTablesOps *ops = h->tables->ops;
    int64_t due = fsn_windows_due_span(h, level);
    g_autoptr(GArray) ids = NULL;
    int64_t packed;
    int64_t after;

    if (!ops->number_get(h->tables, packed_names[level], 0, &packed, error)) {
        return false;
    }
    if (packed >= due) {
        return true;
    }
    if (!ops->number_get(h->tables, packing_names[level], 0, &after, error) ||
        !domains_after(h, after, &ids, error)) {
        return false;
    }
    for (guint i = 0; i < MIN(ids->len, PACK_DOMAINS); i++) {
        after = g_array_index(ids, int64_t, i);
        if (!pack_domain(h, level, after, due, error)) {
            return false;
        }
    }
    if (ids->len > PACK_DOMAINS) {
        return ops->number_put(h->tables, packing_names[level], after, error);
    }
    return ops->number_put(h->tables, packing_names[level], 0, error) &&
           ops->number_put(h->tables, packed_names[level], due, error);
}

/* Removes the packs of spans before @span. */
static bool
purge_packs(FsnHistory *h, int level, int64_t span, GError **error)
{
    const FsnTablesOps *ops = h->tables->ops;
    g_autoptr(GArray) ids = NULL;

    if (!domains_after(h, 0, &ids, error)) {
        return false;
    }
    for (guint i = 0; i < ids->len; i++) {
        int64_t domain = g_array_index(ids, int64_t, i);
        int64_t metric = 0;

        for (;;) {
            if (!ops->pack_metric(h->tables, level, domain, metric, &metric, error)) {
                return false;
            }
            if (metric < 0) {
                break;
            }
            if (!ops->pack_purge(h->tables, level, domain, metric, span, error)) {
                return false;
            }
            metric++;
        }
    }
    return true;
}

static bool
move_end(FsnHistory *h, int level, int64_t now_us, GError **error)
{
    int64_t keep_us = level == 0 ? h->keep.fine_us : h->keep.coarse_us;
    int64_t span_us = fsn_level_us(level) * FSN_PACKED_SLOTS;
    int64_t old_us = h->kept_us[level];
    int64_t new_us =
        fsn_floor_div(now_us - keep_us, FSN_HISTORY_COARSE_US) * FSN_HISTORY_COARSE_US;

    if (old_us > 0) {
        new_us = MIN(new_us, old_us + MOVE_US);
    }
    if (new_us <= old_us) {
        return true;
    }
    h->kept_us[level] = new_us;
    return h->tables->ops->number_put(h->tables, kept_names[level], new_us, error) &&
           (new_us / span_us == old_us / span_us ||
            purge_packs(h, level, new_us / span_us, error));
}

bool
fsn_retain(FsnHistory *h, int64_t now_us, GError **error)
{
    if (!purge_raw(h, now_us, error)) {
        return false;
    }
    for (int level = 0; level < FSN_LEVELS; level++) {
        if (!pack_due(h, level, error) || !move_end(h, level, now_us, error)) {
            return false;
        }
    }
    return true;
}
