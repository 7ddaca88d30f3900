/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames: the unit of compression and of reading. The checksum keeps damaged bytes away
 * from the decompressor; it does not replace the keyed hash of each granule.
 */
#include "config.h"

#include "repofmt/frame.h"

#include "repofmt/header.h"

#include <string.h>

#define MAGIC "FSNF"

size_t
fsn_frame_encode(FsnCodecContext *ctx,
                 FsnCodec codec,
                 int level,
                 const uint8_t *raw,
                 unsigned count,
                 uint8_t *out)
{
    size_t len = (size_t)count * FSN_GRANULE_SIZE;
    uint8_t *payload = out + FSN_FRAME_HEADER_SIZE;
    size_t n;

    g_assert(count >= 1 && count <= FSN_FRAME_MAX_GRANULES);
    n = fsn_codec_compress(ctx, codec, level, raw, len, payload, len - len / 16);
    if (n == 0) {
        memcpy(payload, raw, len);
        n = len;
        codec = FSN_CODEC_NONE;
    }
    memcpy(out, MAGIC, 4);
    fsn_put_le32(out + 4, (uint32_t)n);
    memset(out + 16, 0, 8);
    out[16] = (uint8_t)codec;
    out[17] = (uint8_t)count;
    fsn_put_le64(out + 8, fsn_hash64(out + 16, n + 8));
    return FSN_FRAME_HEADER_SIZE + n;
}

bool
fsn_frame_parse(const uint8_t *header,
                const char *what,
                FsnFrameInfo *out_info,
                GError **error)
{
    FsnFrameInfo info = {
        .codec = header[16],
        .count = header[17],
        .payload = fsn_get_le32(header + 4),
    };

    if (memcmp(header, MAGIC, 4) != 0) {
        return fsn_set_damaged(error, what, "no frame begins there");
    }
    if (info.codec > FSN_CODEC_ZSTD) {
        return fsn_set_damaged(error, what, "unknown codec %u", header[16]);
    }
    if (info.count < 1 || info.count > FSN_FRAME_MAX_GRANULES) {
        return fsn_set_damaged(error, what, "%u granules in a frame", info.count);
    }
    if (info.payload < 1 || info.payload > info.count * FSN_GRANULE_SIZE) {
        return fsn_set_damaged(error, what, "a payload of %u bytes", info.payload);
    }
    *out_info = info;
    return true;
}

bool
fsn_frame_decode(FsnCodecContext *ctx,
                 const uint8_t *frame,
                 const FsnFrameInfo *info,
                 const char *what,
                 uint8_t *raw,
                 GError **error)
{
    if (fsn_hash64(frame + 16, info->payload + 8) != fsn_get_le64(frame + 8)) {
        return fsn_set_damaged(error, what, "the checksum of the frame is wrong");
    }
    if (!fsn_codec_decompress(ctx, info->codec, frame + FSN_FRAME_HEADER_SIZE,
                              info->payload, raw,
                              (size_t)info->count * FSN_GRANULE_SIZE)) {
        return fsn_set_damaged(error, what, "the frame cannot be decompressed");
    }
    return true;
}
