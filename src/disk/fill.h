/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/image.h"

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
    const char *socket; /* where QEMU exports the overlay, with allocation depth */
    const char *export_name;
    FsnImage *image;       /* what is to be in the overlay */
    uint64_t size;         /* bytes of the disk */
    const uint32_t *first; /* granules to begin with, in this order */
    size_t n_first;
    uint64_t bandwidth;        /* bytes a second that are asked for; 0: no limit */
    GCancellable *cancellable; /* borrowed; may be NULL */
    /* Called before a range is asked for, and with the bytes that are there; in the thread
     * of the caller; may be NULL. */
    void (*asked)(uint64_t offset, uint64_t len, gpointer user);
    void (*progress)(uint64_t done, uint64_t total, gpointer user);
    gpointer user;
} FsnFillOptions;

/*
 * Makes QEMU copy all data of the image that lies below an overlay into the overlay, several
 * requests in flight, beside whatever the guest does; then asks where each byte of data
 * is. True says that all of them are in the overlay itself, durable, so that the rest may be taken for
 * zero. Errors leave a part of it copied, and it may be called again. Waits as long as QEMU
 * does for the server of the image.
 */
bool fsn_fill(const FsnFillOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
