/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "stream/reader.h"

G_BEGIN_DECLS

/* What the reader of src/stream took out of a whole stream of QEMU's. */
typedef struct {
    FsnStreamReader *reader;
    const FsnRamLayout *layout; /* the reader's */
    uint8_t *ram;               /* all granules, one after the other */
} SavedStream;

/* Reads @fd to its end; an error ends the test. */
SavedStream *saved_stream_read(int fd);
void saved_stream_free(SavedStream *saved);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SavedStream, saved_stream_free)

/* The FSN_PAGE_SIZE bytes of @granule. */
const uint8_t *saved_stream_page(const SavedStream *saved, uint64_t granule);

G_END_DECLS
