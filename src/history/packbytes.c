/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A day of one metric as bytes. */
#include "config.h"

#include "history/packbytes.h"

#include "base/bytes.h"
#include "history/rowbytes.h"

#include <math.h>
#include <string.h>

#define PACKED_VERSION 1
#define N              FSN_PACKED_SLOTS
#define RAW_SIZE       (N * 17)
#define LEVEL          3

enum { MEAN, MIN_VALUE, MAX_VALUE, P95, COLUMNS };

static uint32_t
bits_of(double value)
{
    float f = fsn_window_round(value);
    uint32_t bits;

    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static double
value_of(uint32_t bits)
{
    float f;

    memcpy(&f, &bits, sizeof f);
    return f;
}

/* The place of byte @b (3 is the highest) of number @i in column @column. */
static size_t
place(int column, int b, size_t i)
{
    return N + ((size_t)column * 4 + (size_t)(3 - b)) * N + i;
}

static void
put_number(uint8_t *raw, int column, size_t i, uint32_t bits)
{
    for (int b = 0; b < 4; b++) {
        raw[place(column, b, i)] = (uint8_t)(bits >> 8 * b);
    }
}

static uint32_t
get_number(const uint8_t *raw, int column, size_t i)
{
    uint32_t bits = 0;

    for (int b = 0; b < 4; b++) {
        bits |= (uint32_t)raw[place(column, b, i)] << 8 * b;
    }
    return bits;
}

void
fsn_packed_append(GByteArray *out, FsnCodecContext *codec, const FsnWindow *windows)
{
    uint8_t raw[RAW_SIZE] = { 0 };
    uint8_t packed[RAW_SIZE];
    uint32_t last = 0;
    size_t len;

    for (size_t i = 0; i < N; i++) {
        const FsnWindow *w = &windows[i];
        uint32_t mean;

        if (w->cover == 0) {
            continue;
        }
        raw[i] = w->cover;
        mean = bits_of(w->mean);
        put_number(raw, MEAN, i, mean ^ last);
        put_number(raw, MIN_VALUE, i, bits_of(w->min) ^ mean);
        put_number(raw, MAX_VALUE, i, bits_of(w->max) ^ mean);
        put_number(raw, P95, i, bits_of(w->p95) ^ mean);
        last = mean;
    }
    len = fsn_codec_compress(codec, FSN_CODEC_ZSTD, LEVEL, raw, sizeof raw, packed,
                             sizeof packed);
    fsn_append_u8(out, PACKED_VERSION);
    fsn_append_u8(out, len > 0 ? FSN_CODEC_ZSTD : FSN_CODEC_NONE);
    g_byte_array_append(out, len > 0 ? packed : raw, len > 0 ? (guint)len : sizeof raw);
}

static bool
decode(const uint8_t *raw, FsnWindow *out_windows)
{
    uint32_t last = 0;

    for (size_t i = 0; i < N; i++) {
        FsnWindow w = { .cover = raw[i] };
        uint32_t mean;

        if (w.cover > 0) {
            mean = get_number(raw, MEAN, i) ^ last;
            w.mean = value_of(mean);
            w.min = value_of(get_number(raw, MIN_VALUE, i) ^ mean);
            w.max = value_of(get_number(raw, MAX_VALUE, i) ^ mean);
            w.p95 = value_of(get_number(raw, P95, i) ^ mean);
            last = mean;
            if (!isfinite(w.mean) || !isfinite(w.p95) || isinf(w.min) || isinf(w.max)) {
                return false;
            }
        }
        out_windows[i] = w;
    }
    return true;
}

bool
fsn_packed_parse(const uint8_t *data,
                 size_t len,
                 FsnCodecContext *codec,
                 FsnWindow *out_windows)
{
    uint8_t raw[RAW_SIZE];

    if (len < 2 || data[0] != PACKED_VERSION) {
        return false;
    }
    if (data[1] == FSN_CODEC_NONE && len == 2 + RAW_SIZE) {
        return decode(data + 2, out_windows);
    }
    return data[1] == FSN_CODEC_ZSTD &&
           fsn_codec_decompress(codec, FSN_CODEC_ZSTD, data + 2, len - 2, raw,
                                sizeof raw) &&
           decode(raw, out_windows);
}
