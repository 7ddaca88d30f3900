/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "metrics/window.h"
#include "models/series.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What a snapshot carries of its domain's history, as foresnap-history(5) describes it: mean and
 * 95th percentile of every 5 minutes, or every hour, of the last days, with 8 significant bits. */
#define FSN_CARRY_MAX_RAW     ((size_t)16 << 20)
#define FSN_CARRY_MAX_METRICS 1024
#define FSN_CARRY_MAX_SLOTS   (366 * 288)

typedef struct {
    char *name;
    double *mean; /* of each slot; NAN: not known */
    double *p95;
} FsnCarryMetric;

typedef struct {
    int64_t step_us;    /* length of a slot: 5 minutes, or an hour */
    int64_t start_us;   /* of the first slot; a multiple of that */
    size_t n;           /* slots */
    GPtrArray *metrics; /* FsnCarryMetric, the most important first */
} FsnCarry;

/* Of 5 minutes; the caller may change that before it adds anything. */
FsnCarry *fsn_carry_new(int64_t start_us, size_t n);
void fsn_carry_free(FsnCarry *carry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnCarry, fsn_carry_free)
/* A metric of which nothing is known yet; belongs to @carry. */
FsnCarryMetric *fsn_carry_add(FsnCarry *carry, const char *name);

/* The bytes of the first @n_metrics and the last @n_slots. */
GBytes *fsn_carry_build(const FsnCarry *carry, size_t n_metrics, size_t n_slots);
/* The bytes of as much as fits into @max_bytes: metrics of devices are left out first, then the
 * oldest half, again and again down to a day. NULL if nothing does. */
GBytes *fsn_carry_fit(const FsnCarry *carry, size_t max_bytes);

/* Total: any bytes lead to a carry, or to FSN_ERROR_FORMAT, or for those of a newer version
 * FSN_ERROR_UNSUPPORTED. */
FsnCarry *fsn_carry_parse(const uint8_t *data, size_t len, GError **error);

G_END_DECLS
