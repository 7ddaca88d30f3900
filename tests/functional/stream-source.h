/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "saved-stream.h"
#include "stream/page-map.h"
#include "stream/return-path.h"

G_BEGIN_DECLS

/* The source's end of connections to a QEMU that loads a SavedStream. What is written goes to
 * @out and leaves with a flush. An error, also that QEMU hangs up, ends the test. */
typedef struct {
    const SavedStream *saved;
    FsnPageMap *sent; /* granules, over all connections */
    GArray *wanted;   /* uint64_t: granules that QEMU asked for, in its order */
    GByteArray *out;
    FsnReturnPath *rp;
    int fd;             /* -1: not connected */
    int64_t last_block; /* of the page that was written last; -1: none yet */
    unsigned int pongs;
    unsigned int bitmaps;
    bool shut; /* QEMU has everything */
    bool resumed;
} StreamSource;

/* @saved stays the caller's and must live as long. */
StreamSource *stream_source_new(const SavedStream *saved);
void stream_source_free(StreamSource *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StreamSource, stream_source_free)

/* Starts a new conversation at the socket @path; what was sent before stays known. */
void stream_source_connect(StreamSource *s, const char *path);
void stream_source_disconnect(StreamSource *s);

/* Waits up to @timeout_ms (-1: for ever) for something that QEMU says, and takes it. */
void stream_source_listen(StreamSource *s, int timeout_ms);

/* Sends all of @out, listening meanwhile. */
void stream_source_flush(StreamSource *s);

/* Sends @granule, unless it was sent. */
void stream_source_send_page(StreamSource *s, uint64_t granule);

/* Writes a postcopy load up to its devices, with the first @early pages as precopy; a part
 * with pages may follow. Not flushed. */
void stream_source_begin_postcopy(StreamSource *s, uint64_t early);

/* Goes on with a postcopy load that lost its source, on a new connection: learns what QEMU
 * has, and returns when it accepts a part with pages. */
void stream_source_recover(StreamSource *s);

/* Ends the part with pages and the stream, and waits until QEMU says that it has all. */
void stream_source_finish_postcopy(StreamSource *s);

G_END_DECLS
