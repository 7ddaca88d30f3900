/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap-holder: prepares a suspend and holds it (cycle/holder.h). Started by foresnap
 * itself, never by people.
 *
 *   foresnap-holder DOMAIN URI REPOSITORY STATE-DIR CODEC LEVEL HOLD-SECONDS   (report: fd 3)
 */
#include "config.h"

#include "cycle/holder.h"

#include "cycle/cargo-standard.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define REPORT_FD 3
#define N_ARGS    8

/* The holder outlives its caller's terminal. */
static void
leave_terminal(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    (void)setsid();
    if (null >= 0) {
        (void)dup2(null, STDIN_FILENO);
        (void)dup2(null, STDOUT_FILENO);
        (void)dup2(null, STDERR_FILENO);
        close(null);
    }
}

int
main(int argc, char **argv)
{
    g_autoptr(FsnCycle) cycle = NULL;
    g_autoptr(GError) error = NULL;
    FsnSuspendOptions options = FSN_SUSPEND_OPTIONS_INIT;

    if (argc != N_ARGS) {
        g_printerr("foresnap-holder: started by foresnap, not by hand\n");
        return 2;
    }
    leave_terminal();
    (void)fcntl(REPORT_FD, F_SETFD,
                FD_CLOEXEC); /* it is open: the caller has passed it */
    options.codec = (FsnCodec)atoi(argv[5]);
    options.level = atoi(argv[6]);
    options.max_hold_s = g_ascii_strtoll(argv[7], NULL, 10);
    options.ahead_s = 0; /* the bulk travels while the guest runs, or not at all */
    cycle = fsn_cycle_new(argv[2][0] ? argv[2] : NULL, argv[3], argv[4], &error);
    if (cycle) {
        fsn_cargo_add_standard(cycle);
    }
    return cycle && fsn_holder_main(cycle, argv[1], &options, REPORT_FD, &error) ? 0 : 1;
}
