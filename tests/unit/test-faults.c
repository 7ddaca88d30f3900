/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/base/faults.c: a fault happens where it was ordered and nowhere else. */
#include "config.h"

#include "base/faults.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a child that passes @point ends. */
static int
status_of_passing(const char *point)
{
    pid_t child = fork();
    int status;

    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        fsn_fault_kill_at(point);
        _exit(7);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    return status;
}

static void
test_kill(void)
{
    int status;

    status = status_of_passing("here");
    g_assert_true(WIFEXITED(status));
    g_setenv("FORESNAP_TEST_KILL_AT", "here", TRUE);
    status = status_of_passing("there");
    g_assert_cmpint(WEXITSTATUS(status), ==, 7);
    status = status_of_passing("here");
    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(WTERMSIG(status), ==, SIGKILL);
    g_setenv("FORESNAP_TEST_KILL_AT", "elsewhere,here", TRUE);
    status = status_of_passing("here");
    g_assert_true(WIFSIGNALED(status));
    g_unsetenv("FORESNAP_TEST_KILL_AT");
}

static void
test_fail(void)
{
    g_assert_false(fsn_fault_fails_at("here"));
    g_setenv("FORESNAP_TEST_FAIL_AT", "here", TRUE);
    g_assert_true(fsn_fault_fails_at("here"));
    g_assert_false(fsn_fault_fails_at("there"));
    g_unsetenv("FORESNAP_TEST_FAIL_AT");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/faults/kill", test_kill);
    g_test_add_func("/faults/fail", test_fail);
    return g_test_run();
}
