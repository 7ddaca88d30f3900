/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "disk/stored-disk.h"

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* One disk of a snapshot, to be written in some format. */
typedef struct {
    const char *snapshot; /* id */
    const FsnStoredDisk *disk;
    const char *format; /* "raw" or "qcow2" */
    const char *path;   /* absolute; what is there is written over */
    const char *bitmap; /* qcow2: recording from the beginning; NULL: none */
    const char *phase;  /* for the progress; static */
} FsnDiskOut;

/* Writes it, verified and durable; a raw file must be there. *@out_bytes of data. On error, and when
 * cancelled, a part of it is written. */
bool fsn_disk_out_write(FsnCycle *cycle,
                        const FsnDiskOut *out,
                        GCancellable *cancellable,
                        uint64_t *out_bytes,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
