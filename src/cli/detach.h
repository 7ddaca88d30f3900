/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/command.h"

G_BEGIN_DECLS

/* Starts @argv (the whole command line, with the program's name) without --detach as a job, and
 * prints its id. @args are those of @command. FSN_ERROR_USAGE if that is no long work. */
bool fsn_cli_detach(FsnCliContext *context,
                    const FsnCliCommand *command,
                    char **argv,
                    char **args,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
