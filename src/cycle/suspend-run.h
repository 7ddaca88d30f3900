/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/prepare.h"
#include "cycle/suspend.h"
#include "memory/capture.h"

G_BEGIN_DECLS

/*
 * One suspend, step by step, in one process: used at once by fsn_cycle_suspend() and with a
 * wait in the middle by the holder. Freeing a run that was not finished undoes it: the guest
 * runs on and nothing of the attempt stays but garbage that gc collects.
 */
typedef struct FsnSuspendRun FsnSuspendRun;

/* Finds the domain, refuses by name what cannot be suspended, takes the lock, recovers what
 * an earlier operation left. Nothing of the domain is touched yet. */
FsnSuspendRun *fsn_suspend_run_new(FsnCycle *cycle,
                                   const char *domain,
                                   const FsnSuspendOptions *options,
                                   GError **error);
void fsn_suspend_run_free(FsnSuspendRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnSuspendRun, fsn_suspend_run_free)

/* Transfers the bulk while the guest runs, holds the migration, and makes the bulk durable. */
bool fsn_suspend_run_prepare(FsnSuspendRun *run,
                             FsnPrepareResult *out_result,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* While held: takes what trickles in, for up to @timeout_ms. An error means that the hold is
 * over (the guest ended, QEMU broke off); the run is then to be freed. */
bool fsn_suspend_run_idle(FsnSuspendRun *run, int timeout_ms, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Transfers what is left (or all), stops the guest, makes it durable, ends QEMU. Refused before
 * anything is changed while the storage does not answer: fsn_suspend_run_is_held() tells. */
bool fsn_suspend_run_finish(FsnSuspendRun *run,
                            FsnSuspendResult *out_result,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether it can still be finished. */
bool fsn_suspend_run_is_held(const FsnSuspendRun *run);

/* Readable when the held migration sends something; borrowed. */
int fsn_suspend_run_fd(FsnSuspendRun *run);

const char *fsn_suspend_run_domain(FsnSuspendRun *run);
const char *fsn_suspend_run_uuid(FsnSuspendRun *run);

G_END_DECLS
