/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qmp/commands-status.c: against a real QEMU; malformed values from a script. */
#include "config.h"

#include "base/error.h"
#include "qemu-process.h"
#include "qmp-script.h"
#include "qmp/commands-status.h"

#include <sys/socket.h>
#include <unistd.h>

#define UUID "c0ffee00-1111-2222-3333-444455556666"

static void
assert_status(FsnQmp *qmp, bool running, const char *status)
{
    g_autofree char *found = NULL;
    bool found_running = !running;

    g_assert_true(fsn_qmp_query_status(qmp, &found_running, &found, NULL));
    g_assert_cmpstr(found, ==, status);
    g_assert_cmpint(found_running, ==, running);
}

static void
test_run_state(void)
{
    g_autoptr(TestQemu) qemu =
        test_qemu_new((const char *[]){ "-machine", "none", NULL });
    g_autoptr(FsnQmp) qmp = NULL;

    if (!qemu) {
        return;
    }
    qmp = test_qemu_session(qemu);
    assert_status(qmp, false, "prelaunch");
    g_assert_true(fsn_qmp_cont(qmp, NULL));
    assert_status(qmp, true, "running");
    g_assert_true(fsn_qmp_stop(qmp, NULL));
    assert_status(qmp, false, "paused");
    g_assert_true(fsn_qmp_query_status(qmp, NULL, NULL, NULL));
}

static void
test_identity(void)
{
    g_autoptr(TestQemu) qemu = test_qemu_new(
        (const char *[]){ "-machine", "none", "-name", "a guest", "-uuid", UUID, NULL });
    g_autoptr(TestQemu) bare =
        test_qemu_new((const char *[]){ "-machine", "none", NULL });
    g_autoptr(FsnQmp) qmp = NULL;
    g_autoptr(FsnQmp) bare_qmp = NULL;
    g_auto(FsnQmpVersion) version = { 0 };
    g_autofree char *name = NULL;
    g_autofree char *uuid = NULL;
    char *no_name = (char *)"unset";

    if (!qemu || !bare) {
        return;
    }
    qmp = test_qemu_session(qemu);
    bare_qmp = test_qemu_session(bare);
    g_assert_true(fsn_qmp_query_name(qmp, &name, NULL));
    g_assert_cmpstr(name, ==, "a guest");
    g_assert_true(fsn_qmp_query_uuid(qmp, &uuid, NULL));
    g_assert_cmpstr(uuid, ==, UUID);
    g_assert_true(fsn_qmp_query_name(bare_qmp, &no_name, NULL));
    g_assert_null(no_name);
    g_assert_true(fsn_qmp_query_version(qmp, &version, NULL));
    g_assert_cmpint(version.major, >=, 7);
    g_assert_nonnull(version.package);
}

/* Each getfd needs its descriptor to arrive, and the right one: the tests of migration use
 * it; here its life is watched from the other end. */
static void
test_fds(void)
{
    g_autoptr(TestQemu) qemu =
        test_qemu_new((const char *[]){ "-machine", "none", NULL });
    g_autoptr(FsnQmp) qmp = NULL;
    g_autoptr(GError) error = NULL;
    int pair[2];
    char c;

    if (!qemu) {
        return;
    }
    qmp = test_qemu_session(qemu);
    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
    g_assert_true(fsn_qmp_getfd(qmp, "one", pair[1], NULL));
    close(pair[1]);
    g_assert_cmpint(recv(pair[0], &c, 1, MSG_DONTWAIT), ==, -1);
    g_assert_true(fsn_qmp_closefd(qmp, "one", NULL));
    g_assert_cmpint(recv(pair[0], &c, 1, MSG_DONTWAIT), ==, 0);
    close(pair[0]);
    g_assert_false(fsn_qmp_closefd(qmp, "one", &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
    g_assert_true(g_str_has_prefix(error->message, "QEMU: "));
}

static void
test_unknown_command(void)
{
    g_autoptr(TestQemu) qemu =
        test_qemu_new((const char *[]){ "-machine", "none", NULL });
    g_autoptr(FsnQmp) qmp = NULL;
    g_autoptr(GError) error = NULL;

    if (!qemu) {
        return;
    }
    qmp = test_qemu_session(qemu);
    g_assert_false(fsn_qmp_execute(qmp, "nonsense", NULL, NULL, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
}

static void
test_malformed(void)
{
    const char *replies[] = { "{\"return\":[]}", "{\"return\":{}}",
                              "{\"return\":{\"status\":1,\"qemu\":{\"major\":-1},"
                              "\"UUID\":null}}" };

    for (size_t i = 0; i < G_N_ELEMENTS(replies); i++) {
        g_autoptr(FsnQmp) qmp = fsn_qmp_new(test_script_new(replies[i], NULL));
        FsnQmpVersion version = { 0 };
        char *text = NULL;
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_qmp_query_status(qmp, NULL, &text, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_false(fsn_qmp_query_version(qmp, &version, NULL));
        g_assert_false(fsn_qmp_query_uuid(qmp, &text, NULL));
        g_assert_null(text);
        g_assert_null(version.package);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/status/run-state", test_run_state);
    g_test_add_func("/qmp/status/identity", test_identity);
    g_test_add_func("/qmp/status/fds", test_fds);
    g_test_add_func("/qmp/status/unknown-command", test_unknown_command);
    g_test_add_func("/qmp/status/malformed", test_malformed);
    return g_test_run();
}
