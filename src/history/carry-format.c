/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history window of a snapshot as bytes. Pure. */
#include "config.h"

#include "history/carry-format.h"

#include "base/bytes.h"
#include "base/error.h"
#include "history/store.h"
#include "metrics/names.h"
#include "repofmt/codec.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define MAGIC       "FSNHIST1"
#define FORMAT      1 /* slots of 5 minutes */
#define FORMAT_STEP 2 /* of another length */
#define HEADER_SIZE 24
#define FIXED_SIZE  16 /* of the payload */
#define LEVEL       6
#define UNKNOWN     0x7fc0
#define DAY_US      (288 * FSN_HISTORY_FINE_US)

FsnCarry *
fsn_carry_new(int64_t start_us, size_t n)
{
    FsnCarry *carry = g_new0(FsnCarry, 1);

    carry->step_us = FSN_HISTORY_FINE_US;
    carry->start_us = start_us;
    carry->n = n;
    carry->metrics = g_ptr_array_new();
    return carry;
}

void
fsn_carry_free(FsnCarry *carry)
{
    if (!carry) {
        return;
    }
    for (guint i = 0; i < carry->metrics->len; i++) {
        FsnCarryMetric *metric = carry->metrics->pdata[i];

        g_free(metric->name);
        g_free(metric->mean);
        g_free(metric->p95);
        g_free(metric);
    }
    g_ptr_array_unref(carry->metrics);
    g_free(carry);
}

FsnCarryMetric *
fsn_carry_add(FsnCarry *carry, const char *name)
{
    FsnCarryMetric *metric = g_new0(FsnCarryMetric, 1);

    metric->name = g_strdup(name);
    metric->mean = g_new(double, MAX(carry->n, 1));
    metric->p95 = g_new(double, MAX(carry->n, 1));
    for (size_t i = 0; i < carry->n; i++) {
        metric->mean[i] = metric->p95[i] = NAN;
    }
    g_ptr_array_add(carry->metrics, metric);
    return metric;
}

/* The upper half of a float, rounded to the nearest. */
static uint16_t
code_of(double value)
{
    float near = (float)CLAMP(value, -FLT_MAX / 2, FLT_MAX / 2); /* NAN stays */
    uint32_t bits;

    if (isnan(value)) {
        return UNKNOWN;
    }
    memcpy(&bits, &near, sizeof bits);
    return (uint16_t)((bits + 0x8000) >> 16);
}

static bool
value_of(uint16_t code, double *out_value)
{
    uint32_t bits = (uint32_t)code << 16;
    float value;

    memcpy(&value, &bits, sizeof value);
    *out_value = isnan(value) ? NAN : value;
    return !isinf(value);
}

/* The high bytes of all, then the low ones; @p has room for 2 × @n. */
static void
put_codes(uint8_t *p, size_t i, size_t n, uint16_t code)
{
    p[i] = (uint8_t)(code >> 8);
    p[n + i] = (uint8_t)code;
}

static void
append_metric(GByteArray *out, const FsnCarryMetric *metric, size_t from, size_t n)
{
    guint offset;

    fsn_append_u8(out, (uint8_t)strlen(metric->name));
    g_byte_array_append(out, (const uint8_t *)metric->name, (guint)strlen(metric->name));
    offset = out->len;
    g_byte_array_set_size(out, out->len + (guint)(4 * n));
    for (size_t i = 0; i < n; i++) {
        uint16_t mean = code_of(metric->mean[from + i]);

        put_codes(out->data + offset, i, n, mean);
        put_codes(out->data + offset + 2 * n, i, n,
                  code_of(metric->p95[from + i]) ^ mean);
    }
}

GBytes *
fsn_carry_build(const FsnCarry *carry, size_t n_metrics, size_t n_slots)
{
    g_autoptr(GByteArray) raw = g_byte_array_new();
    g_autoptr(FsnCodecContext) codec = fsn_codec_context_new();
    GByteArray *out = g_byte_array_new();
    size_t n = MIN(n_slots, carry->n);
    size_t metrics = MIN(n_metrics, carry->metrics->len);
    size_t len;

    fsn_append_le64(
        raw, (uint64_t)(carry->start_us + (int64_t)(carry->n - n) * carry->step_us));
    fsn_append_le32(raw, (uint32_t)n);
    fsn_append_le32(raw, (uint32_t)metrics);
    for (size_t i = 0; i < metrics; i++) {
        append_metric(raw, carry->metrics->pdata[i], carry->n - n, n);
    }
    g_byte_array_append(out, (const uint8_t *)MAGIC, 8);
    fsn_append_le32(out, carry->step_us == FSN_HISTORY_FINE_US ? FORMAT : FORMAT_STEP);
    fsn_append_le32(out, FSN_CODEC_ZSTD);
    fsn_append_le32(out, raw->len);
    fsn_append_le32(out, carry->step_us == FSN_HISTORY_FINE_US
                             ? 0
                             : (uint32_t)(carry->step_us / G_USEC_PER_SEC));
    g_byte_array_set_size(out, HEADER_SIZE + raw->len);
    len = fsn_codec_compress(codec, FSN_CODEC_ZSTD, LEVEL, raw->data, raw->len,
                             out->data + HEADER_SIZE, raw->len);
    if (len == 0) {
        fsn_put_le32(out->data + 12, FSN_CODEC_NONE);
        memcpy(out->data + HEADER_SIZE, raw->data, raw->len);
        len = raw->len;
    }
    g_byte_array_set_size(out, HEADER_SIZE + (guint)len);
    return g_byte_array_free_to_bytes(out);
}

