/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples and windows as bytes. */
#include "config.h"

#include "history/rowbytes.h"

#include "base/bytes.h"
#include "history/tables.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Explicit bits of a float's fraction that are kept. */
#define KEPT_BITS   13
#define LOST_BITS   (23 - KEPT_BITS)
#define MAX_SPAN_MS ((uint64_t)1 << 40)

typedef struct {
    const uint8_t *p;
    const uint8_t *end;
} Cursor;

static void
append_varint(GByteArray *out, uint64_t v)
{
    while (v >= 0x80) {
        fsn_append_u8(out, (uint8_t)(v | 0x80));
        v >>= 7;
    }
    fsn_append_u8(out, (uint8_t)v);
}

static bool
take_varint(Cursor *c, uint64_t *out)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 63 && c->p < c->end; shift += 7) {
        uint8_t byte = *c->p++;

        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *out = v;
            return true;
        }
    }
    return false;
}

static void
append_float(GByteArray *out, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    fsn_append_le32(out, bits);
}

static bool
take_float(Cursor *c, double *out)
{
    uint32_t bits;
    float value;

    if (c->end - c->p < 4) {
        return false;
    }
    bits = fsn_get_le32(c->p);
    c->p += 4;
    memcpy(&value, &bits, sizeof value);
    *out = value;
    return !isinf(value);
}

static bool
take_double(Cursor *c, double *out)
{
    uint64_t bits;

    if (c->end - c->p < 8) {
        return false;
    }
    bits = fsn_get_le64(c->p);
    c->p += 8;
    memcpy(out, &bits, sizeof *out);
    return isfinite(*out);
}

/* The next metric's number after *@metric, and the flag beside it. */
static bool
take_metric(Cursor *c, int64_t *metric, bool *out_flag)
{
    uint64_t v;

    if (!take_varint(c, &v) || v >> 1 == 0 || v >> 1 >= FSN_TABLES_MAX_METRIC) {
        return false;
    }
    *out_flag = v & 1;
    *metric += (int64_t)(v >> 1);
    return *metric < FSN_TABLES_MAX_METRIC;
}

void
fsn_sample_append(GByteArray *out,
                  int64_t span_us,
                  const FsnSampleValue *values,
                  size_t n)
{
    int64_t last = 0;

    append_varint(out, (uint64_t)(span_us / 1000));
    for (size_t i = 0; i < n; i++) {
        double value = values[i].value;
        bool wide = fabs(value) > FLT_MAX || (double)(float)value != value;
        /* Most rates are no floats; what is lost then is less than was measured. */
        bool matters =
            wide && (span_us == 0 || fabs(value) > FLT_MAX || value == floor(value));
        uint64_t bits;

        append_varint(out, (uint64_t)(values[i].metric - last) << 1 | matters);
        last = values[i].metric;
        if (matters) {
            memcpy(&bits, &value, sizeof bits);
            fsn_append_le64(out, bits);
        } else {
            append_float(out, (float)value);
        }
    }
}

bool
fsn_sample_parse(const uint8_t *data,
                 size_t len,
                 int64_t *out_span_us,
                 GArray *out_values)
{
    Cursor c = { .p = data, .end = data + len };
    FsnSampleValue value = { 0 };
    uint64_t ms;

    if (!take_varint(&c, &ms) || ms > MAX_SPAN_MS) {
        return false;
    }
    while (c.p < c.end) {
        bool wide;

        if (!take_metric(&c, &value.metric, &wide) ||
            !(wide ? take_double(&c, &value.value) : take_float(&c, &value.value)) ||
            isnan(value.value)) {
            return false;
        }
        g_array_append_val(out_values, value);
    }
    *out_span_us = (int64_t)ms * 1000;
    return true;
}

float
fsn_window_round(double value)
{
    const uint32_t half = (uint32_t)1 << (LOST_BITS - 1);
    float near = (float)CLAMP(value, -FLT_MAX / 2, FLT_MAX / 2); /* NAN stays */
    uint32_t bits;

    if (isnan(near)) {
        return NAN;
    }
    memcpy(&bits, &near, sizeof bits);
    bits = (bits + half) & ~(2 * half - 1);
    memcpy(&near, &bits, sizeof bits);
    return near;
}

void
fsn_row_append(GByteArray *out, const FsnRowWindow *windows, size_t n)
{
    int64_t last = 0;

    for (size_t i = 0; i < n; i++) {
        const FsnWindow *w = &windows[i].window;
        float mean = fsn_window_round(w->mean);
        float rest[3] = { fsn_window_round(w->min), fsn_window_round(w->max),
                          fsn_window_round(w->p95) };
        bool same = rest[0] == mean && rest[1] == mean && rest[2] == mean;

        append_varint(out, (uint64_t)(windows[i].metric - last) << 1 | same);
        last = windows[i].metric;
        fsn_append_u8(out, w->cover);
        append_float(out, mean);
        for (int k = 0; !same && k < 3; k++) {
            append_float(out, rest[k]);
        }
    }
}

bool
fsn_row_parse(const uint8_t *data, size_t len, GArray *out_windows)
{
    Cursor c = { .p = data, .end = data + len };
    FsnRowWindow row = { 0 };

    while (c.p < c.end) {
        FsnWindow *w = &row.window;
        bool same;

        if (!take_metric(&c, &row.metric, &same) || c.p == c.end) {
            return false;
        }
        w->cover = *c.p++;
        if (w->cover == 0 || !take_float(&c, &w->mean) || isnan(w->mean)) {
            return false;
        }
        w->min = w->max = w->p95 = w->mean;
        if (!same && (!take_float(&c, &w->min) || !take_float(&c, &w->max) ||
                      !take_float(&c, &w->p95) || isnan(w->p95))) {
            return false;
        }
        g_array_append_val(out_windows, row);
    }
    return true;
}
