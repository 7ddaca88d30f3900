/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* A file or block device that is part of a disk. */
typedef struct {
    char *path;   /* absolute */
    char *format; /* "raw" or "qcow2"; known, never guessed */
} FsnDiskLayer;

FsnDiskLayer *fsn_disk_layer_new(const char *path, const char *format);
void fsn_disk_layer_free(FsnDiskLayer *layer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnDiskLayer, fsn_disk_layer_free)

/* The files on which the disk @path of format @format rests, itself first (FsnDiskLayer), by
 * what the qcow2 headers say. A backing file whose format is not written there, that is no
 * local file, or of a format other than raw and qcow2 is FSN_ERROR_UNSUPPORTED. */
bool fsn_disk_chain_read(const char *path,
                         const char *format,
                         GPtrArray **out_layers,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The layers as a file name for QEMU's programs, with which nothing is probed and nothing
 * beyond them is opened; the caller frees. */
char *fsn_disk_chain_to_qemu(GPtrArray *layers);

G_END_DECLS