GBytes *
fsn_carry_fit(const FsnCarry *carry, size_t max_bytes)
{
    size_t all = carry->metrics->len;
    size_t few = 0; /* without those of devices, which stand last */
    size_t n = carry->n;

    while (few < all &&
           fsn_metric_kind(((const FsnCarryMetric *)carry->metrics->pdata[few])->name) !=
               FSN_METRIC_OF_DEVICE) {
        few++;
    }
    for (size_t metrics = all;; metrics = few) {
        g_autoptr(GBytes) bytes = NULL;

        if (metrics == 0 || n == 0) {
            return NULL;
        }
        bytes = fsn_carry_build(carry, metrics, n);
        if (g_bytes_get_size(bytes) <= max_bytes) {
            return g_steal_pointer(&bytes);
        }
        if (metrics == few) {
            if (n <= (size_t)(DAY_US / carry->step_us)) {
                return NULL;
            }
            n /= 2;
        }
    }
}

static bool
refuse(GError **error, const char *why)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "the history window is damaged: %s",
                why);
    return false;
}

/* The payload, decompressed; @out_raw is to be freed. */
static bool
unpack(const uint8_t *data,
       size_t len,
       int64_t *out_step_us,
       uint8_t **out_raw,
       size_t *out_len,
       GError **error)
{
    g_autoptr(FsnCodecContext) codec = fsn_codec_context_new();
    g_autofree uint8_t *raw = NULL;
    uint32_t how;
    uint32_t raw_len;

    if (len < HEADER_SIZE || memcmp(data, MAGIC, 8) != 0) {
        return refuse(error, "it does not begin as one");
    }
    if (fsn_get_le32(data + 8) != FORMAT && fsn_get_le32(data + 8) != FORMAT_STEP) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "the history window is from a newer foresnap (version %u)",
                    fsn_get_le32(data + 8));
        return false;
    }
    how = fsn_get_le32(data + 12);
    raw_len = fsn_get_le32(data + 16);
    if ((how != FSN_CODEC_NONE && how != FSN_CODEC_ZSTD) || raw_len < FIXED_SIZE ||
        raw_len > FSN_CARRY_MAX_RAW ||
        (fsn_get_le32(data + 8) == FORMAT_STEP &&
         fsn_get_le32(data + 20) != FSN_HISTORY_COARSE_US / G_USEC_PER_SEC)) {
        return refuse(error, "its header is wrong");
    }
    raw = g_try_malloc(raw_len);
    if (!raw) {
        return refuse(error, "it is too large");
    }
    if (!fsn_codec_decompress(codec, (FsnCodec)how, data + HEADER_SIZE, len - HEADER_SIZE,
                              raw, raw_len)) {
        return refuse(error, "it does not decompress");
    }
    *out_step_us =
        fsn_get_le32(data + 8) == FORMAT ? FSN_HISTORY_FINE_US : FSN_HISTORY_COARSE_US;
    *out_raw = g_steal_pointer(&raw);
    *out_len = raw_len;
    return true;
}

/* One metric from @p; false if that is none. */
static bool
take_metric(FsnCarry *carry, const uint8_t **p, const uint8_t *end)
{
    size_t n = carry->n;
    size_t name_len = *p < end ? **p : 0;
    g_autofree char *name = NULL;
    FsnCarryMetric *metric;
    const uint8_t *codes;

    if (name_len == 0 || name_len > FSN_METRIC_NAME_MAX ||
        (size_t)(end - *p) < 1 + name_len + 4 * n) {
        return false;
    }
    name = g_strndup((const char *)*p + 1, name_len);
    if (!fsn_metric_name_is_valid(name)) {
        return false;
    }
    metric = fsn_carry_add(carry, name);
    codes = *p + 1 + name_len;
    *p = codes + 4 * n;
    for (size_t i = 0; i < n; i++) {
        uint16_t mean = (uint16_t)(codes[i] << 8 | codes[n + i]);
        uint16_t p95 = (uint16_t)(codes[2 * n + i] << 8 | codes[3 * n + i]) ^ mean;

        if (!value_of(mean, &metric->mean[i]) || !value_of(p95, &metric->p95[i])) {
            return false;
        }
    }
    return true;
}

FsnCarry *
fsn_carry_parse(const uint8_t *data, size_t len, GError **error)
{
    g_autoptr(FsnCarry) carry = NULL;
    g_autofree uint8_t *raw = NULL;
    const uint8_t *p;
    const uint8_t *end;
    size_t raw_len = 0;
    int64_t step_us;
    int64_t start_us;
    uint32_t n;
    uint32_t metrics;

    if (!unpack(data, len, &step_us, &raw, &raw_len, error)) {
        return NULL;
    }
    start_us = (int64_t)fsn_get_le64(raw);
    n = fsn_get_le32(raw + 8);
    metrics = fsn_get_le32(raw + 12);
    if (start_us < 0 || start_us > G_MAXINT64 / 4 || start_us % step_us != 0 || n == 0 ||
        n > FSN_CARRY_MAX_SLOTS || metrics > FSN_CARRY_MAX_METRICS) {
        refuse(error, "its times are wrong");
        return NULL;
    }
    carry = fsn_carry_new(start_us, n);
    carry->step_us = step_us;
    p = raw + FIXED_SIZE;
    end = raw + raw_len;
    for (uint32_t i = 0; i < metrics; i++) {
        if (!take_metric(carry, &p, end)) {
            refuse(error, "a metric in it is wrong");
            return NULL;
        }
    }
    if (p != end) {
        refuse(error, "something follows it");
        return NULL;
    }
    return g_steal_pointer(&carry);
}
