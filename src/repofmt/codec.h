/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* The values stand in the formats. */
typedef enum { FSN_CODEC_NONE = 0, FSN_CODEC_LZ4 = 1, FSN_CODEC_ZSTD = 2 } FsnCodec;

/* Level that is used where none is asked for. */
#define FSN_CODEC_ZSTD_LEVEL 1

const char *fsn_codec_to_string(FsnCodec codec);
/* "none", "lz4" or "zstd"; FSN_ERROR_USAGE otherwise. */
bool fsn_codec_from_string(const char *text, FsnCodec *out_codec, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Work space of one thread. */
typedef struct FsnCodecContext FsnCodecContext;
FsnCodecContext *fsn_codec_context_new(void);
void fsn_codec_context_free(FsnCodecContext *ctx);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnCodecContext, fsn_codec_context_free)

/* Compresses @len bytes into @out of @capacity bytes. Returns the length of the result, or
 * 0 if it would not fit, or if the data look random and trying would be a waste: then the
 * caller stores them as they are. */
size_t fsn_codec_compress(FsnCodecContext *ctx,
                          FsnCodec codec,
                          int level,
                          const uint8_t *data,
                          size_t len,
                          uint8_t *out,
                          size_t capacity);

/* Decompresses into exactly @out_len bytes; anything else is false (no error is set). */
bool fsn_codec_decompress(FsnCodecContext *ctx,
                          FsnCodec codec,
                          const uint8_t *data,
                          size_t len,
                          uint8_t *out,
                          size_t out_len) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
