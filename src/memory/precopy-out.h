/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/image.h"
#include "stream/types.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* All that a precopy stream is made of; everything is borrowed. */
typedef struct {
    FsnImage *image;            /* RAM: the blocks of @layout one after the other */
    const FsnRamLayout *layout; /* as many pages as @image has granules */
    GBytes *head;
    GBytes *device_state;
    GBytes *description; /* NULL = none */
} FsnPrecopySource;

/* Pages written of all. */
typedef void (*FsnPrecopyProgress)(uint64_t done, uint64_t total, gpointer user);

/* Writes the whole stream to @fd, as QEMU would have sent it: what an incoming migration
 * loads. Every page is verified before it is written. @what names @fd in messages;
 * @progress may be NULL. *@out_bytes is the length of the stream. */
bool fsn_precopy_write(const FsnPrecopySource *source,
                       int fd,
                       const char *what,
                       FsnPrecopyProgress progress,
                       gpointer user,
                       uint64_t *out_bytes,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
