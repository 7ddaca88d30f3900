/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What is kept of a metric over a stretch of time: all are weighted by time. @p95 is the
 * value that was not exceeded during 95 % of the time that is known. */
typedef struct {
    double min; /* NAN with max: not known (a window that came with a snapshot) */
    double mean;
    double max;
    double p95;
    uint8_t cover; /* how much of the time is known, in 255ths, at least 1 */
} FsnWindow;

typedef struct {
    double value;  /* finite */
    double weight; /* > 0, e.g. seconds */
} FsnWeighted;

/* The window of @n ≥ 1 values, which are reordered; @whole is the weight of a window that is
 * known from begin to end. */
FsnWindow fsn_window_of(FsnWeighted *values, size_t n, double whole);

/* The window of @n ≥ 1 windows that last @weights[i] each. Exact but for the p95, which is
 * that of the mixture of distributions through what is known of each part: (min, 0),
 * (mean, .5), (p95, .95), (max, 1), linear between. */
FsnWindow fsn_window_combine(const FsnWindow *parts,
                             const double *weights,
                             size_t n,
                             double whole);

/* True if @a is as well known as @b, or better. */
static inline bool
fsn_window_covers(const FsnWindow *a, const FsnWindow *b)
{
    return a->cover >= b->cover;
}

G_END_DECLS
