/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* A disk that no QEMU has open, served read-only over NBD by a qemu-nbd of our own. It
 * ends with this object and with our process, and leaves no file behind. */
typedef struct FsnDiskOffline FsnDiskOffline;

/* Serves the disk in file or block device @path, whose format is @format ("raw", "qcow2"),
 * with the persistent bitmap @bitmap (name) if it is not null. Backing files are those that
 * the qcow2 headers name. On return the server answers. Errors to tell apart:
 * FSN_ERROR_NOT_FOUND, there is no such bitmap, or it is inconsistent, or no such file;
 * FSN_ERROR_BUSY, a running QEMU has the disk open; FSN_ERROR_UNSUPPORTED, qemu-nbd is missing
 * or the format not known. */
FsnDiskOffline *fsn_disk_offline_new(const char *path,
                                     const char *format,
                                     const char *bitmap,
                                     GError **error);
/* The same with the whole chain given (FsnDiskLayer, the disk itself first). */
FsnDiskOffline *fsn_disk_offline_new_chain(GPtrArray *layers,
                                           const char *bitmap,
                                           GError **error);
void fsn_disk_offline_free(FsnDiskOffline *offline);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnDiskOffline, fsn_disk_offline_free)

/* Path of the socket, for this process and its children; the export's name is "". */
const char *fsn_disk_offline_socket(const FsnDiskOffline *offline);

G_END_DECLS
