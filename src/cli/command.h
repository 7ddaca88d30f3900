/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* No upper limit on the number of arguments. */
#define FSN_CLI_ANY (-1)

/* One command of the program; each is defined in its own cmd-NAME.c. */
typedef struct {
    const char *name;
    const char *arguments; /* as the usage line shows them, "" if there are none */
    const char *summary;   /* one phrase, lower case, for the list of commands */
    GOptionEntry *options; /* ends with G_OPTION_ENTRY_NULL; NULL if there are none */
    int min_args;
    int max_args; /* or FSN_CLI_ANY */
    bool
        interruptible; /* run() watches context->cancellable; else a signal just ends it */
    /* @args is NULL-terminated and within the limits above. Results go to the functions of
     * cli/output.h and into context->document, which is printed also when this fails, with
     * the error added. */
    bool (*run)(FsnCliContext *context, char **args, GError **error);
    bool detachable; /* long work, of which --detach makes a job */
} FsnCliCommand;

G_END_DECLS
