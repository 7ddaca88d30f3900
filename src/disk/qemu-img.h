/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Called with parts of 10,000 that are done. */
typedef void (*FsnQemuImgProgress)(uint64_t done, uint64_t total, gpointer user);

/* Writes what is read at @uri as a qcow2 image to @path, and syncs it. When cancelled
 * (FSN_ERROR_CANCELLED) qemu-img is ended and part of it may be there. */
bool fsn_qemu_img_to_qcow2(const char *uri,
                           const char *path,
                           GCancellable *cancellable,
                           FsnQemuImgProgress progress,
                           gpointer user,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds a persistent dirty bitmap that is recording, of 64 KiB per bit. */
bool fsn_qemu_img_add_bitmap(const char *path, const char *name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The end of such a line of progress: parts of 10,000 in "    (12.34/100%)"; false if there
 * is none. Pure. */
bool fsn_qemu_img_parse_progress(const char *text, uint64_t *out_done);

G_END_DECLS
