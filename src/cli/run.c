/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From argv to an exit code. The global options are parsed twice with the same table, once up
 * to the command and once together with the command's own, so that they may stand on either
 * side of it. This is the only place where an error becomes text for a person, and where the
 * JSON document is printed: exactly one, whatever happens after the options are read.
 */
#include "config.h"

#include "cli/run.h"

#include "base/error.h"
#include "cli/detach.h"
#include "cli/failure.h"
#include "cli/help.h"
#include "cli/interrupt.h"
#include "cli/output.h"

#include <locale.h>
#include <string.h>

typedef struct {
    char *uri;
    char *repo;
    gboolean json;
    gboolean detach;
    gboolean quiet;
    gboolean verbose;
    gboolean version;
    gboolean help;
    char **args; /* of the command */
} Globals;

static void
globals_clear(Globals *globals)
{
    g_free(globals->uri);
    g_free(globals->repo);
    g_strfreev(globals->args);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Globals, globals_clear)

/* Points the entries of the shared table at the fields of @globals. */
static GOptionEntry *
bind_globals(Globals *globals)
{
    GOptionEntry *entries = fsn_cli_global_options();
    gpointer fields[] = { &globals->uri,     &globals->repo,  &globals->json,
                          &globals->detach,  &globals->quiet, &globals->verbose,
                          &globals->version, &globals->help };

    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        entries[i].arg_data = fields[i];
    }
    return entries;
}

static bool
parse_before_command(Globals *globals, GStrv *argv, GError **error)
{
    g_autoptr(GOptionContext) parser = g_option_context_new(NULL);
    g_autofree GOptionEntry *entries = bind_globals(globals);

    g_option_context_set_help_enabled(parser, FALSE);
    g_option_context_set_strict_posix(parser, TRUE);
    g_option_context_add_main_entries(parser, entries, NULL);
    return g_option_context_parse_strv(parser, argv, error);
}

/* Adds the options behind the command to those before it; of two values the later counts. */
static void
merge_globals(Globals *globals, Globals *later)
{
    if (later->uri) {
        g_free(globals->uri);
        globals->uri = g_steal_pointer(&later->uri);
    }
    if (later->repo) {
        g_free(globals->repo);
        globals->repo = g_steal_pointer(&later->repo);
    }
    globals->json |= later->json;
    globals->detach |= later->detach;
    globals->quiet |= later->quiet;
    globals->verbose |= later->verbose;
    globals->version |= later->version;
    globals->help |= later->help;
    globals->args = later->args ? g_steal_pointer(&later->args) : g_new0(char *, 1);
}

static bool
parse_after_command(const FsnCliCommand *command,
                    Globals *globals,
                    GStrv *argv,
                    GError **error)
{
    g_autoptr(GOptionContext) parser = g_option_context_new(NULL);
    g_auto(Globals) later = { 0 };
    g_autofree GOptionEntry *entries = bind_globals(&later);
    GOptionEntry rest[] = { { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY,
                              &later.args, NULL, NULL },
                            G_OPTION_ENTRY_NULL };

    g_option_context_set_help_enabled(parser, FALSE);
    if (command->options) {
        g_option_context_add_main_entries(parser, command->options, NULL);
    }
    g_option_context_add_main_entries(parser, entries, NULL);
    g_option_context_add_main_entries(parser, rest, NULL);
    if (!g_option_context_parse_strv(parser, argv, error)) {
        return false;
    }
    merge_globals(globals, &later);
    return true;
}

static const FsnCliCommand *
find_command(const FsnCliCommand *const *commands, const char *name, GError **error)
{
    for (; *commands; commands++) {
        if (strcmp((*commands)->name, name) == 0) {
            return *commands;
        }
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "there is no command '%s'", name);
    return NULL;
}

static bool
check_arguments(const FsnCliCommand *command, char **args, GError **error)
{
    int count = (int)g_strv_length(args);

    if (count >= command->min_args &&
        (command->max_args == FSN_CLI_ANY || count <= command->max_args)) {
        return true;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'%s' takes %s, not %d argument%s",
                command->name, *command->arguments ? command->arguments : "no argument",
                count, count == 1 ? "" : "s");
    return false;
}

/* --json may stand behind the mistake that stops the parser. */
static bool
wants_json(char **argv)
{
    for (; *argv && strcmp(*argv, "--") != 0; argv++) {
        if (strcmp(*argv, "--json") == 0) {
            return true;
        }
    }
    return false;
}

static void
take_globals(FsnCliContext *context, Globals *globals)
{
    context->uri = g_steal_pointer(&globals->uri);
    context->repo_location = g_steal_pointer(&globals->repo);
    context->quiet = globals->quiet;
    context->verbose = globals->verbose;
    fsn_cli_context_apply_environment(context);
}

static bool
run_command(FsnCliContext *context,
            const FsnCliCommand *command,
            char **args,
            GError **error)
{
    if (command->interruptible && !fsn_cli_interrupt_watch(context->cancellable, error)) {
        return false;
    }
    return command->run(context, args, error);
}

static bool
run(FsnCliContext *context,
    const FsnCliCommand *const *commands,
    const FsnCliCommand **out_command,
    GStrv *argv,
    GError **error)
{
    g_auto(Globals) globals = { 0 };
    g_auto(GStrv) whole = g_strdupv(*argv);
    const FsnCliCommand *command = NULL;

    if (!parse_before_command(&globals, argv, error)) {
        return false;
    }
    if ((*argv)[1]) {
        command = find_command(commands, (*argv)[1], error);
        if (!command) {
            return false;
        }
        *out_command = command;
        /* The command's name takes the place of the program's. */
        g_free((*argv)[0]);
        memmove(*argv, *argv + 1,
                g_strv_length(*argv + 1) * sizeof(char *) + sizeof(char *));
        if (!parse_after_command(command, &globals, argv, error)) {
            return false;
        }
    }
    if (globals.version) {
        fsn_cli_show_version(context);
        return true;
    }
    if (globals.help) {
        fsn_cli_show_help(context, commands, command);
        return true;
    }
    if (!command) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "no command was given");
        return false;
    }
    if (!check_arguments(command, globals.args, error)) {
        return false;
    }
    if (globals.detach) {
        return fsn_cli_detach(context, command, whole, globals.args, error);
    }
    take_globals(context, &globals);
    return run_command(context, command, globals.args, error);
}

int
fsn_cli_run(const FsnCliCommand *const *commands, int argc, char **argv)
{
    g_autoptr(FsnCliContext) context = fsn_cli_context_new();
    g_auto(GStrv) args = g_strdupv(argv);
    const FsnCliCommand *command = NULL;
    g_autoptr(GError) error = NULL;
    int code = FSN_EXIT_DONE;

    setlocale(LC_ALL, "");
    g_set_prgname("foresnap");
    context->json = argc > 0 && wants_json(argv);
    if (!run(context, commands, &command, &args, &error)) {
        code = fsn_cli_exit_code(error);
        fsn_cli_report_failure(context, command ? command->name : NULL, error);
    }
    if (!fsn_cli_finish_output(context)) {
        code = code == FSN_EXIT_DONE ? FSN_EXIT_FAILED : code;
    }
    return code;
}
