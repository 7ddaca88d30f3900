/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compression: the only user of zstd and lz4. A cheap look at a sample tells data that are
 * already compressed or encrypted, so that no time is lost on them. Decompression is total:
 * any input leads to exactly the wanted number of bytes or to a refusal.
 */
#include "config.h"

#include "repofmt/codec.h"

#include "base/error.h"

#include <lz4.h>
#include <string.h>
#include <zstd.h>

/* The sample: so many pieces of so many bytes, spread over the data. */
#define SAMPLE_PIECES 32
#define SAMPLE_PIECE  64
#define SAMPLE_BYTES  (SAMPLE_PIECES * SAMPLE_PIECE)

struct FsnCodecContext {
    ZSTD_CCtx *compress; /* made when first needed */
    ZSTD_DCtx *decompress;
    void *lz4_state;
};

const char *
fsn_codec_to_string(FsnCodec codec)
{
    switch (codec) {
    case FSN_CODEC_NONE:
        return "none";
    case FSN_CODEC_LZ4:
        return "lz4";
    case FSN_CODEC_ZSTD:
        return "zstd";
    }
    return "unknown";
}

bool
fsn_codec_from_string(const char *text, FsnCodec *out_codec, GError **error)
{
    for (FsnCodec c = FSN_CODEC_NONE; c <= FSN_CODEC_ZSTD; c++) {
        if (strcmp(text, fsn_codec_to_string(c)) == 0) {
            *out_codec = c;
            return true;
        }
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                "'%s' is no compression: use none, lz4 or zstd", text);
    return false;
}

FsnCodecContext *
fsn_codec_context_new(void)
{
    return g_new0(FsnCodecContext, 1);
}

void
fsn_codec_context_free(FsnCodecContext *ctx)
{
    if (ctx) {
        ZSTD_freeCCtx(ctx->compress);
        ZSTD_freeDCtx(ctx->decompress);
        g_free(ctx->lz4_state);
        g_free(ctx);
    }
}

/* Whether the bytes of a sample are spread so evenly that an entropy coder gains nothing.
 * The sum of squared counts of n random bytes is n + n²/256 on average (2048: 18 k, with a
 * deviation of under 200); text, code and tables of numbers give several times that. */
static bool
looks_random(const uint8_t *data, size_t len)
{
    uint16_t counts[256] = { 0 };
    size_t step = (len - SAMPLE_PIECE) / (SAMPLE_PIECES - 1);
    uint32_t sum = 0;

    for (size_t i = 0; i < SAMPLE_PIECES; i++) {
        for (size_t j = 0; j < SAMPLE_PIECE; j++) {
            counts[data[i * step + j]]++;
        }
    }
    for (size_t i = 0; i < 256; i++) {
        sum += (uint32_t)counts[i] * counts[i];
    }
    return sum < SAMPLE_BYTES + SAMPLE_BYTES / 256 * SAMPLE_BYTES * 9 / 8;
}

static size_t
compress_zstd(FsnCodecContext *ctx,
              int level,
              const uint8_t *data,
              size_t len,
              uint8_t *out,
              size_t capacity)
{
    size_t n;

    if (!ctx->compress) {
        ctx->compress = ZSTD_createCCtx();
        if (!ctx->compress) {
            return 0; /* stored as it is: larger, but right */
        }
    }
    n = ZSTD_compressCCtx(ctx->compress, out, capacity, data, len,
                          level ? level : FSN_CODEC_ZSTD_LEVEL);
    return ZSTD_isError(n) ? 0 : n;
}

static size_t
compress_lz4(
    FsnCodecContext *ctx, const uint8_t *data, size_t len, uint8_t *out, size_t capacity)
{
    int n;

    if (!ctx->lz4_state) {
        ctx->lz4_state = g_malloc((size_t)LZ4_sizeofState());
    }
    n = LZ4_compress_fast_extState(ctx->lz4_state, (const char *)data, (char *)out,
                                   (int)len, (int)capacity, 1);
    return n > 0 ? (size_t)n : 0;
}

size_t
fsn_codec_compress(FsnCodecContext *ctx,
                   FsnCodec codec,
                   int level,
                   const uint8_t *data,
                   size_t len,
                   uint8_t *out,
                   size_t capacity)
{
    g_assert(len <= G_MAXINT && capacity <= G_MAXINT);
    if (codec == FSN_CODEC_NONE || (len >= SAMPLE_BYTES && looks_random(data, len))) {
        return 0;
    }
    return codec == FSN_CODEC_LZ4 ? compress_lz4(ctx, data, len, out, capacity)
                                  : compress_zstd(ctx, level, data, len, out, capacity);
}

bool
fsn_codec_decompress(FsnCodecContext *ctx,
                     FsnCodec codec,
                     const uint8_t *data,
                     size_t len,
                     uint8_t *out,
                     size_t out_len)
{
    if (len > G_MAXINT || out_len > G_MAXINT) {
        return false;
    }
    switch (codec) {
    case FSN_CODEC_NONE:
        if (len != out_len) {
            return false;
        }
        if (len > 0) {
            memcpy(out, data, len);
        }
        return true;
    case FSN_CODEC_LZ4:
        return LZ4_decompress_safe((const char *)data, (char *)out, (int)len,
                                   (int)out_len) == (int)out_len;
    case FSN_CODEC_ZSTD:
        if (!ctx->decompress) {
            ctx->decompress = ZSTD_createDCtx();
        }
        return ctx->decompress &&
               ZSTD_decompressDCtx(ctx->decompress, out, out_len, data, len) == out_len;
    }
    return false;
}
