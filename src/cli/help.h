/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/command.h"

G_BEGIN_DECLS

/* The options that every command takes, in the fixed order connect, repo, json, quiet,
 * verbose, version, help and without places for their values; the caller frees the array. */
GOptionEntry *fsn_cli_global_options(void);

/* Text of --help: of @command, or of the whole program if it is NULL; the caller frees. */
char *fsn_cli_help_text(const FsnCliCommand *const *commands,
                        const FsnCliCommand *command);

/* Prints it; with --json {"commands": [...]} or {"command": …, "options": […]}. */
void fsn_cli_show_help(FsnCliContext *context,
                       const FsnCliCommand *const *commands,
                       const FsnCliCommand *command);

/* Prints the version; with --json {"version": …}. */
void fsn_cli_show_version(FsnCliContext *context);

G_END_DECLS
