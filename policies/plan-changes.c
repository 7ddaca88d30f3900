/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of the planner that counts what changes: from what has changed up to now it goes
 * on at the measured rate, and begins anew at each snapshot that is planned anyhow.
 */
#include "config.h"

#include "policies/plan-private.h"

/* More says nothing more. */
#define MAX_ITEMS 1000

static char *
size_text(uint64_t bytes)
{
    return g_format_size_full(bytes, G_FORMAT_SIZE_IEC_UNITS);
}

/* What has changed by now: measured, or what the rate comes to. */
static double
changed_by_now(const FsnPlanInput *in)
{
    if (in->changed != UINT64_MAX) {
        return (double)in->changed;
    }
    return in->change_rate > 0
               ? in->change_rate * (double)(in->now_us - in->taken_us) / G_USEC_PER_SEC
               : 0;
}

/* Where the count is. */
typedef struct {
    int64_t time_us;  /* up to when it has counted */
    int64_t taken_us; /* the last snapshot, taken or planned; 0: none */
    double changed;   /* since then */
} Count;

static char *
reason_of(const FsnPlanner *p, const Count *count, int64_t asked_us)
{
    g_autofree char *threshold = size_text(p->schedule->changed);
    g_autofree char *amount = size_text((uint64_t)MIN(count->changed, 1e18));
    g_autofree char *retry = fsn_planner_retry_text(p, asked_us);
    g_autofree char *rate = size_text((uint64_t)CLAMP(p->in.change_rate, 0, 1e18));

    if (count->taken_us == 0) {
        return g_strconcat("changed: there is no snapshot to count from", retry, NULL);
    }
    return asked_us > p->in.now_us
               ? g_strdup_printf("changed: %s expected, at %s/s%s", threshold, rate,
                                 retry)
               : g_strdup_printf("changed: %s%s of %s%s",
                                 p->in.changed == UINT64_MAX ? "about " : "", amount,
                                 threshold, retry);
}

/* When @changed bytes at @now_us have become enough; INT64_MAX: never. */
static int64_t
when_enough(const FsnPlanner *p, double changed, int64_t now_us)
{
    double missing = (double)p->schedule->changed - changed;

    if (missing <= 0) {
        return now_us;
    }
    if (!(p->in.change_rate > 0)) {
        return INT64_MAX;
    }
    missing = missing / p->in.change_rate * G_USEC_PER_SEC;
    return missing < (double)FSN_PLAN_MAX_US ? now_us + (int64_t)missing + 1 : INT64_MAX;
}

/* Adds those before @end_us. */
static void
add_until(FsnPlanner *p, Count *count, int64_t end_us)
{
    while (p->items->len < MAX_ITEMS) {
        int64_t asked_us = when_enough(p, count->changed, count->time_us);
        int64_t at_us = asked_us;

        if (count->taken_us > 0 && asked_us != INT64_MAX) {
            at_us = MAX(asked_us, count->taken_us + FSN_PLAN_GAP_US);
        }
        at_us = at_us == INT64_MAX ? at_us : fsn_planner_possible(p, at_us);
        if (at_us >= end_us || at_us > p->in.until_us) {
            return;
        }
        fsn_planner_add(p, FSN_PLAN_AHEAD, FSN_PLAN_CHANGED, at_us, asked_us,
                        reason_of(p, count, asked_us));
        *count = (Count){ .time_us = at_us, .taken_us = at_us };
    }
}

void
fsn_planner_add_changes(FsnPlanner *p)
{
    guint n = p->items->len;
    Count count = { .time_us = p->in.now_us,
                    .taken_us = p->in.taken_us,
                    .changed = p->in.taken_us == 0 ? (double)p->schedule->changed
                                                   : changed_by_now(&p->in) };

    for (guint i = 0; i < n; i++) {
        FsnPlanItem item = g_array_index(p->items, FsnPlanItem, i);

        if (item.state == FSN_PLAN_DROPPED) {
            continue;
        }
        add_until(p, &count, item.at_us);
        count = (Count){ .time_us = item.at_us, .taken_us = item.at_us };
    }
    add_until(p, &count, INT64_MAX);
}
