/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "memory/pager-arena.h"
#include "memory/pager-plan.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * What the pager says of itself: one JSON object, as a line on a descriptor at each change
 * of phase, and in a file that is replaced a few times a second. Members:
 *
 *   phase     "preparing" | "created" (libvirt has made the domain) | "connected" |
 *             "ready" (state loaded, snapshot marked as run; next the CPUs start) |
 *             "running" | "loading" | "stalled" (error says why; it goes on trying) |
 *             "recovering" | "done" | "failed"
 *   domain, uuid, snapshot, mode, pid
 *   ran       bool: the snapshot is marked as run: it cannot be used again
 *   error     text or null
 *   domain_created_us, connected_us, ready_us, running_us, loaded_us, elapsed_us
 *             microseconds since the pager began, 0 = not yet
 *   pages_total, pages_sent, pages_zero, bytes_sent
 *   requests  page requests that had to wait; late: those for pages already on their way
 *   working_set_pages, probes, worker_restarts, supervisor_restarts
 *   eta_us    estimate of the time left, or null
 */
typedef struct {
    const FsnPagerPlan *plan; /* borrowed */
    const char *phase;
    char *error; /* owned */
    bool ran;
    int64_t begun_us; /* monotonic; the times below too, 0 = not yet */
    int64_t created_us;
    int64_t connected_us;
    int64_t ready_us;
    int64_t running_us;
    int64_t loaded_us;
    unsigned supervisor_restarts;
    int fd; /* lines go there; -1: nowhere */
} FsnPagerStatus;

/* The object as text without a newline; @arena may be NULL. The caller frees. */
char *fsn_pager_status_text(const FsnPagerStatus *status,
                            FsnArena *arena,
                            int64_t now_us);

/* Replaces the plan's status file, if it names one; a failure is ignored: the load matters
 * more. */
void fsn_pager_status_save(const FsnPagerStatus *status, FsnArena *arena);

/* Sets the phase and @error_text (nullable), writes a line and the file. */
void fsn_pager_status_enter(FsnPagerStatus *status,
                            FsnArena *arena,
                            const char *phase,
                            const char *error_text);

G_END_DECLS
