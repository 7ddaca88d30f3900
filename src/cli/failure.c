/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of an error's journey: its exit code, its line on stderr with the advice that fits
 * its kind, and its place in the JSON document. The advice is general; where a library knows
 * better it says so in the message itself.
 */
#include "config.h"

#include "cli/failure.h"

#include "base/error.h"
#include "cli/run.h"

#include <stdio.h>

/* FSN_ERROR_FAILED stands for errors of other domains; wrong options are usage errors. */
static FsnError
code_of(const GError *error)
{
    if (error->domain == G_OPTION_ERROR) {
        return FSN_ERROR_USAGE;
    }
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return FSN_ERROR_CANCELLED;
    }
    return error->domain == FSN_ERROR ? (FsnError)error->code : FSN_ERROR_FAILED;
}

int
fsn_cli_exit_code(const GError *error)
{
    switch (code_of(error)) {
    case FSN_ERROR_USAGE:
        return FSN_EXIT_USAGE;
    case FSN_ERROR_PARTIAL:
        return FSN_EXIT_PARTIAL;
    case FSN_ERROR_BUSY:
        return FSN_EXIT_BUSY;
    case FSN_ERROR_FAILED:
    case FSN_ERROR_NOT_FOUND:
    case FSN_ERROR_EXISTS:
    case FSN_ERROR_CORRUPT:
    case FSN_ERROR_FORMAT:
    case FSN_ERROR_UNSUPPORTED:
    case FSN_ERROR_NO_SPACE:
    case FSN_ERROR_CANCELLED:
    case FSN_ERROR_TIMEOUT:
    case FSN_ERROR_STATE:
        break;
    }
    return FSN_EXIT_FAILED;
}

const char *
fsn_cli_error_word(const GError *error)
{
    switch (code_of(error)) {
    case FSN_ERROR_FAILED:
        break;
    case FSN_ERROR_USAGE:
        return "usage";
    case FSN_ERROR_PARTIAL:
        return "partial";
    case FSN_ERROR_BUSY:
        return "busy";
    case FSN_ERROR_NOT_FOUND:
        return "not-found";
    case FSN_ERROR_EXISTS:
        return "exists";
    case FSN_ERROR_CORRUPT:
        return "corrupt";
    case FSN_ERROR_FORMAT:
        return "format";
    case FSN_ERROR_UNSUPPORTED:
        return "unsupported";
    case FSN_ERROR_NO_SPACE:
        return "no-space";
    case FSN_ERROR_CANCELLED:
        return "cancelled";
    case FSN_ERROR_TIMEOUT:
        return "timeout";
    case FSN_ERROR_STATE:
        return "state";
    }
    return "failed";
}

/* What to do next, NULL where there is nothing general to say. */
static char *
advice(const char *command, const GError *error)
{
    switch (code_of(error)) {
    case FSN_ERROR_USAGE:
        return command ? g_strdup_printf("see 'foresnap %s --help'", command)
                       : g_strdup("see 'foresnap --help'");
    case FSN_ERROR_BUSY:
        return g_strdup("another operation is under way: try again when it has ended "
                        "('foresnap status' shows it)");
    case FSN_ERROR_NO_SPACE:
        return g_strdup("make room with 'foresnap delete SNAPSHOT' and 'foresnap gc'");
    case FSN_ERROR_CORRUPT:
        return g_strcmp0(command, "verify") == 0
                   ? NULL
                   : g_strdup("'foresnap verify --read-data' shows what else is damaged");
    case FSN_ERROR_FAILED:
    case FSN_ERROR_PARTIAL:
    case FSN_ERROR_NOT_FOUND:
    case FSN_ERROR_EXISTS:
    case FSN_ERROR_FORMAT:
    case FSN_ERROR_UNSUPPORTED:
    case FSN_ERROR_CANCELLED:
    case FSN_ERROR_TIMEOUT:
    case FSN_ERROR_STATE:
        break;
    }
    return NULL;
}

void
fsn_cli_report_failure(FsnCliContext *context, const char *command, const GError *error)
{
    g_autofree char *text = g_utf8_make_valid(error->message, -1);
    g_autofree char *next = advice(command, error);
    JsonObject *member = json_object_new();

    fprintf(stderr, "foresnap: %s\n", text);
    if (next) {
        fprintf(stderr, "foresnap: %s\n", next);
    }
    json_object_set_string_member(member, "code", fsn_cli_error_word(error));
    json_object_set_string_member(member, "message", text);
    json_object_set_object_member(context->document, "error", member);
}
