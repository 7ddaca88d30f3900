/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap-guard: watches one operation through a pipe and runs recovery of its domain when
 * the operation's process has died. Started by foresnap itself, never by people.
 *
 *   foresnap-guard UUID URI REPOSITORY STATE-DIR PARENT-PID MAX-STALL-MS   (pipe: fd 3)
 */
#include "config.h"

#include "base/error.h"
#include "cycle/guard.h"
#include "cycle/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define N_ARGS 7

/* A libvirtd that has ended is back in seconds, as a rule; for two minutes it is waited for. */
#define QUICK_ATTEMPTS 25
#define MAX_ATTEMPTS   (QUICK_ATTEMPTS + 120)
#define QUICK_WAIT_US  (200 * 1000)

/* Recovery may meet a domain that libvirt is still letting go of, a lock that the dying
 * process still holds, and a libvirtd that was restarted meanwhile, whose old connection
 * is of no use: so each attempt makes its own. */
static bool
recover(char **argv, GError **error)
{
    for (int attempt = 0;; attempt++) {
        g_autoptr(GError) local = NULL;
        g_autoptr(FsnCycle) cycle =
            fsn_cycle_new(argv[2][0] ? argv[2] : NULL, argv[3], argv[4], &local);

        if (cycle && fsn_cycle_recover_domain(cycle, argv[1], 1000, NULL, &local)) {
            return true;
        }
        if (attempt >= MAX_ATTEMPTS) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        g_usleep(attempt < QUICK_ATTEMPTS ? QUICK_WAIT_US : G_USEC_PER_SEC);
    }
}

/* Reads the stream that its owner reads no more to its end: whatever is in it, QEMU must get rid
 * of it (outgoing.h). */
static gpointer
drain(gpointer unused G_GNUC_UNUSED)
{
    static char bytes[1 << 16];

    while (read(FSN_GUARD_STREAM_FD, bytes, sizeof bytes) > 0) {
    }
    return NULL;
}

/* Says so once libvirt and the repository have been seen to be there for this process. */
static bool
tell_ready(char **argv, GError **error)
{
    g_autoptr(FsnCycle) cycle =
        fsn_cycle_new(argv[2][0] ? argv[2] : NULL, argv[3], argv[4], error);

    if (!cycle || !fsn_cycle_virt(cycle, error) || !fsn_cycle_repo(cycle, error)) {
        return false;
    }
    if (write(STDOUT_FILENO, "R", 1) != 1) {
        return fsn_set_errno(error, errno, "cannot answer");
    }
    return true;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    guint64 parent;
    guint64 max_stall_ms;

    if (argc != N_ARGS ||
        !g_ascii_string_to_unsigned(argv[5], 10, 0, G_MAXINT, &parent, NULL) ||
        !g_ascii_string_to_unsigned(argv[6], 10, 0, G_MAXUINT, &max_stall_ms, NULL)) {
        g_printerr("foresnap-guard: started by foresnap, not by hand\n");
        return 2;
    }
    /* A signal to the operation's process group (Ctrl-C) must not take the guard along. */
    (void)setsid();
    signal(SIGPIPE, SIG_IGN);
    /* A suspend waits for this and is refused without a guard. A resume does not wait, for
     * nothing is lost meanwhile: it has a guard even if libvirt is not there just now. */
    if (max_stall_ms > 0 && !tell_ready(argv, &error)) {
        g_printerr("foresnap-guard: %s\n", error->message);
        return 1;
    }
    if (fsn_guard_watch(FSN_GUARD_PIPE_FD, (GPid)parent, (unsigned)max_stall_ms)) {
        return 0;
    }
    if (fcntl(FSN_GUARD_STREAM_FD, F_GETFD) >= 0) {
        g_thread_unref(g_thread_new("drain", drain, NULL)); /* it ends with the process */
    }
    if (!recover(argv, &error)) {
        g_printerr("foresnap-guard: %s\n", error->message);
        return 1;
    }
    return 0;
}
