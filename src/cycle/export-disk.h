/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "cycle/export.h"

#include <gio/gio.h>
#include <stdbool.h>

G_BEGIN_DECLS

typedef struct {
    const char *target;
    const char *format; /* "raw" or "qcow2"; NULL: the one it had */
    bool force;         /* replace a file that is there */
} FsnExportDiskOptions;

/* Writes a disk of @snapshot (an id, or the beginning of one) to file @path, sparse, readable
 * by its owner only. It appears when it is whole and durable; on error nothing has changed.
 * FSN_ERROR_EXISTS if there is such a file. The caller clears @out_result. */
bool fsn_cycle_export_disk(FsnCycle *cycle,
                           const char *snapshot,
                           const FsnExportDiskOptions *options,
                           const char *path,
                           GCancellable *cancellable,
                           FsnExportResult *out_result,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
