/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/plan.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What is remembered of a domain's scheduled snapshots: the file schedule/UUID.json in the state
 * folder, the same for the command line and the daemon. Instants are microseconds since 1970;
 * 0 where there is none. */
typedef struct {
    char *when; /* the calendar times of the schedule that this is about; never NULL */
    int64_t handled_us; /* times up to here are dealt with */
    int64_t begun_us;   /* the last attempt */
    int64_t ended_us;   /* 0: it is under way, or did not come to its end */
    int64_t took_us;    /* the last that was good */
    unsigned failures;  /* attempts in succession that failed */
    char *error;        /* why the last one failed; NULL: it did not */
    char *snapshot;     /* what the last good one made; NULL: none yet */
} FsnScheduleRecord;

void fsn_schedule_record_clear(FsnScheduleRecord *record);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnScheduleRecord, fsn_schedule_record_clear)

/* The record of domain @uuid (in canonical form); an empty one if there is none. What cannot
 * be read is FSN_ERROR_FORMAT, and *@out_record is empty then. */
bool fsn_schedule_record_load(const char *state_dir,
                              const char *uuid,
                              FsnScheduleRecord *out_record,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Durable when it returns. */
bool fsn_schedule_record_save(const char *state_dir,
                              const char *uuid,
                              const FsnScheduleRecord *record,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Changes to a record, pure. @schedule is that of now: if its calendar times are others than
 * those of the record, or the record is of the future since the clock was put back by much,
 * nothing of the past is asked for, and true is returned: whoever does not save the record then
 * has every look begin anew, and no time is ever missed. */
bool fsn_schedule_record_adopt(FsnScheduleRecord *record,
                               const FsnSchedule *schedule,
                               int64_t now_us);
/* An attempt counts as failed until it has ended well: so one that takes the host down is not
 * made at once again. */
void fsn_schedule_record_begin(FsnScheduleRecord *record, int64_t now_us);
/* @snapshot NULL: it failed, for @error. */
void fsn_schedule_record_end(FsnScheduleRecord *record,
                             int64_t now_us,
                             const char *snapshot,
                             const char *error);
/* It came to nothing since another operation is under way: as if it had not begun, to be
 * tried again at once. */
void fsn_schedule_record_undo(FsnScheduleRecord *record, const FsnScheduleRecord *before);
/* What a planner needs of it. */
void fsn_schedule_record_fill(const FsnScheduleRecord *record, FsnPlanInput *input);

/* Whoever starts what is due holds this lock from before it looks what is due until it has
 * recorded what it did: a planner at a time. A flock(2), which goes when its holder ends.
 * FSN_ERROR_BUSY if another process holds it. */
typedef struct FsnScheduleLock FsnScheduleLock;

FsnScheduleLock *fsn_schedule_lock(const char *state_dir, GError **error);
void fsn_schedule_unlock(FsnScheduleLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnScheduleLock, fsn_schedule_unlock)

G_END_DECLS
