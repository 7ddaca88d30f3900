/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap-fill: serves and fills the disks of a lazy restore (cycle/fill.h). Started by
 * foresnap itself, never by people. While it lives it has the fill's lock, and the end of a
 * pipe by which a guard sees its death.
 *
 *   foresnap-fill UUID URI REPOSITORY STATE-DIR   (lock: fd 3, pipe: fd 4, ready: fd 5)
 */
#include "config.h"

#include "cycle/fill.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define FIRST_FD 3
#define READY_FD 5
#define N_ARGS   5

/* What it and its servers say goes to a log beside its journal. */
static void
leave_terminal(const char *state_dir, const char *uuid)
{
    g_autofree char *path = g_strdup_printf("%s/%s.log", state_dir, uuid);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (null >= 0) {
        (void)dup2(null, STDIN_FILENO);
        (void)dup2(null, STDOUT_FILENO);
        (void)dup2(log >= 0 ? log : null, STDERR_FILENO);
        close(null);
    }
    if (log >= 0) {
        close(log);
    }
}

int
main(int argc, char **argv)
{
    g_autoptr(FsnCycle) cycle = NULL;
    g_autoptr(GError) error = NULL;

    if (argc != N_ARGS) {
        g_printerr("foresnap-fill: started by foresnap, not by hand\n");
        return 2;
    }
    for (int fd = FIRST_FD; fd <= READY_FD; fd++) {
        (void)fcntl(fd, F_SETFD,
                    FD_CLOEXEC); /* they are open: the caller has passed them */
    }
    leave_terminal(argv[4], argv[1]);
    signal(SIGPIPE, SIG_IGN);
    cycle = fsn_cycle_new(argv[2][0] ? argv[2] : NULL, argv[3], argv[4], &error);
    if (!cycle || !fsn_fill_run(cycle, argv[1], READY_FD, &error)) {
        g_printerr("foresnap-fill: %s\n", error->message);
        return 1;
    }
    return 0;
}
