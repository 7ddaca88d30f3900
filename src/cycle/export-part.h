/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "cycle/export.h"

#include <stdbool.h>

G_BEGIN_DECLS

/* Which one: the member of the manifest, "config" or "samples", or the name of a log. */
typedef struct {
    const char *member;
    const char *log; /* NULL: the member counts */
} FsnExportPart;

/* Writes a small part of @snapshot (an id, or the beginning of one) to file @path, readable by
 * its owner only. The file
 * appears when it is whole and durable. FSN_ERROR_EXISTS if there is one, unless @force. The
 * caller clears @out_result. */
bool fsn_cycle_export_part(FsnCycle *cycle,
                           const char *snapshot,
                           const FsnExportPart *part,
                           const char *path,
                           bool force,
                           FsnExportResult *out_result,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
