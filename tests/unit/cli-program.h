/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <string.h>

/* What the tests of whole commands share: they run the program foresnap of the build tree on
 * a repository of their own. */

/* Runs "foresnap -r @repo @line"; returns the exit code and what it wrote on stdout. */
static inline int
run(const char *repo, const char *line, char **out_stdout)
{
    g_autofree char *program = g_test_build_filename(G_TEST_BUILT, "foresnap", NULL);
    g_autofree char *command = g_strdup_printf("'%s' -r '%s' %s", program, repo, line);
    g_autofree char *messages = NULL;
    g_autoptr(GError) error = NULL;
    int status;

    g_spawn_command_line_sync(command, out_stdout, &messages, &status, &error);
    g_assert_no_error(error);
    g_assert_true(g_spawn_check_wait_status(status, &error) ||
                  error->domain == G_SPAWN_EXIT_ERROR);
    g_test_message("%s: %s", line, messages);
    return error ? error->code : 0;
}

/* The same with --json: returns the document, which has an error if and only if @expected,
 * the exit code, is not 0. */
static inline JsonObject *
run_json(const char *repo, const char *line, int expected)
{
    g_autofree char *with_json = g_strconcat(line, " --json", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    JsonObject *document = NULL;

    g_assert_cmpint(run(repo, with_json, &text), ==, expected);
    g_assert_true(fsn_json_parse_object(text, strlen(text), 1 << 20, "the output",
                                        &document, &error));
    g_assert_true(json_object_has_member(document, "error") == (expected != 0));
    return document;
}
