/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The planner: what calendar and busy times ask for is put off by quiet hours, brought into
 * order, and joined where one snapshot serves two; then come those that changes ask for. An
 * attempt that failed moves what would be due.
 */
#include "config.h"

#include "policies/calendar-times.h"
#include "policies/plan-private.h"

#include <string.h>

#define MINUTE     ((int64_t)60 * G_USEC_PER_SEC)
/* Before a busy time a snapshot begins so long, or twice as long as the last one took. */
#define LEAD       (5 * MINUTE)
#define LEAD_MAX   (60 * MINUTE)
#define RETRY      (5 * MINUTE)
#define RETRY_MAX  (360 * MINUTE)
#define NEVER_ENDS "the quiet hours leave no time for it"

const char *
fsn_plan_trigger_name(unsigned triggers)
{
    return triggers & FSN_PLAN_CALENDAR  ? "calendar"
           : triggers & FSN_PLAN_CHANGED ? "changed"
                                         : "busy";
}

const char *
fsn_plan_state_name(FsnPlanState state)
{
    switch (state) {
    case FSN_PLAN_DUE:
        return "due";
    case FSN_PLAN_AHEAD:
        return "planned";
    case FSN_PLAN_DROPPED:
        return "dropped";
    }
    g_assert_not_reached();
}

static GDateTime *
local(const FsnPlanner *p, int64_t time_us)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(time_us / G_USEC_PER_SEC);

    return utc ? g_date_time_to_timezone(utc, p->in.zone) : NULL;
}

char *
fsn_planner_clock(const FsnPlanner *p, int64_t time_us)
{
    g_autoptr(GDateTime) time = local(p, time_us);
    g_autoptr(GDateTime) now = local(p, p->in.now_us);
    bool today;

    if (!time || !now) {
        return g_strdup("?");
    }
    today = g_date_time_get_year(time) == g_date_time_get_year(now) &&
            g_date_time_get_day_of_year(time) == g_date_time_get_day_of_year(now);
    return g_date_time_format(time, today ? "%H:%M" : "%Y-%m-%d %H:%M");
}

int64_t
fsn_planner_possible(const FsnPlanner *p, int64_t time_us)
{
    return fsn_hours_end(p->schedule->quiet, p->schedule->n_quiet, p->in.zone,
                         MAX(time_us, p->retry_us));
}

char *
fsn_planner_retry_text(const FsnPlanner *p, int64_t asked_us)
{
    return asked_us < p->retry_us
               ? g_strdup_printf(", tried again after %u failure%s", p->in.failures,
                                 p->in.failures == 1 ? "" : "s")
               : g_strdup("");
}

void
fsn_planner_add(FsnPlanner *p,
                FsnPlanState state,
                FsnPlanTrigger trigger,
                int64_t at_us,
                int64_t asked_us,
                char *reason)
{
    FsnPlanItem item = { .state = state,
                         .at_us = at_us,
                         .asked_us = asked_us,
                         .triggers = trigger,
                         .reason = reason };

    g_array_append_val(p->items, item);
}

/* The expression that asks for @time_us, or a word for several or one that the clock skips. */
static char *
calendar_reason(const FsnPlanner *p, int64_t time_us)
{
    g_autoptr(GDateTime) time = local(p, time_us);
    const char *found = NULL;

    for (guint i = 0; time && i < p->schedule->n_calendars; i++) {
        if (fsn_calendar_matches(&p->schedule->calendars[i], time)) {
            found = p->schedule->texts[i];
            break;
        }
    }
    return found ? g_strdup_printf("calendar: %s", found)
                 : g_strdup("calendar: the clock skips the time that is asked for");
}

/* How it comes that what is asked for at @asked_us happens at @at_us: words to append; the
 * caller frees. @missed is the number of times of the past that it stands for. */
