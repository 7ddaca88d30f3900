/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Refuses to stop a guest whose storage does not answer: QEMU waits for all I/O when it stops,
 * without limit, with the guest already standing. Advisory: it sees neither every kind of I/O
 * (pending-io.c) nor what begins to hang later, and lets pass what it cannot look at. What it
 * misses is noticed by the stall of the stream, and by the guard.
 *
 * QEMU before 9.1 waits for all I/O also at the end of a migration, even one that is given up
 * (block_migration_cleanup()), and its monitor with it; so a hold is best kept meanwhile.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "cycle/pending-io.h"
#include "cycle/qemu-threads.h"
#include "cycle/suspend-run-private.h"

#include <unistd.h>

/* A disk that is merely busy shows it within milliseconds. */
#define FIRST_STEP_MS 5
#define LAST_STEP_MS  100

/* A migration that is held has to be read on. */
static bool
wait_a_moment(FsnSuspendRun *run, int ms, GError **error)
{
    if (run->capture) {
        return fsn_suspend_run_idle(run, ms, error);
    }
    g_usleep((gulong)ms * 1000);
    return true;
}

static bool
refuse(FsnSuspendRun *run, GError **error)
{
    g_set_error(
        error, FSN_ERROR, FSN_ERROR_TIMEOUT,
        "cannot suspend domain '%s': QEMU has had I/O pending for more than %d s, "
        "on which of its disks is not known: its storage does not answer, and the "
        "guest cannot be stopped before it does; mend the storage and try again",
        run->facts->name, (int)(FSN_PENDING_IO_LIMIT_US / G_USEC_PER_SEC));
    return false;
}

static bool
watch(FsnSuspendRun *run, int process_fd, GError **error)
{
    g_autoptr(FsnPendingIo) io = fsn_pending_io_new();

    for (int step_ms = FIRST_STEP_MS;; step_ms = MIN(step_ms * 2, LAST_STEP_MS)) {
        g_autoptr(GArray) looks = NULL;
        g_autoptr(GError) ended = NULL;

        if (!fsn_qemu_threads_look(process_fd, &looks, &ended)) {
            g_debug("domain '%s': %s", run->facts->name, ended->message);
            return true;
        }
        switch (fsn_pending_io_judge(io, looks, fsn_monotonic_us())) {
        case FSN_IO_MOVES:
            return true;
        case FSN_IO_HANGS:
            return refuse(run, error);
        case FSN_IO_WAITS:
            break;
        }
        if (!wait_a_moment(run, step_ms, error)) {
            return false;
        }
    }
}

bool
fsn_suspend_check_io(FsnSuspendRun *run, GError **error)
{
    g_autofree char *pid_file = fsn_qemu_pid_file(run->virt, run->facts->name);
    g_autoptr(GError) unknown = NULL;
    bool ok;
    int fd;

    if (!fsn_qemu_process_open("/proc", pid_file, run->facts->uuid, &fd, &unknown)) {
        g_debug("domain '%s': cannot tell whether its storage answers: %s",
                run->facts->name, unknown->message);
        return true;
    }
    ok = watch(run, fd, error);
    close(fd);
    return ok;
}
