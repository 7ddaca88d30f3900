/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/idle-track.h"

G_BEGIN_DECLS

/* For the features of a track (idle-features.c). */

#define FSN_IDLE_HAZARDS 8
#define FSN_IDLE_SHORT   3  /* samples: 15 minutes */
#define FSN_IDLE_LONG    12 /* an hour */

/* How often wakes came at the same phase of a period. */
typedef struct {
    uint16_t period;    /* samples */
    float decay;        /* weight of a period relative to the one after it */
    uint16_t tolerance; /* samples around the phase that count too */
} FsnIdleHazard;

extern const FsnIdleHazard fsn_idle_hazards[FSN_IDLE_HAZARDS];

/* What came at the phase that is next, smoothed over former periods. */
typedef struct {
    float short_sum, long_sum, weight;
    float level_sum, level_weight;
} FsnIdleFormer;

typedef struct {
    float level;         /* logarithm of value / threshold */
    float usual, spread; /* of quiet levels */
    float unusual;       /* the level in spreads from the usual one */
    uint8_t quiet;       /* quiet samples up to here, at most 255 */
    bool active, known;
    int16_t clock;                   /* samples that the local time is ahead of UTC */
    uint32_t since;                  /* where the state began */
    uint32_t active_from, idle_from; /* where the last such period began */
    uint32_t cycles;                 /* that are over */
    uint32_t wakes, risks, actives, unknowns; /* running counts */
    float wake_sum[FSN_IDLE_HAZARDS], risk_sum[FSN_IDLE_HAZARDS];
    FsnIdleFormer day, week;
} FsnIdleRow;

struct FsnIdleTrack {
    int64_t start_us;
    double threshold;
    GTimeZone *zone; /* NULL: UTC */
    GArray *rows;    /* of FsnIdleRow, one per sample */
    GArray *cycles;  /* of FsnIdleCycle */
};

/* Borrowed until the next push. */
const FsnIdleRow *fsn_idle_row(const FsnIdleTrack *track, size_t i);
/* By how many samples the local time of sample @i was put forward since sample @then. */
int fsn_idle_clock_moved(const FsnIdleTrack *track, size_t i, size_t then);
void fsn_idle_sort(double *values, size_t n);

G_END_DECLS
