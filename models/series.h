/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* A measured quantity at regular times: what models are fitted to. */

typedef struct {
    int64_t start_us; /* UTC, of values[0] */
    int64_t step_us;  /* > 0 */
    size_t n;
    double *values; /* NAN where nothing is known; never infinite */
} FsnSeries;

/* @n values, all unknown. The caller frees. */
FsnSeries *fsn_series_new(int64_t start_us, int64_t step_us, size_t n);
/* The first @n values (at most all) as a series of its own. */
FsnSeries *fsn_series_head(const FsnSeries *series, size_t n);
/* From the first known value on; empty if there is none. */
FsnSeries *fsn_series_without_lead(const FsnSeries *series);
void fsn_series_free(FsnSeries *series);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnSeries, fsn_series_free)

/* How many values a period takes, or 0 if it is not a multiple of the step. */
size_t fsn_series_season(const FsnSeries *series, int64_t period_us);
/* The time of value @i, which may lie beyond the end. */
int64_t fsn_series_time(const FsnSeries *series, size_t i);

G_END_DECLS
