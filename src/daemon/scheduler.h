/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/settings.h"

G_BEGIN_DECLS

/* Schedules of profiles: 'foresnap plan' decides what is due, here it is asked in intervals,
 * and when something is, 'foresnap plan --run' is started as a job. So a plan that people see
 * is the one that runs, cron and the daemon can take turns, and what runs outlives the daemon.
 * What was missed is for the plan to say; it asks for one snapshot, however many were missed. */
typedef struct FsnScheduler FsnScheduler;

/* @config and @state_dir are borrowed, the former until the next fsn_scheduler_set(). */
FsnScheduler *fsn_scheduler_new(const FsnDaemonConfig *config, const char *state_dir);
void fsn_scheduler_set(FsnScheduler *scheduler, const FsnDaemonConfig *config);
void fsn_scheduler_free(FsnScheduler *scheduler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnScheduler, fsn_scheduler_free)

/* Pure: how many elements of a document of 'foresnap plan' are due. */
guint fsn_scheduler_count_due(gpointer document);
/* Pure: whether it has schedules that are not noted yet. */
bool fsn_scheduler_has_new(gpointer document);

G_END_DECLS
