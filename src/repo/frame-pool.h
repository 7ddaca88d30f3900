/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "repofmt/frame.h"

G_BEGIN_DECLS

/* Compresses frames on several threads and hands them on in the order they came in. One
 * thread fills (begin, submit), one other takes (take, release); both wait where the other
 * or the compressors are behind, so memory is bounded by the number of threads. */
typedef struct FsnFramePool FsnFramePool;

typedef struct {
    const uint8_t *data; /* the encoded frame; valid until release */
    size_t len;
    unsigned count;
    uint8_t sha256[FSN_SHA256_SIZE];
} FsnEncodedFrame;

FsnFramePool *fsn_frame_pool_new(FsnCodec codec, int level, unsigned threads);
/* After close, or when nobody takes any more. */
void fsn_frame_pool_free(FsnFramePool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnFramePool, fsn_frame_pool_free)

/* Room for FSN_FRAME_MAX_GRANULES granules; waits until there is some. */
uint8_t *fsn_frame_pool_begin(FsnFramePool *pool);
/* Gives the room from the last begin, holding @count granules, to the compressors. */
void fsn_frame_pool_submit(FsnFramePool *pool, unsigned count);
/* No more will be submitted: take returns false after the last. */
void fsn_frame_pool_close(FsnFramePool *pool);

/* The next frame in order; waits for it. False after close when all are taken. */
bool fsn_frame_pool_take(FsnFramePool *pool, FsnEncodedFrame *out_frame);
void fsn_frame_pool_release(FsnFramePool *pool);

G_END_DECLS
