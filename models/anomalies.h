/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/data.h"

G_BEGIN_DECLS

/* What was out of the ordinary in a series. */

typedef enum {
    FSN_ANOMALY_OUTLIER, /* far beyond the usual bursts; the farthest are damped in fits */
    FSN_ANOMALY_LEVEL,   /* the level has moved, and models follow */
} FsnAnomalyKind;

typedef struct {
    FsnAnomalyKind kind;
    int64_t start_us;
    int64_t end_us; /* the first instant after it */
    double value;   /* the largest, or the new level */
    double usual;   /* what was to be expected, or the level before */
} FsnAnomaly;

/* Anomalies in @series by @rule, oldest first; values that follow one another are one. The
 * caller unrefs. */
GArray *fsn_anomalies_find(const FsnSeries *series, const FsnOutlierRule *rule);

G_END_DECLS
