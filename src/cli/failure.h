/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"

G_BEGIN_DECLS

/* The exit code that stands for @error. */
int fsn_cli_exit_code(const GError *error);

/* The word by which JSON names the kind of @error, such as "not-found". */
const char *fsn_cli_error_word(const GError *error);

/* Prints "foresnap: <message>" and what to do next on stderr, and adds the member "error" to
 * the document. @command names the command that failed, NULL if there was none. */
void fsn_cli_report_failure(FsnCliContext *context,
                            const char *command,
                            const GError *error);

G_END_DECLS
