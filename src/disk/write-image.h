/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/image.h"

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
    unsigned threads;          /* 0: one per processor */
    GCancellable *cancellable; /* borrowed; may be NULL */
    /* Called from any thread, but never from two at once; may be NULL. */
    void (*progress)(uint64_t done, uint64_t total, gpointer user);
    gpointer user;
} FsnWriteImageOptions;

typedef struct {
    uint64_t bytes_written; /* of data; the rest of the disk is zero */
} FsnWriteImageStats;

/* Makes the first @size bytes of @fd those of the image, which has as many granules as they
 * need, and syncs it. @what names it in messages. A regular file gets exactly @size bytes:
 * one that is empty is grown and stays sparse, one that has more is cut, and one that has
 * fewer is refused, as is a block device; what a block device has beyond @size stays. On
 * error, and when cancelled (FSN_ERROR_CANCELLED), part of it may be written. */
bool fsn_write_image(FsnImage *image,
                     uint64_t size,
                     int fd,
                     const char *what,
                     const FsnWriteImageOptions *options,
                     FsnWriteImageStats *out_stats,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Bytes of data in the image: what a sparse copy takes at least. */
bool fsn_image_data_bytes(FsnImage *image, uint64_t *out_bytes, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* FSN_ERROR_CORRUPT unless @image has the granules of a disk of @size bytes. */
bool fsn_image_check_size(FsnImage *image, uint64_t size, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
