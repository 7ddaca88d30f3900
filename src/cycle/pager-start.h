/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "cycle/journal.h"
#include "cycle/lock.h"
#include "cycle/manifest.h"
#include "cycle/resume.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * Starting foresnap-pager for a resume. The pager inherits the domain's lock, and the writing
 * end of a pipe whose reading end a guard watches: when the last of the pager's processes has
 * ended, the guard runs recovery, which finishes the resume or takes the load up again.
 */

/* Writes the plan beside the journal; with @monitor the pager is given its connection. The mark "ran"
 * is set on the id @marks. */
bool fsn_pager_write_plan(FsnCycle *cycle,
                          const FsnManifestMemory *memory,
                          const char *marks,
                          const char *xml_live,
                          const char *cpu_xml,
                          const FsnResumeOptions *options,
                          bool monitor,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Starts the pager with the plan of domain @uuid, and with the connection @socket_fd (which
 * stays the caller's) if the plan is one for the monitor, else -1. *@out_status_fd is read for its reports
 * (lines of JSON) and belongs to the caller. */
bool fsn_pager_start(FsnCycle *cycle,
                     const char *uuid,
                     bool recover,
                     FsnLock *lock,
                     int socket_fd,
                     int *out_status_fd,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Takes up a load that broke off: starts a pager in recovery. What happens by itself
 * (@automatic) is counted in the journal and refused after a few times; an order of the user
 * begins the count anew. */
bool fsn_pager_continue(FsnCycle *cycle,
                        FsnJournal *journal,
                        bool automatic,
                        FsnLock *lock,
                        int socket_fd,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes what a resume leaves behind when it is over: plan, status, socket folder. What
 * cannot be removed is harmless. */
void fsn_pager_remove_files(const char *state_dir, FsnVirt *virt, const char *uuid);

char *fsn_pager_plan_path(const char *state_dir, const char *uuid);
char *fsn_pager_status_path(const char *state_dir, const char *uuid);
/* of the note memory/not-run.h */
char *fsn_pager_not_run_path(const char *state_dir, const char *uuid);

G_END_DECLS
