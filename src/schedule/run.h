/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "schedule/look.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

typedef enum {
    FSN_SCHEDULE_DONE,
    FSN_SCHEDULE_FAILED,
    FSN_SCHEDULE_BUSY, /* another operation is under way there: next time */
} FsnScheduleState;

/* "done", "failed", "busy"; static. */
const char *fsn_schedule_state_name(FsnScheduleState state);

typedef struct {
    const FsnScheduleDomain *domain; /* borrowed */
    FsnScheduleState state;
    char *error;        /* NULL: none */
    JsonObject *result; /* of the snapshot; NULL: none */
    int64_t took_us;
} FsnScheduleOutcome;

typedef void (*FsnScheduleTell)(const FsnScheduleOutcome *outcome, gpointer user);

typedef struct {
    const char *program; /* foresnap itself */
    unsigned jobs;       /* at a time, at least 1 */
    uint64_t bandwidth;  /* bytes per second of all that run at a time; 0: no limit */
    FsnScheduleTell tell;
    gpointer user;
} FsnScheduleRun;

/* What one of @jobs that run at a time may read: its share of @all, or what its profile allows
 * (@own) if that is less; 0 is no limit. Pure. */
uint64_t fsn_schedule_bandwidth(uint64_t own, uint64_t all, unsigned jobs);

/* Takes the snapshots that are due in the plans of @domains (FsnScheduleDomain), a process for
 * each, and records each before it begins and when it has ended. Records of new schedules
 * are kept too, so that it is known when they began. The caller holds the lock
 * (fsn_schedule_lock) since before the plans were made. After @cancellable is cancelled nothing
 * new is begun. Outcomes (FsnScheduleOutcome) are as many as were begun; the caller unrefs. */
bool fsn_schedule_run(FsnCycle *cycle,
                      const FsnScheduleRun *run,
                      GPtrArray *domains,
                      GCancellable *cancellable,
                      GPtrArray **out_outcomes,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
