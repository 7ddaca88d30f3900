/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of --help, made from the same tables that the options are parsed with, so that it
 * cannot name an option that is not there. The man pages are compared with it by a test.
 */
#include "config.h"

#include "cli/help.h"

#include "cli/output.h"

#include <string.h>

/* Left columns longer than this get a line of their own. */
#define COLUMN 28

GOptionEntry *
fsn_cli_global_options(void)
{
    const GOptionEntry entries[] = {
        { "connect", 'c', 0, G_OPTION_ARG_STRING, NULL, "libvirt's connection URI",
          "URI" },
        { "repo", 'r', 0, G_OPTION_ARG_FILENAME, NULL, "folder of the repository",
          "LOCATION" },
        { "json", 0, 0, G_OPTION_ARG_NONE, NULL, "print one JSON document", NULL },
        { "detach", 0, 0, G_OPTION_ARG_NONE, NULL, "start long work as a job and return",
          NULL },
        { "quiet", 'q', 0, G_OPTION_ARG_NONE, NULL, "print results only", NULL },
        { "verbose", 'v', 0, G_OPTION_ARG_NONE, NULL, "print more detail", NULL },
        { "version", 0, 0, G_OPTION_ARG_NONE, NULL, "print the version", NULL },
        { "help", 'h', 0, G_OPTION_ARG_NONE, NULL, "print this help", NULL },
        G_OPTION_ENTRY_NULL,
    };

    return g_memdup2(entries, sizeof(entries));
}

static void
append_row(GString *text, const char *left, const char *right)
{
    if (strlen(left) > COLUMN - 2) {
        g_string_append_printf(text, "  %s\n  %*s%s\n", left, COLUMN, "", right);
    } else {
        g_string_append_printf(text, "  %-*s%s\n", COLUMN, left, right);
    }
}

static char *
option_left_column(const GOptionEntry *entry)
{
    GString *left = g_string_new(NULL);

    if (entry->short_name) {
        g_string_append_printf(left, "-%c, ", entry->short_name);
    }
    g_string_append_printf(left, "--%s", entry->long_name);
    if (entry->arg_description) {
        g_string_append_printf(left, " %s", entry->arg_description);
    }
    return g_string_free(left, FALSE);
}

static void
append_options(GString *text, const GOptionEntry *entries)
{
    g_string_append(text, "\nOptions:\n");
    for (; entries->long_name; entries++) {
        g_autofree char *left = option_left_column(entries);

        append_row(text, left, entries->description);
    }
}

static void
append_program(GString *text, const FsnCliCommand *const *commands)
{
    g_autofree GOptionEntry *globals = fsn_cli_global_options();

    g_string_append(text, "Usage: foresnap [OPTION...] COMMAND [ARGUMENT...]\n\n"
                          "Suspends and resumes virtual machines of libvirt.\n\n"
                          "Commands:\n");
    for (; *commands; commands++) {
        g_autofree char *left =
            g_strconcat((*commands)->name, *(*commands)->arguments ? " " : "",
                        (*commands)->arguments, NULL);

        append_row(text, left, (*commands)->summary);
    }
    append_options(text, globals);
    g_string_append(text, "\nOptions may stand before or behind the command. "
                          "'foresnap COMMAND --help' lists those of\n"
                          "a command, 'man foresnap-COMMAND' explains it.\n");
}

static void
append_command(GString *text, const FsnCliCommand *command)
{
    g_string_append_printf(text, "Usage: foresnap %s [OPTION...]%s%s\n\n%c%s.\n",
                           command->name, *command->arguments ? " " : "",
                           command->arguments, g_ascii_toupper(*command->summary),
                           command->summary + 1);
    if (command->options) {
        append_options(text, command->options);
    }
    g_string_append_printf(text,
                           "\n'foresnap --help' lists the options of all commands, "
                           "'man foresnap-%s' explains this one.\n",
                           command->name);
}

char *
fsn_cli_help_text(const FsnCliCommand *const *commands, const FsnCliCommand *command)
{
    GString *text = g_string_new(NULL);

    if (command) {
        append_command(text, command);
    } else {
        append_program(text, commands);
    }
    return g_string_free(text, FALSE);
}

static void
add_command_names(JsonObject *document, const FsnCliCommand *const *commands)
{
    JsonArray *names = json_array_new();

    for (; *commands; commands++) {
        json_array_add_string_element(names, (*commands)->name);
    }
    json_object_set_array_member(document, "commands", names);
}

static void
add_option_names(JsonObject *document, const FsnCliCommand *command)
{
    JsonArray *names = json_array_new();

    for (const GOptionEntry *entry = command->options; entry && entry->long_name;
         entry++) {
        json_array_add_string_element(names, entry->long_name);
    }
    json_object_set_string_member(document, "command", command->name);
    json_object_set_array_member(document, "options", names);
}

void
fsn_cli_show_help(FsnCliContext *context,
                  const FsnCliCommand *const *commands,
                  const FsnCliCommand *command)
{
    g_autofree char *text = fsn_cli_help_text(commands, command);

    if (command) {
        add_option_names(context->document, command);
    } else {
        add_command_names(context->document, commands);
    }
    fsn_cli_print(context, "%s", text);
}

void
fsn_cli_show_version(FsnCliContext *context)
{
    json_object_set_string_member(context->document, "version", PACKAGE_VERSION);
    fsn_cli_print(context, "foresnap %s\n", PACKAGE_VERSION);
}
