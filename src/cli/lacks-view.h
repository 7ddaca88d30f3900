/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/command.h"
#include "repo/repo.h"

G_BEGIN_DECLS

/* Warns of what was left out of disk @target (NULL: of any) of @snapshot, and reads as zeroes. A
 * snapshot that cannot be read is nobody's concern here. */
void fsn_cli_warn_left_out(FsnCliContext *context,
                           FsnRepo *repo,
                           const char *snapshot,
                           const char *target);

G_END_DECLS