static char *
delay_text(const FsnPlanner *p, int64_t asked_us, int64_t at_us, guint missed)
{
    g_autofree char *asked = fsn_planner_clock(p, asked_us);
    g_autofree char *retry = fsn_planner_retry_text(p, asked_us);
    GString *text = g_string_new(NULL);

    if (at_us == INT64_MAX) {
        return g_string_free(g_string_append(text, ": " NEVER_ENDS), FALSE);
    }
    if (at_us - asked_us >= MINUTE) {
        g_string_append_printf(text, ", was due at %s", asked);
    }
    if (missed > 1) {
        g_string_append_printf(text, ", with %u earlier time%s", missed - 1,
                               missed == 2 ? "" : "s");
    }
    g_string_append(text, retry);
    if (at_us > MAX(MAX(asked_us, p->in.now_us), p->retry_us)) {
        g_string_append(text, ", after the quiet hours");
    }
    return g_string_free(text, FALSE);
}

/* Adds what is asked for at @asked_us, when it is possible. */
static void
add_calendar(FsnPlanner *p, int64_t asked_us, guint missed)
{
    int64_t at_us = fsn_planner_possible(p, MAX(asked_us, p->in.now_us));
    g_autofree char *why = calendar_reason(p, asked_us);
    g_autofree char *delay = delay_text(p, asked_us, at_us, missed);
    bool never = at_us == INT64_MAX;

    fsn_planner_add(p, never ? FSN_PLAN_DROPPED : FSN_PLAN_AHEAD, FSN_PLAN_CALENDAR,
                    never ? MAX(asked_us, p->in.now_us) : at_us, asked_us,
                    g_strconcat(why, delay, NULL));
}

static const FsnPlanItem *
last_item(const FsnPlanner *p)
{
    return p->items->len > 0 ? &g_array_index(p->items, FsnPlanItem, p->items->len - 1)
                             : NULL;
}

static void
add_calendars(FsnPlanner *p)
{
    const FsnSchedule *s = p->schedule;
    g_autoptr(GArray) past = fsn_calendar_between(
        s->calendars, s->n_calendars, p->in.zone, p->in.handled_us, p->in.now_us);
    g_autoptr(GArray) ahead =
        fsn_calendar_between(s->calendars, s->n_calendars, p->in.zone,
                             MAX(p->in.now_us, p->in.handled_us), p->in.until_us);
    int64_t last_us = past->len > 0 ? g_array_index(past, int64_t, past->len - 1) : 0;

    /* One stands for all that were missed; none is missed if one was taken since the last. */
    if (last_us > p->in.taken_us) {
        add_calendar(p, last_us, past->len);
    }
    for (guint i = 0; i < ahead->len; i++) {
        int64_t time_us = g_array_index(ahead, int64_t, i);
        const FsnPlanItem *before = last_item(p);

        /* Where one is dropped all are. */
        if (before && before->state == FSN_PLAN_DROPPED) {
            return;
        }
        /* What falls into the quiet hours that the one before waits for is served by it. */
        if (!before || time_us > before->at_us) {
            add_calendar(p, time_us, 0);
        }
    }
}

static int64_t
lead_of(const FsnPlanner *p)
{
    return CLAMP(2 * p->in.took_us, LEAD, LEAD_MAX);
}

/* An item that has its snapshot in time for @at_us, but not for nothing. */
static FsnPlanItem *
find_fresh(FsnPlanner *p, int64_t at_us, int64_t start_us)
{
    for (guint i = 0; i < p->items->len; i++) {
        FsnPlanItem *item = &g_array_index(p->items, FsnPlanItem, i);

        if (item->state != FSN_PLAN_DROPPED && item->at_us >= at_us - FSN_PLAN_FRESH_US &&
            item->at_us < start_us) {
            return item;
        }
    }
    return NULL;
}

static void
add_busy(FsnPlanner *p, const FsnPlanBusy *busy)
{
    int64_t asked_us = busy->start_us - lead_of(p);
    int64_t at_us = fsn_planner_possible(p, MAX(asked_us, p->in.now_us));
    g_autofree char *start = fsn_planner_clock(p, busy->start_us);
    g_autofree char *why = g_strconcat("busy from ", start, " on",
                                       busy->reason ? ": " : NULL, busy->reason, NULL);
    g_autofree char *retry = fsn_planner_retry_text(p, asked_us);
    FsnPlanItem *fresh;

    if (busy->start_us <= p->in.now_us || asked_us > p->in.until_us ||
        (p->in.taken_us > 0 && p->in.taken_us >= asked_us - FSN_PLAN_FRESH_US)) {
        return;
    }
    if (at_us >= busy->start_us) {
        fsn_planner_add(p, FSN_PLAN_DROPPED, FSN_PLAN_BUSY, asked_us, asked_us,
                        g_strdup_printf("%s: but %s", why,
                                        at_us > p->retry_us
                                            ? "the quiet hours last until then"
                                            : "the last attempt failed"));
        return;
    }
    fresh = find_fresh(p, asked_us, busy->start_us);
    if (fresh) {
        g_autofree char *old = fresh->reason;

        fresh->triggers |= FSN_PLAN_BUSY;
        fresh->reason = g_strdup_printf("%s; %s", old, why);
        return;
    }
    fsn_planner_add(p, FSN_PLAN_AHEAD, FSN_PLAN_BUSY, at_us, asked_us,
                    g_strconcat(why, retry, NULL));
}

