/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cli/interrupt.c: a request that is told twice is one request; a later one is another. */
#include "config.h"

#include "cli/interrupt.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a child: watches, is signalled twice at once, and once more after @pause_us. Exits with 7 if
 * it outlives that. */
static int
status_of_child(gulong pause_us)
{
    pid_t pid = fork();

    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        g_autoptr(GCancellable) cancellable = g_cancellable_new();

        if (!fsn_cli_interrupt_watch(cancellable, NULL)) {
            _exit(1);
        }
        (void)raise(SIGTERM);
        (void)raise(SIGINT);
        while (!g_cancellable_is_cancelled(cancellable)) {
            g_usleep(1000);
        }
        if (pause_us > 0) {
            g_usleep(pause_us);
            (void)raise(SIGTERM);
        }
        _exit(7);
    }
    int status = 0;

    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    return status;
}

static void
test_told_twice(void)
{
    int status = status_of_child(0);

    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 7);
}

static void
test_meant(void)
{
    int status = status_of_child(600 * 1000);

    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(WTERMSIG(status), ==, SIGTERM);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/interrupt/told-twice", test_told_twice);
    g_test_add_func("/cli/interrupt/meant", test_meant);
    return g_test_run();
}
