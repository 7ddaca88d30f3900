/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program foresnap. Everything but the table of commands is in the framework, so that
 * tests can run it with tables of their own.
 */
#include "config.h"

#include "cli/commands.h"
#include "cli/run.h"

int
main(int argc, char **argv)
{
    return fsn_cli_run(fsn_cli_commands, argc, argv);
}
