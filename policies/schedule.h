/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/calendar.h"
#include "policies/profile-set.h"
#include "policies/retention.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What a profile says of when to snapshot and what stays, ready to plan with. Pure. */
typedef struct {
    char **texts;           /* of the calendar expressions, as written; NULL-terminated */
    FsnCalendar *calendars; /* as many */
    guint n_calendars;
    uint64_t changed; /* bytes; 0 = not by changes */
    bool before_busy;
    FsnHours *quiet;
    guint n_quiet;
    uint64_t bandwidth; /* bytes per second read of each disk; 0: no limit */
} FsnSchedule;

/* The caller clears it. Values of a profile have been checked before: this cannot fail. */
void fsn_schedule_of_profile(const FsnProfile *profile, FsnSchedule *out_schedule);
void fsn_schedule_clear(FsnSchedule *schedule);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnSchedule, fsn_schedule_clear)

/* False: nobody takes snapshots by themselves. */
bool fsn_schedule_is_set(const FsnSchedule *schedule);

/* What @profile says of retention; false if all of it is 0, so that everything stays. */
bool fsn_retention_of_profile(const FsnProfile *profile, FsnRetentionRules *out_rules);

G_END_DECLS
