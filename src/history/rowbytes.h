/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "metrics/window.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* The bytes of rows. Numbers are little-endian; a varint has seven bits a byte, the lowest
 * first, and the eighth bit where more follow.
 *
 * A sample (all metrics of a domain at one time):
 *   varint  milliseconds before its time for which the values hold; 0 = those of a moment
 *   per value, ascending by metric:
 *     varint  (distance to the number of the metric before, the first one's to 0) << 1,
 *             and 1 if it is a double
 *     4 or 8  the value as IEEE 754 float, or double where that would change a whole number or
 *             a value of a moment
 *
 * Windows (all metrics of a domain over one slot), ascending by metric:
 *     varint  (distance) << 1, and 1 if min, mean, max and p95 are the same
 *     1       cover
 *     4 or 16 floats: mean, and unless they are the same min, max, p95; NAN: not known
 *
 * Reading is total: any bytes lead to values or to false. */

typedef struct {
    int64_t metric;
    double value;
} FsnSampleValue;

typedef struct {
    int64_t metric;
    FsnWindow window;
} FsnRowWindow;

/* @values ascend by metric. */
void fsn_sample_append(GByteArray *out,
                       int64_t span_us,
                       const FsnSampleValue *values,
                       size_t n);
/* Appends to @out_values (FsnSampleValue). */
bool fsn_sample_parse(const uint8_t *data,
                      size_t len,
                      int64_t *out_span_us,
                      GArray *out_values) G_GNUC_WARN_UNUSED_RESULT;

/* @windows ascend by metric; their numbers lose precision as fsn_window_round() says. */
void fsn_row_append(GByteArray *out, const FsnRowWindow *windows, size_t n);
/* Appends to @out_windows (FsnRowWindow). */
bool fsn_row_parse(const uint8_t *data, size_t len, GArray *out_windows)
    G_GNUC_WARN_UNUSED_RESULT;

/* As it is stored: rounded to 14 significant bits (0.006 %), which whole numbers up to 16384
 * survive. */
float fsn_window_round(double value);

G_END_DECLS
