/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* The guard's descriptors. */
#define FSN_GUARD_PIPE_FD   3
#define FSN_GUARD_STREAM_FD 4

/*
 * The guard: a process that is started before a guest is stopped and that brings the
 * operation to a safe end (recovery) if its parent dies, or stops making progress while the
 * guest is stopped. It opens its own connections first, so that it can act at once.
 *
 * Protocol on a pipe from the parent, one byte each: 'S' the guest is about to be stopped,
 * 'B' progress, 'R' the guest runs again, 'D' done. End of file before 'D' means
 * that the parent died.
 */
typedef struct FsnGuard FsnGuard;

/* Starts the guard for domain @uuid and waits until it is ready. @max_stall_ms, at least 1:
 * without a byte for so long after 'S' the parent is taken for stuck; one that says nothing
 * before 'D' has so long for the whole pause. @stream_fd (-1: none): a stream that the guard
 * reads to its end if the parent dies. */
FsnGuard *fsn_guard_start(FsnCycle *cycle,
                          const char *uuid,
                          unsigned max_stall_ms,
                          int stream_fd,
                          GError **error);
void fsn_guard_stopping(FsnGuard *guard);
void fsn_guard_beat(FsnGuard *guard);
void fsn_guard_running(FsnGuard *guard);
/* Tells the guard that all is well, waits for its end, frees. */
void fsn_guard_done(FsnGuard *guard);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnGuard, fsn_guard_done)

/* Leaves the operation to the guard, which runs recovery; frees. */
void fsn_guard_abandon(FsnGuard *guard);

/* A guard for work of other processes, which outlives this one: it runs recovery when the
 * last copy of *@out_pipe (the caller's; close-on-exec) is closed. Is not waited for. */
bool fsn_guard_attend(FsnCycle *cycle, const char *uuid, int *out_pipe, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The guard's own side: @fd is the reading end. Returns true if the parent said 'D', false
 * if recovery is due; a parent that stalls is killed first. */
bool fsn_guard_watch(int fd, GPid parent, unsigned max_stall_ms);

G_END_DECLS
