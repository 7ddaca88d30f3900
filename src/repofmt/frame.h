/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repofmt/codec.h"
#include "repofmt/granule.h"

G_BEGIN_DECLS

/* A frame: up to 32 granules compressed together; little-endian:
 *    0  4  magic "FSNF"
 *    4  4  length of the payload
 *    8  8  XXH3-64 of all bytes from 16 to the end of the payload
 *   16  1  codec: 0 none, 1 lz4, 2 zstd
 *   17  1  number of granules, 1 … 32
 *   18  6  zero
 *   24     payload */
#define FSN_FRAME_HEADER_SIZE  24
#define FSN_FRAME_MAX_GRANULES 32
#define FSN_FRAME_MAX_RAW      ((size_t)FSN_FRAME_MAX_GRANULES * FSN_GRANULE_SIZE)
#define FSN_FRAME_MAX_SIZE     (FSN_FRAME_HEADER_SIZE + FSN_FRAME_MAX_RAW)

typedef struct {
    FsnCodec codec;
    unsigned count;   /* granules */
    uint32_t payload; /* bytes after the header; at most count × 4096 */
} FsnFrameInfo;

/* Encodes @count granules at @raw into @out, which has room for FSN_FRAME_MAX_SIZE bytes;
 * stored as they are where compression saves less than 1/16. Returns the frame's length. */
size_t fsn_frame_encode(FsnCodecContext *ctx,
                        FsnCodec codec,
                        int level,
                        const uint8_t *raw,
                        unsigned count,
                        uint8_t *out);

/* Reads the FSN_FRAME_HEADER_SIZE bytes at @header; @what names the frame in the error. */
bool fsn_frame_parse(const uint8_t *header,
                     const char *what,
                     FsnFrameInfo *out_info,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Checks and decodes a whole frame (header and payload, @info from its header) into
 * info->count granules at @raw. Whether they are the right ones only their hashes tell. */
bool fsn_frame_decode(FsnCodecContext *ctx,
                      const uint8_t *frame,
                      const FsnFrameInfo *info,
                      const char *what,
                      uint8_t *raw,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
