/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether writes went one after the other. A bit of a bitmap says that something in its granule
 * was written, not how much: of what is written here and there most of a granule stays as it was,
 * and most granules have no neighbours; of what is written in one go there are long runs, and as
 * much was written as is dirty.
 */
#include "config.h"

#include "heat/heat.h"

/* Less than so many granules say nothing. */
#define LEAST_GRANULES 4
/* Shares of the dirty bytes. */
#define MOSTLY         0.8
#define HARDLY         0.2
/* Dirty bytes per byte written, above which runs have grown together out of small writes. */
#define SPARSE         3.0
/* Requests of an eighth of a granule or less that fill granules are many small ones. */
#define SMALL_SHARE    8

const char *
fsn_heat_pattern_name(FsnHeatPattern pattern)
{
    switch (pattern) {
    case FSN_HEAT_UNKNOWN:
        return "unknown";
    case FSN_HEAT_SEQUENTIAL:
        return "sequential";
    case FSN_HEAT_RANDOM:
        return "random";
    case FSN_HEAT_MIXED:
        return "mixed";
    }
    g_assert_not_reached();
}

FsnHeatPattern
fsn_heat_classify(const FsnHeatRuns *r)
{
    double in_long;
    double in_single;
    double spread;

    if (r->granule == 0 || r->dirty < LEAST_GRANULES * r->granule) {
        return FSN_HEAT_UNKNOWN;
    }
    in_long = (double)r->in_long / (double)r->dirty;
    in_single = (double)r->in_single / (double)r->dirty;
    spread = r->written > 0 ? (double)r->dirty / (double)r->written : 1;
    if (in_long >= MOSTLY) {
        /* Small writes so dense that they touch each other leave most of their granules as they
         * were, or write them again and again. */
        bool small =
            r->requests > 0 && r->written / r->requests <= r->granule / SMALL_SHARE;

        if (spread >= SPARSE || (small && spread < 1 / SPARSE)) {
            return FSN_HEAT_RANDOM;
        }
        return FSN_HEAT_SEQUENTIAL;
    }
    if (in_long <= HARDLY && (in_single >= 0.5 || spread >= SPARSE)) {
        return FSN_HEAT_RANDOM;
    }
    return FSN_HEAT_MIXED;
}
