/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"
#include "cycle/context.h"

#include <stdbool.h>

G_BEGIN_DECLS

/* The administrators' hooks around a command on a domain. */
typedef struct FsnCliAround FsnCliAround;

/* Runs those before @operation ("suspend" …) on @target, a domain or a snapshot. NULL with
 * @error if one vetoes; those after it have been run then, too. */
FsnCliAround *fsn_cli_around_begin(FsnCliContext *context,
                                   FsnCycle *cycle,
                                   const char *operation,
                                   const char *target,
                                   GError **error);

/* Runs those after it: @domain is its name if it has become known by now, @snapshot is that of
 * the operation (each may be NULL or ""), @error says why it failed, NULL: it has not. What goes
 * wrong is warned about. Frees @around. */
void fsn_cli_around_end(FsnCliAround *around,
                        const char *domain,
                        const char *snapshot,
                        const GError *error);

G_END_DECLS
