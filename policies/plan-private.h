/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/plan.h"

G_BEGIN_DECLS

/* What the parts of the planner share. */
typedef struct {
    const FsnSchedule *schedule;
    FsnPlanInput in;  /* with times that make sense: none of the past is in the future */
    int64_t retry_us; /* nothing happens before it, for the last attempt failed */
    GArray *items;    /* FsnPlanItem */
} FsnPlanner;

/* Adds an item; takes over @reason. */
void fsn_planner_add(FsnPlanner *p,
                     FsnPlanState state,
                     FsnPlanTrigger trigger,
                     int64_t at_us,
                     int64_t asked_us,
                     char *reason);
/* The first instant from @time_us on at which a snapshot may begin: out of the quiet hours,
 * and when an attempt may be repeated; INT64_MAX if there is none. */
int64_t fsn_planner_possible(const FsnPlanner *p, int64_t time_us);
/* "" or that this is another attempt at what was asked for at @asked_us; the caller frees. */
char *fsn_planner_retry_text(const FsnPlanner *p, int64_t asked_us);
/* "14:30", with the date where that is not today; the caller frees. */
char *fsn_planner_clock(const FsnPlanner *p, int64_t time_us);

/* Snapshots because of what has changed, between the items that there are, which are in order
 * of time: each of them begins a new count. */
void fsn_planner_add_changes(FsnPlanner *p);

G_END_DECLS
