/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The features by which activity is foretold: what happened at this time of former days and
 * weeks, how long the VM has been idle against how long it usually is, how much it did
 * lately, and how restless its quiet level is. All are free of the VM's own scale, so
 * that what was learned from some VMs holds for others. In the order of the table below;
 * weights are stored by name, never by position.
 */
#include "models/idle-track-private.h"

#include <math.h>
#include <string.h>

/* Pseudo-samples that pull a rate towards the VM's mean. */
#define RATE_PRIOR  20
#define GAP_PRIOR   2
/* Only the last periods tell of the coming one. */
#define CYCLES_SEEN 60

static const size_t windows[] = { 12, 36, 72, FSN_IDLE_DAY, FSN_IDLE_WEEK };

static const char *const names[] = {
    "short.day",     "short.week", "long.day",   "long.week",   "wake.days1",
    "wake.days3",    "wake.days9", "wake.week1", "wake.week3",  "wake.1h",
    "wake.2h",       "wake.6h",    "wake.mean",  "gap.3",       "gap.12",
    "interval.3",    "idle.for",   "awake.ago",  "active.last", "idle.last",
    "active.1h",     "active.3h",  "active.6h",  "active.1d",   "active.1w",
    "wakes.6h",      "wakes.1d",   "wakes.1w",   "level",       "level.max12",
    "level.usual",   "unusual",    "unusual.1",  "unusual.2",   "unusual.max6",
    "unusual.mean6", "level.day",  "level.week", "weekend",
};

typedef struct {
    const FsnIdleTrack *track;
    size_t i;
    float *next;
} Features;

size_t
fsn_idle_feature_count(void)
{
    return G_N_ELEMENTS(names);
}

const char *
fsn_idle_feature_name(size_t feature)
{
    return names[feature];
}

static void
put(Features *f, double value)
{
    *f->next++ = (float)value;
}

/* The row @back samples ago; the first one where there is none so old. */
static const FsnIdleRow *
ago(const Features *f, size_t back)
{
    return fsn_idle_row(f->track, f->i - MIN(back, f->i));
}

static void
put_former(Features *f, const FsnIdleRow *row)
{
    put(f, row->day.short_sum / (row->day.weight + .3F));
    put(f, row->week.short_sum / (row->week.weight + .3F));
    put(f, row->day.long_sum / (row->day.weight + .3F));
    put(f, row->week.long_sum / (row->week.weight + .3F));
}

/* Logarithms of rates of waking, relative to the mean rate. */
static void
put_rates(Features *f, const FsnIdleRow *row, float rate)
{
    for (size_t h = 0; h < FSN_IDLE_HAZARDS; h++) {
        put(f, logf((row->wake_sum[h] + RATE_PRIOR * rate) /
                    ((row->risk_sum[h] + RATE_PRIOR) * rate)));
    }
    put(f, logf(rate));
}

/* Among former periods that lasted as long as this one, the share that ended soon. */
static void
put_ends(Features *f, const FsnIdleRow *row, float rate)
{
    float short_ends = GAP_PRIOR * MIN(1, FSN_IDLE_SHORT * rate), long_ends = GAP_PRIOR;
    float interval_ends = short_ends, gaps = GAP_PRIOR, intervals = GAP_PRIOR, weight = 1;
    uint32_t idle = (uint32_t)f->i - row->since + 1;
    uint32_t awake = row->wakes > 0 ? (uint32_t)f->i - row->active_from : G_MAXUINT16;
    size_t n;
    const FsnIdleCycle *cycles = fsn_idle_track_cycles(f->track, f->i, &n);

    long_ends *= MIN(1, FSN_IDLE_LONG * rate);
    for (size_t k = n; k > 0 && k + CYCLES_SEEN > n; k--, weight *= .97F) {
        uint32_t gap = cycles[k - 1].wake - cycles[k - 1].idle_from;
        uint32_t interval = cycles[k - 1].wake - cycles[k - 1].active_from;

        if (gap >= idle) {
            gaps += weight;
            short_ends += gap < idle + FSN_IDLE_SHORT ? weight : 0;
            long_ends += gap < idle + FSN_IDLE_LONG ? weight : 0;
        }
        if (interval > awake) {
            intervals += weight;
            interval_ends += interval <= awake + FSN_IDLE_SHORT ? weight : 0;
        }
    }
    put(f, logf(short_ends / gaps + 1e-4F));
    put(f, logf(long_ends / gaps + 1e-4F));
    put(f, logf(interval_ends / intervals + 1e-4F));
}

static void
put_durations(Features *f, const FsnIdleRow *row)
{
    size_t n;
    const FsnIdleCycle *cycles = fsn_idle_track_cycles(f->track, f->i, &n);
    float active = row->idle_from > row->active_from
                       ? (float)(row->idle_from - row->active_from)
                       : 0;
    float gap = n > 0 ? (float)(cycles[n - 1].wake - cycles[n - 1].idle_from) : 0;

    put(f, logf((float)(f->i - row->since + 1)));
    put(f, logf(row->wakes > 0 ? (float)(f->i - row->active_from + 1) : 1e4F));
    put(f, logf(active + 1));
    put(f, logf(gap + 1));
}

static void
put_recent(Features *f, const FsnIdleRow *row)
{
    for (size_t w = 0; w < G_N_ELEMENTS(windows); w++) {
        uint32_t before = f->i >= windows[w] ? ago(f, windows[w])->actives : 0;

        put(f, (float)(row->actives - before) / (float)windows[w]);
    }
    /* Of the last 6 hours, day and week. */
    for (size_t w = 2; w < G_N_ELEMENTS(windows); w++) {
        uint32_t before = f->i >= windows[w] ? ago(f, windows[w])->wakes : 0;

        put(f, log1pf((float)(row->wakes - before)));
    }
}

static void
put_levels(Features *f, const FsnIdleRow *row)
{
    float max12 = row->level, max6 = row->unusual, sum6 = 0;

    for (size_t back = 0; back < 12; back++) {
        const FsnIdleRow *then = ago(f, back);

        max12 = MAX(max12, then->level);
        if (back < 6) {
            max6 = MAX(max6, then->unusual);
            sum6 += then->unusual;
        }
    }
    put(f, row->level);
    put(f, max12);
    put(f, row->usual);
    put(f, row->unusual);
    put(f, ago(f, 1)->unusual);
    put(f, ago(f, 2)->unusual);
    put(f, max6);
    put(f, sum6 / 6);
}

static void
put_former_level(Features *f, const FsnIdleFormer *former)
{
    put(f, former->level_sum / (former->level_weight + 1e-3F));
}

void
fsn_idle_track_features(const FsnIdleTrack *track, size_t i, float *out_features)
{
    Features f = { track, i, out_features };
    const FsnIdleRow *row = fsn_idle_row(track, i);
    float rate = (float)(row->wakes + 1) / (float)(row->risks + 200);

    put_former(&f, row);
    put_rates(&f, row, rate);
    put_ends(&f, row, rate);
    put_durations(&f, row);
    put_recent(&f, row);
    put_levels(&f, row);
    put_former_level(&f, &row->day);
    put_former_level(&f, &row->week);
    put(&f, fsn_idle_track_is_weekend(track, i));
    g_assert(f.next == out_features + G_N_ELEMENTS(names));
}
