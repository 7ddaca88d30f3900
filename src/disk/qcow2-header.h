/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* So much of a file is enough; a header with a longer beginning is refused. */
#define FSN_QCOW2_HEADER_MAX 65536

/* What a qcow2 file says of its backing file. */
typedef struct {
    char *backing;        /* as written there; null: none */
    char *backing_format; /* null: not said */
} FsnQcow2Header;

void fsn_qcow2_header_clear(FsnQcow2Header *header);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnQcow2Header, fsn_qcow2_header_clear)

/* Parses the beginning of a qcow2 file (version 2 or 3); FSN_ERROR_FORMAT if it is none. */
bool fsn_qcow2_header_parse(const uint8_t *data,
                            size_t len,
                            FsnQcow2Header *out_header,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
