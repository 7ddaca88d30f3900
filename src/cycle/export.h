/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"

#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
    char snapshot[33];
    char *domain;
    uint64_t bytes_written;
} FsnExportResult;

void fsn_export_result_clear(FsnExportResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnExportResult, fsn_export_result_clear)

/* Writes @snapshot (an id, or the beginning of one) as an image for `virsh restore` to the
 * new file @path, readable by its owner only. FSN_ERROR_STATE if its memory has been used
 * or a disk differs: it must not be given to a guest any more. FSN_ERROR_EXISTS if there is
 * such a file. On error there is no file. The caller clears @out_result. */
bool fsn_cycle_export_save_image(FsnCycle *cycle,
                                 const char *snapshot,
                                 const char *path,
                                 FsnExportResult *out_result,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
