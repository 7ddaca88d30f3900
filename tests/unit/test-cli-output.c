/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cli/output.c, failure.c and progress.c: what is printed where, and with which words. */
#include "config.h"

#include "base/error.h"
#include "cli/failure.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/run.h"

#include <stdio.h>

static void
test_table(void)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("lrl");
    g_autofree char *text = NULL;

    fsn_cli_table_add(table, "NAME", "SIZE", "WHY");
    fsn_cli_table_add(table, "é", "1.0 GiB", "x\xff");
    text = fsn_cli_table_text(table);
    g_assert_cmpstr(text, ==,
                    "NAME     SIZE  WHY\n"
                    "é     1.0 GiB  x\xef\xbf\xbd\n");
}

static void
test_codes(void)
{
    const struct {
        FsnError code;
        int exit_code;
        const char *word;
    } cases[] = {
        { FSN_ERROR_FAILED, 1, "failed" },
        { FSN_ERROR_USAGE, 2, "usage" },
        { FSN_ERROR_PARTIAL, 3, "partial" },
        { FSN_ERROR_BUSY, 75, "busy" },
        { FSN_ERROR_NOT_FOUND, 1, "not-found" },
        { FSN_ERROR_EXISTS, 1, "exists" },
        { FSN_ERROR_CORRUPT, 1, "corrupt" },
        { FSN_ERROR_FORMAT, 1, "format" },
        { FSN_ERROR_UNSUPPORTED, 1, "unsupported" },
        { FSN_ERROR_NO_SPACE, 1, "no-space" },
        { FSN_ERROR_CANCELLED, 1, "cancelled" },
        { FSN_ERROR_TIMEOUT, 1, "timeout" },
        { FSN_ERROR_STATE, 1, "state" },
    };

    g_autoptr(GError) option = g_error_new(G_OPTION_ERROR, 0, "x");
    g_autoptr(GError) other = g_error_new(G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "x");

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = g_error_new(FSN_ERROR, cases[i].code, "x");

        g_assert_cmpint(fsn_cli_exit_code(error), ==, cases[i].exit_code);
        g_assert_cmpstr(fsn_cli_error_word(error), ==, cases[i].word);
    }
    g_assert_cmpint(fsn_cli_exit_code(option), ==, FSN_EXIT_USAGE);
    g_assert_cmpint(fsn_cli_exit_code(other), ==, FSN_EXIT_FAILED);
    g_assert_cmpstr(fsn_cli_error_word(other), ==, "failed");
}

static void
test_progress_text(void)
{
    g_autofree char *early = fsn_cli_progress_text("reading", 0, 2048, 0);
    g_autofree char *half = fsn_cli_progress_text("reading", 1048576, 2097152, 1000000);
    g_autofree char *over = fsn_cli_progress_text("reading", 4096, 2048, 10);
    g_autofree char *open_end = fsn_cli_progress_text("reading", 4096, 0, 10);
    g_autofree char *none = fsn_cli_progress_text("waiting", 0, 0, 5000000);

    g_assert_cmpstr(early, ==, "reading  0 %  0 B of 2.0 KiB");
    g_assert_cmpstr(half, ==, "reading  50 %  1.0 MiB of 2.0 MiB  1.0 MiB/s  2 s left");
    g_assert_cmpstr(over, ==, "reading  100 %  2.0 KiB of 2.0 KiB");
    g_assert_cmpstr(open_end, ==, "reading  4.0 KiB");
    g_assert_cmpstr(none, ==, "waiting");
}

static void
child_json(void)
{
    g_autoptr(FsnCliContext) context = fsn_cli_context_new();

    context->json = true;
    fsn_cli_print(context, "not seen");
    fsn_cli_say(context, "not seen");
    fsn_cli_warn(context, "careful %d", 1);
    g_assert_true(fsn_cli_finish_output(context));
}

static void
child_quiet(void)
{
    g_autoptr(FsnCliContext) context = fsn_cli_context_new();

    context->quiet = true;
    fsn_cli_say(context, "not seen");
    fsn_cli_print_wrapped(context, 70, "one two éééééééé");
    fsn_cli_print(context, "escape \033[0m\n");
    g_assert_true(fsn_cli_finish_output(context));
}

static void
child_full(void)
{
    g_autoptr(FsnCliContext) context = fsn_cli_context_new();

    g_assert_nonnull(freopen("/dev/full", "w", stdout));
    fsn_cli_print(context, "lost\n");
    g_assert_false(fsn_cli_finish_output(context));
}

static void
test_channels(void)
{
    const GTestSubprocessFlags none = G_TEST_SUBPROCESS_DEFAULT;

    g_test_trap_subprocess("/cli/output/channels/subprocess/json", 0, none);
    g_test_trap_assert_passed();
    g_test_trap_assert_stdout("*\"warnings\" : *\"careful 1\"*");
    g_test_trap_assert_stdout_unmatched("*not seen*");
    g_test_trap_assert_stderr("foresnap: warning: careful 1\n");
    g_test_trap_subprocess("/cli/output/channels/subprocess/quiet", 0, none);
    g_test_trap_assert_passed();
    g_test_trap_assert_stdout("*     one two\n      *     éééééééé\n*");
    g_test_trap_assert_stdout("*escape ?[0m\n*");
    g_test_trap_assert_stdout_unmatched("*not seen*");
    g_test_trap_subprocess("/cli/output/channels/subprocess/full", 0, none);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("foresnap: cannot write the output: *");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/output/table", test_table);
    g_test_add_func("/cli/output/codes", test_codes);
    g_test_add_func("/cli/output/progress-text", test_progress_text);
    g_test_add_func("/cli/output/channels", test_channels);
    g_test_add_func("/cli/output/channels/subprocess/json", child_json);
    g_test_add_func("/cli/output/channels/subprocess/quiet", child_quiet);
    g_test_add_func("/cli/output/channels/subprocess/full", child_full);
    return g_test_run();
}
