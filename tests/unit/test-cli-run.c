/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cli/run.c: options on both sides of the command, limits of arguments, exit codes. */
#include "config.h"

#include "base/error.h"
#include "cli/help.h"
#include "cli/run.h"

#include <signal.h>
#include <string.h>

/* What the command under test was given. */
static struct {
    int runs;
    char *uri;
    char *repo;
    bool json;
    bool quiet;
    char *args;
} seen;

static int opt_number;

static void
forget(void)
{
    g_clear_pointer(&seen.uri, g_free);
    g_clear_pointer(&seen.repo, g_free);
    g_clear_pointer(&seen.args, g_free);
    memset(&seen, 0, sizeof(seen));
    opt_number = 0;
}

static bool
run_seen(FsnCliContext *context, char **args, GError **error)
{
    forget();
    seen.runs = 1;
    seen.uri = g_strdup(context->uri);
    seen.repo = g_strdup(context->repo_location);
    seen.json = context->json;
    seen.quiet = context->quiet;
    seen.args = g_strjoinv(",", args);
    return true;
}

static bool
run_busy(FsnCliContext *context, char **args, GError **error)
{
    json_object_set_int_member(context->document, "tried", 1);
    g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY, "domain 'x' is busy");
    return false;
}

static bool
run_interrupted(FsnCliContext *context, char **args, GError **error)
{
    gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    raise(SIGTERM);
    while (!g_cancellable_is_cancelled(context->cancellable)) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_usleep(1000);
    }
    return !g_cancellable_set_error_if_cancelled(context->cancellable, error);
}

static GOptionEntry options[] = {
    { "number", 'n', 0, G_OPTION_ARG_INT, &opt_number, "a number", "N" },
    G_OPTION_ENTRY_NULL,
};
static const FsnCliCommand seen_command = { "seen",  "A [B]", "show what it was given",
                                            options, 1,       2,
                                            false,   run_seen };
static const FsnCliCommand busy_command = { "busy", "", "fail", NULL,
                                            0,      0,  false,  run_busy };
static const FsnCliCommand interrupted_command = {
    "interrupted", "", "wait", NULL, 0, 0, true, run_interrupted
};
static const FsnCliCommand *const commands[] = { &seen_command, &busy_command,
                                                 &interrupted_command, NULL };

static int
run(const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);

    forget();
    return fsn_cli_run(commands, (int)g_strv_length(words), words);
}

static void
test_globals(void)
{
    const char *lines[] = {
        "foresnap -c test:///x -r /r -q seen a b",
        "foresnap seen -c test:///x a --repo=/r b -q",
        "foresnap -c test:///old --quiet seen -c test:///x -r /r a b",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_assert_cmpint(run(lines[i]), ==, FSN_EXIT_DONE);
        g_assert_cmpstr(seen.uri, ==, "test:///x");
        g_assert_cmpstr(seen.repo, ==, "/r");
        g_assert_cmpstr(seen.args, ==, "a,b");
        g_assert_true(seen.quiet);
        g_assert_false(seen.json);
    }
}

static void
test_environment(void)
{
    g_setenv("FORESNAP_REPO", "/from/environment", TRUE);
    g_setenv("LIBVIRT_DEFAULT_URI", "test:///environment", TRUE);
    g_assert_cmpint(run("foresnap seen a"), ==, FSN_EXIT_DONE);
    g_assert_cmpstr(seen.repo, ==, "/from/environment");
    g_assert_cmpstr(seen.uri, ==, "test:///environment");
    g_assert_cmpint(run("foresnap -r /option seen a"), ==, FSN_EXIT_DONE);
    g_assert_cmpstr(seen.repo, ==, "/option");
    g_setenv("FORESNAP_REPO", "", TRUE);
    g_unsetenv("LIBVIRT_DEFAULT_URI");
    g_assert_cmpint(run("foresnap seen a"), ==, FSN_EXIT_DONE);
    g_assert_null(seen.uri);
    g_assert_true(g_str_has_suffix(seen.repo, "/foresnap/repo"));
}

