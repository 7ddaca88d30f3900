/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"

G_BEGIN_DECLS

/* verify --against-disk: prints and documents where the disks of snapshot @id are not as those
 * that its domain has now. FSN_ERROR_CORRUPT if there is such a place. */
bool fsn_cli_verify_against_disk(FsnCliContext *context, const char *id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
