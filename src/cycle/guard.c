/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both ends of the guard's pipe. The guard holds no state of its own: what is to be done is
 * read from the journal and the facts by recovery.
 */
#include "config.h"

#include "cycle/guard.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_TIMEOUT_MS 15000

struct FsnGuard {
    GPid pid;
    int fd;
};

static gboolean
wait_ready(int fd, GError **error)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char c = 0;
    int rc;

    do {
        rc = poll(&p, 1, READY_TIMEOUT_MS);
    } while (rc < 0 && errno == EINTR);
    if (rc == 1 && read(fd, &c, 1) == 1 && c == 'R') {
        return TRUE;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                "the guard process did not start; nothing was touched");
    return FALSE;
}

FsnGuard *
fsn_guard_start(FsnCycle *cycle,
                const char *uuid,
                unsigned max_stall_ms,
                int stream_fd,
                GError **error)
{
    g_autofree char *program = fsn_cycle_helper_path("foresnap-guard");
    g_autofree char *stall = g_strdup_printf("%u", max_stall_ms);
    g_autofree char *parent = g_strdup_printf("%d", (int)getpid());
    const char *uri = fsn_cycle_uri(cycle);
    const char *argv[] = { program,
                           uuid,
                           uri ? uri : "",
                           fsn_cycle_repo_location(cycle),
                           fsn_cycle_state_dir(cycle),
                           parent,
                           stall,
                           NULL };
    int to_guard[2];
    int ready = -1;
    int sources[2];
    int targets[2] = { FSN_GUARD_PIPE_FD, FSN_GUARD_STREAM_FD };
    g_autoptr(FsnGuard) guard = g_new0(FsnGuard, 1);

    guard->fd = -1;
    if (!g_unix_open_pipe(to_guard, FD_CLOEXEC, error)) {
        return NULL;
    }
    guard->fd = to_guard[1];
    sources[0] = to_guard[0];
    sources[1] = stream_fd;
    /* A dead guard must not kill us by SIGPIPE: the pipe is written without it. */
    signal(SIGPIPE, SIG_IGN);
    if (!g_spawn_async_with_pipes_and_fds(
            NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, -1, -1, -1, sources,
            targets, stream_fd >= 0 ? 2 : 1, &guard->pid, NULL, &ready, NULL, error)) {
        close(to_guard[0]);
        return NULL;
    }
    close(to_guard[0]);
    if (!wait_ready(ready, error)) {
        close(ready);
        return NULL;
    }
    close(ready);
    return g_steal_pointer(&guard);
}

static void
send_byte(FsnGuard *guard, char c)
{
    ssize_t n;

    if (!guard) {
        return; /* nothing is stopped that it would have to let go */
    }
    do {
        n = write(guard->fd, &c, 1);
    } while (n < 0 && errno == EINTR);
    /* A guard that has gone cannot help any more; the operation itself is sound. */
}

void
fsn_guard_stopping(FsnGuard *guard)
{
    send_byte(guard, 'S');
}

void
fsn_guard_beat(FsnGuard *guard)
{
    send_byte(guard, 'B');
}

void
fsn_guard_running(FsnGuard *guard)
{
    send_byte(guard, 'R');
}

void
fsn_guard_done(FsnGuard *guard)
{
    if (!guard) {
        return;
    }
    if (guard->fd >= 0) {
        send_byte(guard, 'D');
        close(guard->fd);
    }
    if (guard->pid > 0) {
        while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    g_free(guard);
}

void
fsn_guard_abandon(FsnGuard *guard)
{
    if (guard) {
        close(guard->fd); /* the end of file without 'D' is the message */
        g_free(guard);
    }
}

bool
fsn_guard_watch(int fd, GPid parent, unsigned max_stall_ms)
{
    bool stopping = false;

    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        char c = 0;
        ssize_t n;
        int rc = poll(&p, 1, stopping ? (int)MIN(max_stall_ms, (unsigned)INT_MAX) : -1);

        if (rc < 0 && errno == EINTR) {
            continue;
        }
        if (rc == 0) {
            /* Killed before recovery begins, so that it cannot commit behind our back. */
            (void)kill(parent, SIGKILL);
            stopping = false;
            continue;
        }
        n = read(fd, &c, 1);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        if (c == 'D') {
            return true;
        }
        stopping = (stopping || c == 'S') && c != 'R';
    }
}

bool
fsn_guard_attend(FsnCycle *cycle, const char *uuid, int *out_pipe, GError **error)
{
    g_autofree char *program = fsn_cycle_helper_path("foresnap-guard");
    const char *uri = fsn_cycle_uri(cycle);
    const char *argv[] = { program,
                           uuid,
                           uri ? uri : "",
                           fsn_cycle_repo_location(cycle),
                           fsn_cycle_state_dir(cycle),
                           "0",
                           "0",
                           NULL };
    int ends[2];
    int target = 3;
    bool ok;

    if (!g_unix_open_pipe(ends, FD_CLOEXEC, error)) {
        return false;
    }
    ok = g_spawn_async_with_pipes_and_fds(NULL, argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL,
                                          NULL, NULL, -1, -1, -1, &ends[0], &target, 1,
                                          NULL, NULL, NULL, NULL, error);
    close(ends[0]);
    if (!ok) {
        close(ends[1]);
        return false;
    }
    *out_pipe = ends[1];
    return true;
}
