/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/command.h"

G_BEGIN_DECLS

/* Exit codes of the program; part of its contract. */
enum {
    FSN_EXIT_DONE = 0,
    FSN_EXIT_FAILED = 1,
    FSN_EXIT_USAGE = 2,
    FSN_EXIT_PARTIAL = 3,
    FSN_EXIT_BUSY = 75,
};

/* Runs the program: parses the global options (before and after the command), finds the
 * command in @commands (NULL-terminated), runs it and reports its outcome. Returns the exit
 * code. */
int fsn_cli_run(const FsnCliCommand *const *commands, int argc, char **argv);

G_END_DECLS