static int
compare_items(gconstpointer a, gconstpointer b)
{
    const FsnPlanItem *x = a;
    const FsnPlanItem *y = b;

    return x->at_us < y->at_us   ? -1
           : x->at_us > y->at_us ? 1
                                 : (int)x->triggers - (int)y->triggers;
}

static void
settle_due(FsnPlanner *p)
{
    for (guint i = 0; i < p->items->len; i++) {
        FsnPlanItem *item = &g_array_index(p->items, FsnPlanItem, i);

        if (item->state == FSN_PLAN_AHEAD && item->at_us <= p->in.now_us) {
            item->state = FSN_PLAN_DUE;
        }
    }
}

/* When the next attempt may be after those that failed. */
static int64_t
retry_time(const FsnPlanInput *in)
{
    return in->failures > 0
               ? in->tried_us + MIN(RETRY << (MIN(in->failures, 16) - 1), RETRY_MAX)
               : 0;
}

/* Nothing is asked of a domain that stands as its newest snapshot has it. */
static void
drop_unchanged(FsnPlanner *p)
{
    for (guint i = 0; p->in.unchanged && i < p->items->len; i++) {
        FsnPlanItem *item = &g_array_index(p->items, FsnPlanItem, i);
        g_autofree char *old = item->reason;

        item->state = FSN_PLAN_DROPPED;
        item->reason =
            g_strdup_printf("%s: but it is off and as its newest snapshot has it", old);
    }
}

/* Times of the past that are in the future: the clock was put back. By little: nothing is
 * repeated. By more: what was recorded says nothing any more. */
static void
mend_times(FsnPlanInput *in)
{
    in->until_us = CLAMP(in->until_us, in->now_us, in->now_us + FSN_PLAN_MAX_US);
    if (in->handled_us == 0 || in->handled_us > in->now_us + FSN_PLAN_STEP_US) {
        in->handled_us = in->now_us;
    }
    in->taken_us = MIN(in->taken_us, in->now_us);
    in->tried_us = MIN(in->tried_us, in->now_us);
    in->took_us = MAX(in->took_us, 0);
}

static void
clear_item(gpointer data)
{
    g_clear_pointer(&((FsnPlanItem *)data)->reason, g_free);
}

GArray *
fsn_plan(const FsnSchedule *schedule, const FsnPlanInput *input)
{
    FsnPlanner p = { .schedule = schedule,
                     .in = *input,
                     .items = g_array_new(FALSE, TRUE, sizeof(FsnPlanItem)) };

    g_array_set_clear_func(p.items, clear_item);
    mend_times(&p.in);
    p.retry_us = retry_time(&p.in);
    add_calendars(&p);
    for (size_t i = 0; schedule->before_busy && i < p.in.n_busy; i++) {
        add_busy(&p, &p.in.busy[i]);
    }
    g_array_sort(p.items, compare_items);
    if (schedule->changed > 0) {
        fsn_planner_add_changes(&p);
        g_array_sort(p.items, compare_items);
    }
    drop_unchanged(&p);
    settle_due(&p);
    g_array_sort(p.items, compare_items);
    return p.items;
}

const FsnPlanItem *
fsn_plan_due(const GArray *items)
{
    for (guint i = 0; i < items->len; i++) {
        const FsnPlanItem *item = &g_array_index(items, FsnPlanItem, i);

        if (item->state == FSN_PLAN_DUE) {
            return item;
        }
    }
    return NULL;
}
