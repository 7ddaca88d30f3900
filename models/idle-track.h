/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What is known of a VM's idle and active times up to each moment, and the numbers by which a
 * model judges whether it will be active soon.
 *
 * A sample is loud when the CPU use is above a threshold. The VM is active when one of the
 * last FSN_IDLE_QUIET samples was loud, else idle: short pauses do not count. A sample that
 * is missing is quiet: a VM that is off or suspended is idle. */

#define FSN_IDLE_STEP_US     (G_GINT64_CONSTANT(300) * G_USEC_PER_SEC)
#define FSN_IDLE_DAY         288 /* samples */
#define FSN_IDLE_WEEK        (7 * FSN_IDLE_DAY)
#define FSN_IDLE_QUIET       3
#define FSN_IDLE_SAMPLES_MAX (400 * FSN_IDLE_DAY)

/* The threshold where none is given: twice the 20th percentile of the known values, since a
 * VM that does nothing has a level of its own, but at least @floor (2 % of a processor, in
 * the unit of the values) and at most ten times that. */
double fsn_idle_threshold(const double *values, size_t n, double floor);

typedef struct FsnIdleTrack FsnIdleTrack;

/* Habits follow the clock of @zone (NULL: UTC), also when it is put forward or back: "this time of
 * the day before" is then 23 or 25 hours ago. */
FsnIdleTrack *fsn_idle_track_new(int64_t start_us, double threshold, GTimeZone *zone);
void fsn_idle_track_free(FsnIdleTrack *track);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnIdleTrack, fsn_idle_track_free)

/* The next sample, NAN if it is missing. The time for each is constant. At most
 * FSN_IDLE_SAMPLES_MAX are taken; false when it is full. */
bool fsn_idle_track_push(FsnIdleTrack *track, double value);

size_t fsn_idle_track_count(const FsnIdleTrack *track);
int64_t fsn_idle_track_time(const FsnIdleTrack *track, size_t i);
/* Whether what follows sample @i lies in a weekend, local time. */
bool fsn_idle_track_is_weekend(const FsnIdleTrack *track, size_t i);
/* The time at which the clock has gone on by @samples since sample @i; of a wait that is shorter
 * than what the clock is moved by it is the time itself. */
int64_t fsn_idle_track_ahead(const FsnIdleTrack *track, size_t i, double samples);
double fsn_idle_track_threshold(const FsnIdleTrack *track);
bool fsn_idle_track_is_active(const FsnIdleTrack *track, size_t i);
bool fsn_idle_track_is_known(const FsnIdleTrack *track, size_t i);
/* For how many samples up to @i, which counts, the state has been what it is at @i. */
size_t fsn_idle_track_elapsed(const FsnIdleTrack *track, size_t i);
/* How many quiet samples there have been up to @i. */
unsigned fsn_idle_track_quiet(const FsnIdleTrack *track, size_t i);

/* Whether the VM was active at one of the @ahead samples after @i: 1 or 0, or -1 where that
 * cannot be told, for the samples are to come or are missing. */
int fsn_idle_track_label(const FsnIdleTrack *track, size_t i, size_t ahead);

/* Periods that are over: idle ones, which ended with a wake, and the active ones before. */
typedef struct {
    uint32_t active_from; /* sample; where the active period began */
    uint32_t idle_from;   /* where it ended */
    uint32_t wake;        /* the first active sample after */
} FsnIdleCycle;

/* The cycles whose wake was seen at or before sample @i, oldest first; borrowed until the next
 * push. */
const FsnIdleCycle *fsn_idle_track_cycles(const FsnIdleTrack *track,
                                          size_t i,
                                          size_t *out_n);

/* The numbers for sample @i, from samples up to @i only. */
size_t fsn_idle_feature_count(void);
const char *fsn_idle_feature_name(size_t feature);
void fsn_idle_track_features(const FsnIdleTrack *track, size_t i, float *out_features);

G_END_DECLS
