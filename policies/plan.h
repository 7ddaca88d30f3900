/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/schedule.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Which snapshots of a domain a schedule asks for, when, and why. Pure: whoever carries a plan
 * out starts what is due in it and nothing else, so a plan that is shown is the one that runs.
 * All times are microseconds since 1970, UTC; 0 where nothing is known. */

typedef enum {
    FSN_PLAN_CALENDAR = 1,
    FSN_PLAN_CHANGED = 2,
    FSN_PLAN_BUSY = 4,
} FsnPlanTrigger;

typedef enum {
    FSN_PLAN_DUE,     /* now */
    FSN_PLAN_AHEAD,   /* will be */
    FSN_PLAN_DROPPED, /* is asked for, and will not be: the reason says why */
} FsnPlanState;

/* "calendar", "changed", "busy": the lowest of @triggers; "due", "planned", "dropped"; static. */
const char *fsn_plan_trigger_name(unsigned triggers);
const char *fsn_plan_state_name(FsnPlanState state);

typedef struct {
    FsnPlanState state;
    int64_t at_us;     /* when it happens; of what is due: now */
    int64_t asked_us;  /* when the rule asked for it: earlier if it is put off or late */
    unsigned triggers; /* of FsnPlanTrigger */
    char *reason;      /* a phrase */
} FsnPlanItem;

/* A time in which the domain is expected to be busy. */
typedef struct {
    int64_t start_us;
    const char *reason; /* why that is expected; NULL: is not known */
} FsnPlanBusy;

typedef struct {
    int64_t now_us;
    int64_t until_us; /* not before now, at most FSN_PLAN_MAX_US later */
    GTimeZone *zone;
    int64_t handled_us; /* calendar times up to this one need nothing more; 0: this
                         * schedule is new, nothing of the past is asked for */
    int64_t taken_us;   /* the newest snapshot, whoever has taken it */
    int64_t took_us;    /* so long it took */
    int64_t tried_us;   /* the last attempt, if it failed */
    unsigned failures;  /* attempts in succession that failed */
    bool
        unchanged; /* the domain is off, and its disks are as the newest snapshot has them */
    uint64_t changed;   /* bytes since the newest snapshot; UINT64_MAX: is not known */
    double change_rate; /* bytes per second; not above 0: is not known */
    const FsnPlanBusy *busy;
    size_t n_busy;
} FsnPlanInput;

#define FSN_PLAN_MAX_US ((int64_t)31 * 86400 * G_USEC_PER_SEC)

/* Changes never ask for a snapshot sooner than this after the last one. */
#define FSN_PLAN_GAP_US   ((int64_t)10 * 60 * G_USEC_PER_SEC)
/* A snapshot that is not older than this when a busy time would ask for one serves it. */
#define FSN_PLAN_FRESH_US ((int64_t)30 * 60 * G_USEC_PER_SEC)
/* A clock that is put back by no more than this repeats nothing: the past is waited for. */
#define FSN_PLAN_STEP_US  ((int64_t)3 * 3600 * G_USEC_PER_SEC)

/* What is asked for from now to @until_us (FsnPlanItem), by time; at most one of them is due.
 * Calendar times that were missed ask for one snapshot together, unless one has been taken
 * since. After a failure the next attempt waits for 5 minutes, then twice as long each time, at
 * most 6 hours. The caller unrefs. */
GArray *fsn_plan(const FsnSchedule *schedule, const FsnPlanInput *input);

/* The item that is due; borrowed, NULL if none is. */
const FsnPlanItem *fsn_plan_due(const GArray *items);

G_END_DECLS