static void
test_arguments(void)
{
    g_assert_cmpint(run("foresnap seen -n 7 -- -a"), ==, FSN_EXIT_DONE);
    g_assert_cmpstr(seen.args, ==, "-a");
    g_assert_cmpint(run("foresnap seen"), ==, FSN_EXIT_USAGE);
    g_assert_cmpint(run("foresnap seen a b c"), ==, FSN_EXIT_USAGE);
    g_assert_cmpint(run("foresnap seen a --nonsense"), ==, FSN_EXIT_USAGE);
    g_assert_cmpint(run("foresnap seen a -n x"), ==, FSN_EXIT_USAGE);
    g_assert_cmpint(run("foresnap --nonsense seen a"), ==, FSN_EXIT_USAGE);
    g_assert_cmpint(run("foresnap nonsense"), ==, FSN_EXIT_USAGE);
    g_assert_cmpint(run("foresnap"), ==, FSN_EXIT_USAGE);
    g_assert_cmpint(seen.runs, ==, 0);
}

static void
child_busy_json(void)
{
    g_assert_cmpint(run("foresnap busy --json"), ==, FSN_EXIT_BUSY);
}

static void
child_usage_json(void)
{
    g_assert_cmpint(run("foresnap --bad seen --json"), ==, FSN_EXIT_USAGE);
}

static void
child_interrupted(void)
{
    g_assert_cmpint(run("foresnap interrupted --json"), ==, FSN_EXIT_FAILED);
}

static void
test_failures(void)
{
    const GTestSubprocessFlags none = G_TEST_SUBPROCESS_DEFAULT;

    g_test_trap_subprocess("/cli/run/failures/subprocess/busy", 0, none);
    g_test_trap_assert_passed();
    g_test_trap_assert_stdout("*\"tried\" : 1*\"code\" : \"busy\"*domain 'x' is busy*");
    g_test_trap_assert_stderr("foresnap: domain 'x' is busy\nforesnap: *try again*");
    g_test_trap_subprocess("/cli/run/failures/subprocess/usage", 0, none);
    g_test_trap_assert_passed();
    g_test_trap_assert_stdout("*\"code\" : \"usage\"*");
    g_test_trap_subprocess("/cli/run/failures/subprocess/interrupted", 0, none);
    g_test_trap_assert_passed();
    g_test_trap_assert_stdout("*\"code\" : \"cancelled\"*");
}

static void
test_help(void)
{
    g_autofree char *program = fsn_cli_help_text(commands, NULL);
    g_autofree char *command = fsn_cli_help_text(commands, &seen_command);

    g_assert_nonnull(
        strstr(program, "\n  seen A [B]                  show what it was given\n"));
    g_assert_nonnull(strstr(program, "\n  -r, --repo LOCATION "));
    g_assert_nonnull(strstr(command, "Usage: foresnap seen [OPTION...] A [B]\n"));
    g_assert_nonnull(strstr(command, "\n  -n, --number N "));
    g_assert_cmpint(run("foresnap seen --help"), ==, FSN_EXIT_DONE);
    g_assert_cmpint(run("foresnap --version --json"), ==, FSN_EXIT_DONE);
    g_assert_cmpint(seen.runs, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/run/globals", test_globals);
    g_test_add_func("/cli/run/environment", test_environment);
    g_test_add_func("/cli/run/arguments", test_arguments);
    g_test_add_func("/cli/run/failures", test_failures);
    g_test_add_func("/cli/run/failures/subprocess/busy", child_busy_json);
    g_test_add_func("/cli/run/failures/subprocess/usage", child_usage_json);
    g_test_add_func("/cli/run/failures/subprocess/interrupted", child_interrupted);
    g_test_add_func("/cli/run/help", test_help);
    return g_test_run();
}
