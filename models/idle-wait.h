/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/idle-track.h"

G_BEGIN_DECLS

/* How long a VM stays idle or active: the distribution of what is left, from former periods
 * that began at about the same time of day, recent ones before old ones, and lasted at
 * least as long as the present one (a kernel estimate of the conditional survival function;
 * Beran 1981). Few former periods leave it wide. */

#define FSN_IDLE_WAIT_LEVELS 5
/* .05 .25 .5 .75 .95 */
extern const double fsn_idle_wait_levels[FSN_IDLE_WAIT_LEVELS];

typedef struct {
    /* Samples from sample @i on, > 0, ascending, by the clock of the track's zone: see
     * fsn_idle_track_ahead(). */
    double q[FSN_IDLE_WAIT_LEVELS];
    /* The middle of the shortest interval that holds half of the probability (the shorth:
     * Andrews et al. 1972): where waits are spread over minutes and days it is nearer to
     * what happens than the median. */
    double likely;
} FsnIdleWait;

/* From idle or active sample @i to the next wake, which is the end of this idle period or of
 * the one after this active period. If @i is idle, @p_short and @p_long are what a model says of
 * the coming 3 and 12 samples, with which the distribution is reconciled; NAN for nothing. */
void fsn_idle_wait_wake(const FsnIdleTrack *track,
                        size_t i,
                        double p_short,
                        double p_long,
                        FsnIdleWait *out_wait);
/* From active sample @i to the first idle one. */
void fsn_idle_wait_idle(const FsnIdleTrack *track, size_t i, FsnIdleWait *out_wait);
/* How long an idle period lasts that begins at the time of sample @at, which may be to
 * come, as seen from sample @i. */
void fsn_idle_wait_length(const FsnIdleTrack *track,
                          size_t i,
                          size_t at,
                          FsnIdleWait *out_wait);

G_END_DECLS
