/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Retention: from rules and a list of snapshots to keep or remove, with reasons. Nothing is
 * looked up and nothing is deleted here.
 */
#include "config.h"

#include "policies/retention.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

typedef enum {
    LAST,
    HOUR,
    DAY,
    WEEK,
    MONTH,
    YEAR,
    N_RULES,
} Period;

static const char *const period_names[N_RULES] = { "last",   "hourly",  "daily",
                                                   "weekly", "monthly", "yearly" };

typedef struct {
    const FsnRetentionSnapshot *snapshot;
    FsnRetentionDecision *decision;
} Item;

static void
clear_decision(gpointer data)
{
    g_clear_pointer(&((FsnRetentionDecision *)data)->reasons, g_ptr_array_unref);
}

static void
keep(Item *item, char *reason)
{
    item->decision->keep = true;
    g_ptr_array_add(item->decision->reasons, reason);
}

/* By kind, then newest first, then by id. */
static int
compare_items(gconstpointer a, gconstpointer b)
{
    const FsnRetentionSnapshot *x = ((const Item *)a)->snapshot;
    const FsnRetentionSnapshot *y = ((const Item *)b)->snapshot;
    int order = strcmp(x->kind, y->kind);

    if (order == 0 && x->created_us != y->created_us) {
        order = x->created_us > y->created_us ? -1 : 1;
    }
    return order ? order : strcmp(x->id, y->id);
}

/* The local hour that begins at this second of UTC: the hour that a clock shows twice when it
 * is put back is two. */
static int64_t
hour_start(GDateTime *time)
{
    return g_date_time_to_unix(time) - g_date_time_get_minute(time) * 60 -
           g_date_time_get_second(time);
}

/* A number that all instants of one period share and no others. */
static int64_t
period_of(GDateTime *time, Period period)
{
    int64_t year = g_date_time_get_year(time);

    switch (period) {
    case HOUR:
        return hour_start(time);
    case DAY:
        return year * 1000 + g_date_time_get_day_of_year(time);
    case WEEK:
        return (int64_t)g_date_time_get_week_numbering_year(time) * 100 +
               g_date_time_get_week_of_year(time);
    case MONTH:
        return year * 100 + g_date_time_get_month(time);
    case YEAR:
        return year;
    case LAST:
    case N_RULES:
        break;
    }
    g_assert_not_reached();
}

/* Applies one rule to the @n items of one kind, newest first. */
static void
apply_rule(Item *items, GDateTime **times, size_t n, Period period, unsigned count)
{
    int64_t previous = 0;
    bool any = false;

    for (size_t i = 0; i < n && count > 0; i++) {
        int64_t value = period == LAST ? (int64_t)i : period_of(times[i], period);
        bool is_new = !any || value != previous;

        if (!is_new && i + 1 < n) {
            continue;
        }
        keep(&items[i],
             is_new ? g_strdup_printf("%s snapshot", period_names[period])
                    : g_strdup_printf("oldest %s snapshot", period_names[period]));
        previous = value;
        any = true;
        count--;
    }
}

static GDateTime *
local_time(int64_t us, GTimeZone *zone)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(us / G_USEC_PER_SEC);

    return utc ? g_date_time_to_timezone(utc, zone) : NULL;
}

static void
clear_time(gpointer data)
{
    g_clear_pointer((GDateTime **)data, g_date_time_unref);
}

/* Decides on @n items of one kind, newest first. Those that cannot be placed in time are kept
 * and take no part. */
static void
decide_kind(
    const unsigned counts[N_RULES], Item *all, size_t n, GTimeZone *zone, int64_t now_us)
{
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(Item));
    g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(GDateTime *));

    g_array_set_clear_func(times, clear_time);
    for (size_t i = 0; i < n; i++) {
        GDateTime *time = local_time(all[i].snapshot->created_us, zone);

        if (!time) {
            keep(&all[i], g_strdup("its time is not known"));
        } else if (all[i].snapshot->created_us > now_us) {
            keep(&all[i], g_strdup("its time is in the future"));
            g_date_time_unref(time);
        } else {
            g_array_append_val(items, all[i]);
            g_array_append_val(times, time);
        }
    }
    for (Period p = LAST; p < N_RULES; p++) {
        apply_rule((Item *)items->data, (GDateTime **)times->data, items->len, p,
                   counts[p]);
    }
}

static void
decide_flags(Item *item)
{
    if (item->snapshot->flags & FSN_RETENTION_SUSPENDED) {
        keep(item, g_strdup("the domain is suspended: it is its memory"));
    }
    if (item->snapshot->flags & FSN_RETENTION_BASE) {
        keep(item, g_strdup("the next one is compared with it"));
    }
    if (item->snapshot->flags & FSN_RETENTION_READ) {
        keep(item, g_strdup("a lazy restore reads it"));
    }
    if (item->decision->reasons->len == 0) {
        g_ptr_array_add(item->decision->reasons, g_strdup("no rule keeps it"));
    }
}

/* The decisions, all undecided yet. */
static GArray *
new_decisions(size_t n)
{
    GArray *decisions =
        g_array_sized_new(FALSE, TRUE, sizeof(FsnRetentionDecision), (guint)n);

    g_array_set_clear_func(decisions, clear_decision);
    g_array_set_size(decisions, (guint)n);
    for (size_t i = 0; i < n; i++) {
        g_array_index(decisions, FsnRetentionDecision, i).reasons =
            g_ptr_array_new_with_free_func(g_free);
    }
    return decisions;
}

GArray *
fsn_retention_decide(const FsnRetentionRules *rules,
                     const FsnRetentionSnapshot *snapshots,
                     size_t n,
                     GTimeZone *zone,
                     int64_t now_us,
                     GError **error)
{
    const unsigned counts[N_RULES] = { rules->last,   rules->hourly,  rules->daily,
                                       rules->weekly, rules->monthly, rules->yearly };
    g_autofree Item *items = g_new(Item, n + 1);
    unsigned wanted = 0;
    GArray *decisions;

    for (Period p = LAST; p < N_RULES; p++) {
        wanted |= counts[p];
    }
    if (wanted == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "no rule keeps anything, and to remove everything is refused: give "
                    "at least one --keep-… above 0");
        return NULL;
    }
    decisions = new_decisions(n);
    for (size_t i = 0; i < n; i++) {
        items[i] =
            (Item){ .snapshot = &snapshots[i],
                    .decision = &g_array_index(decisions, FsnRetentionDecision, i) };
    }
    qsort(items, n, sizeof *items, compare_items);
    for (size_t start = 0, end; start < n; start = end) {
        for (end = start + 1; end < n && strcmp(items[start].snapshot->kind,
                                                items[end].snapshot->kind) == 0;
             end++) {
        }
        decide_kind(counts, items + start, end - start, zone, now_us);
    }
    for (size_t i = 0; i < n; i++) {
        decide_flags(&items[i]);
    }
    return decisions;
}
