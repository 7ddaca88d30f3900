/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pack: footer, then every frame that it names, decoded. */
#include "config.h"

#include "repofmt/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
decode_frame(const uint8_t *data, size_t size)
{
    g_autoptr(FsnCodecContext) ctx = fsn_codec_context_new();
    g_autofree uint8_t *raw = g_malloc(FSN_FRAME_MAX_RAW);
    FsnFrameInfo info;

    if (size >= FSN_FRAME_HEADER_SIZE && fsn_frame_parse(data, "frame", &info, NULL) &&
        info.payload <= size - FSN_FRAME_HEADER_SIZE) {
        (void)!fsn_frame_decode(ctx, data, &info, "frame", raw, NULL);
        /* What lies behind the checksum, too. */
        (void)!fsn_codec_decompress(ctx, info.codec, data + FSN_FRAME_HEADER_SIZE,
                                    info.payload, raw,
                                    (size_t)info.count * FSN_GRANULE_SIZE);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GArray) frames = NULL;
    size_t footer;

    decode_frame(data, size);
    if (size < FSN_OBJECT_HEADER_SIZE + FSN_PACK_TRAILER_SIZE ||
        !fsn_pack_parse_trailer(data + size - FSN_PACK_TRAILER_SIZE, size, "pack",
                                &footer, NULL) ||
        !fsn_pack_parse(data, data + size - footer, footer, size, "pack", &frames,
                        NULL)) {
        return 0;
    }
    for (guint i = 0; i < frames->len; i++) {
        const FsnPackFrame *frame = &g_array_index(frames, FsnPackFrame, i);

        decode_frame(data + frame->offset, frame->length);
    }
    return 0;
}
