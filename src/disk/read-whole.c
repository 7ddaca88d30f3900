/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small export as bytes in memory: what is kept as one object instead of an image. */
#include "config.h"

#include "disk/read-whole.h"

#include "base/clock.h"
#include "base/error.h"
#include "disk/nbd.h"

#define STALL_US (60 * (int64_t)G_USEC_PER_SEC)
#define LOOK_US  100000

static bool
read_piece(FsnNbd *nbd, uint8_t *buffer, size_t len, uint64_t offset, GError **error)
{
    FsnNbdRead read;
    bool done = false;

    if (!fsn_nbd_start_read(nbd, buffer, len, offset, &read, error)) {
        return false;
    }
    while (fsn_nbd_check_read(nbd, &read, &done, error)) {
        if (done) {
            return true;
        }
        if (!fsn_nbd_wait(nbd, fsn_monotonic_us() + LOOK_US, error)) {
            break;
        }
    }
    return false;
}

bool
fsn_nbd_read_whole(const char *socket,
                   const char *export_name,
                   size_t max,
                   const gint *cancel,
                   GBytes **out_bytes,
                   GError **error)
{
    const FsnNbdOptions options = { .socket = socket,
                                    .export_name = export_name,
                                    .connections = 1,
                                    .cancel = cancel,
                                    .stall_us = STALL_US };
    /* Freed before the buffer: a read may still be on its way into it. */
    g_autofree uint8_t *buffer = NULL;
    g_autoptr(FsnNbd) nbd = fsn_nbd_open(&options, error);
    size_t size;

    if (!nbd) {
        return false;
    }
    if (fsn_nbd_size(nbd) > max) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "export '%s' has %" G_GUINT64_FORMAT " bytes, more than %zu",
                    export_name, fsn_nbd_size(nbd), max);
        return false;
    }
    size = (size_t)fsn_nbd_size(nbd);
    buffer = g_malloc(MAX(size, 1));
    for (size_t offset = 0; offset < size;) {
        size_t len = (size_t)MIN(fsn_nbd_max_read(nbd), size - offset);

        if (!read_piece(nbd, buffer + offset, len, offset, error)) {
            return false;
        }
        offset += len;
    }
    g_clear_pointer(&nbd, fsn_nbd_free);
    *out_bytes = g_bytes_new_take(g_steal_pointer(&buffer), size);
    return true;
}
