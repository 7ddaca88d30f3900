/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of a guest's agent to run a program, and what it may answer, which is anything. */
#include "config.h"

#include "base/error.h"
#include "virt/guest-exec.h"

#include <string.h>

static void
test_command(void)
{
    char *argv[] = { "/bin/a b", "x\"y", "", "\xc3\xa4", NULL };
    g_autofree char *text = fsn_guest_exec_command(argv);

    g_assert_cmpstr(text, ==,
                    "{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/bin/a b\","
                    "\"arg\":[\"x\\\"y\",\"\",\"\xc3\xa4\"],\"capture-output\":false}}");
}

static void
test_pid(void)
{
    static const char *const bad[] = { "",
                                       "{}",
                                       "[]",
                                       "{\"return\":1}",
                                       "{\"return\":{}}",
                                       "{\"return\":{\"pid\":\"1\"}}",
                                       "{\"return\":{\"pid\":-1}}",
                                       "{\"return\":{\"pid\":1}" };
    int64_t pid = -5;

    g_assert_true(fsn_guest_exec_parse_pid("{\"return\":{\"pid\":4711}}", &pid, NULL));
    g_assert_cmpint(pid, ==, 4711);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_guest_exec_parse_pid(bad[i], &pid, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
    g_assert_cmpint(pid, ==, 4711);
}

static void
test_status(void)
{
    static const struct {
        const char *answer;
        bool ended;
        int code;
        int signal;
    } cases[] = {
        { "{\"return\":{\"exited\":false}}", false, -1, 0 },
        { "{\"return\":{\"exited\":true,\"exitcode\":0}}", true, 0, 0 },
        { "{\"return\":{\"exited\":true,\"exitcode\":3}}", true, 3, 0 },
        { "{\"return\":{\"exited\":true,\"signal\":9}}", true, -1, 9 },
        { "{\"return\":{\"exited\":true}}", true, -1, 0 },
        { "{\"return\":{\"exited\":true,\"exitcode\":\"0\"}}", true, -1, 0 },
        { "{\"return\":{\"exited\":true,\"exitcode\":-9000000000}}", true, -1, 0 },
        { "{\"return\":{\"exited\":true,\"signal\":99999,\"out-data\":\"eA==\"}}", true,
          -1, 255 },
    };

    static const char *const bad[] = { "", "{\"return\":{}}",
                                       "{\"return\":{\"exited\":1}}",
                                       "{\"return\":[true]}" };
    FsnGuestExit status;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_true(fsn_guest_exec_parse_status(cases[i].answer, &status, NULL));
        g_assert_cmpint(status.ended, ==, cases[i].ended);
        g_assert_cmpint(status.code, ==, cases[i].code);
        g_assert_cmpint(status.signal, ==, cases[i].signal);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_guest_exec_parse_status(bad[i], &status, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
}

/* A guest that floods is refused before its answer is parsed. */
static void
test_flood(void)
{
    g_autofree char *flood = g_strnfill(70000, 'A');
    g_autofree char *answer = g_strdup_printf(
        "{\"return\":{\"exited\":true,\"exitcode\":0,\"out-data\":\"%s\"}}", flood);
    g_autoptr(GError) error = NULL;
    FsnGuestExit status;

    g_assert_false(fsn_guest_exec_parse_status(answer, &status, &error));
    g_assert_nonnull(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-exec/command", test_command);
    g_test_add_func("/guest-exec/pid", test_pid);
    g_test_add_func("/guest-exec/status", test_status);
    g_test_add_func("/guest-exec/flood", test_flood);
    return g_test_run();
}
