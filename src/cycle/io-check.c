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
#include "cycle/io-check.h"
#include "cycle/pending-io.h"
#include "cycle/qemu-threads.h"

#include <unistd.h>

/* A disk that is merely busy shows it within milliseconds. */
#define FIRST_STEP_MS 5
#define LAST_STEP_MS  100

typedef struct {
    const char *what;
    const char *domain;
    FsnIoWaitFunc wait;
    gpointer user;
} Check;

static bool
wait_a_moment(const Check *check, int ms, GError **error)
{
    if (check->wait) {
        return check->wait(check->user, ms, error);
    }
    g_usleep((gulong)ms * 1000); /* nothing tells of a thread that goes on */
    return true;
}

static bool
refuse(const Check *check, GError **error)
{
    g_set_error(
        error, FSN_ERROR, FSN_ERROR_TIMEOUT,
        "cannot %s domain '%s': QEMU has had I/O pending for more than %d s, "
        "on which of its disks is not known: its storage does not answer, and the "
        "guest cannot be stopped before it does; mend the storage and try again",
        check->what, check->domain, (int)(FSN_PENDING_IO_LIMIT_US / G_USEC_PER_SEC));
    return false;
}

static bool
watch(const Check *check, int process_fd, GError **error)
{
    g_autoptr(FsnPendingIo) io = fsn_pending_io_new();

    for (int step_ms = FIRST_STEP_MS;; step_ms = MIN(step_ms * 2, LAST_STEP_MS)) {
        g_autoptr(GArray) looks = NULL;
        g_autoptr(GError) ended = NULL;

        if (!fsn_qemu_threads_look(process_fd, &looks, &ended)) {
            g_debug("domain '%s': %s", check->domain, ended->message);
            return true;
        }
        switch (fsn_pending_io_judge(io, looks, fsn_monotonic_us())) {
        case FSN_IO_MOVES:
            return true;
        case FSN_IO_HANGS:
            return refuse(check, error);
        case FSN_IO_WAITS:
            break;
        }
        if (!wait_a_moment(check, step_ms, error)) {
            return false;
        }
    }
}

bool
fsn_io_check(FsnVirt *virt,
             const char *what,
             const char *domain,
             const char *uuid,
             FsnIoWaitFunc wait,
             gpointer user,
             GError **error)
{
    Check check = { .what = what, .domain = domain, .wait = wait, .user = user };
    g_autofree char *pid_file = fsn_qemu_pid_file(virt, domain);
    g_autoptr(GError) unknown = NULL;
    bool ok;
    int fd;

    if (!fsn_qemu_process_open("/proc", pid_file, uuid, &fd, &unknown)) {
        g_debug("domain '%s': cannot tell whether its storage answers: %s", domain,
                unknown->message);
        return true;
    }
    ok = watch(&check, fd, error);
    close(fd);
    return ok;
}
