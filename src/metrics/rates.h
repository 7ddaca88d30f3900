/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "metrics/names.h"
#include "metrics/reading.h"

G_BEGIN_DECLS

typedef struct {
    char name[FSN_METRIC_NAME_MAX + 1];
    double value; /* finite */
} FsnMetricValue;

/* A longer time between two readings is a gap: nothing is known about it. */
#define FSN_RATES_MAX_GAP_US ((int64_t)30 * 60 * G_USEC_PER_SEC)
/* A shorter one is too short to divide by. */
#define FSN_RATES_MIN_US     ((int64_t)50 * 1000)

/* What @now says, and how much was used since @before (NULL: nothing is known), as values
 * (FsnMetricValue) that hold for the last *@out_span_us microseconds before @now; 0 if they are
 * those of a moment. Rates are those of an uninterrupted run of the domain on one boot of the
 * host, by the clock that no one sets: steps of the real-time clock do not matter. A counter
 * that wrapped at 32 or 64 bits is followed; one that fell otherwise was reset, and there is
 * no rate of it this time. */
void fsn_rates_compute(const FsnReading *before,
                       const FsnReading *now,
                       GArray *out_values,
                       int64_t *out_span_us);

/* By how much a counter grew from @before to @now; false if that cannot be said. */
bool fsn_counter_delta(uint64_t before, uint64_t now, uint64_t *out_delta);

G_END_DECLS
