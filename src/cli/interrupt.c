/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals that ask the program to stop, turned into a cancelled GCancellable. A handler only
 * writes to a pipe; a thread of its own reads it, since commands block in their work. The
 * signal mask is left alone: child processes would inherit it.
 */
#include "config.h"

#include "cli/interrupt.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define SAME_REQUEST_US (G_USEC_PER_SEC / 2)

static int pipe_fds[2] = { -1, -1 };
static _Atomic int64_t first_us; /* when the first signal came, or 0 */

/*
 * timeout(1) signals its child and then its process group, so one request comes twice. What
 * comes so soon after the first is the same request; what comes later means it.
 */
static void
on_signal(int signum)
{
    int saved = errno;
    int64_t now_us = fsn_monotonic_us();
    int64_t none = 0;

    if (atomic_compare_exchange_strong(&first_us, &none, now_us)) {
        ssize_t n = write(pipe_fds[1], "", 1);

        (void)n; /* an empty pipe takes a byte */
    } else if (now_us - first_us >= SAME_REQUEST_US) {
        signal(signum, SIG_DFL);
        (void)raise(signum); /* pending until this handler returns */
    }
    errno = saved;
}

static gpointer
wait_for_signal(gpointer data)
{
    GCancellable *cancellable = data;
    char byte;
    ssize_t n;

    do {
        n = read(pipe_fds[0], &byte, 1);
    } while (n < 0 && errno == EINTR);
    g_cancellable_cancel(cancellable);
    g_object_unref(cancellable);
    return NULL;
}

bool
fsn_cli_interrupt_watch(GCancellable *cancellable, GError **error)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESTART };

    if (!g_unix_open_pipe(pipe_fds, FD_CLOEXEC, error)) {
        return false;
    }
    g_thread_unref(g_thread_new("interrupt", wait_for_signal, g_object_ref(cancellable)));
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGINT);
    sigaddset(&action.sa_mask, SIGTERM);
    if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0) {
        return fsn_set_errno(error, errno, "cannot watch for signals");
    }
    return true;
}
