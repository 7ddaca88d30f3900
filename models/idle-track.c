/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record of idle and active times. Every sample costs constant time and leaves a row
 * with all that the features of later samples build on, so that the features of any
 * sample can be had again and depend on nothing after it: averages over the same time of
 * former days and weeks are recursions over a lag (Holt-like exponential smoothing of each
 * phase of the day on its own).
 */
#include "models/idle-track.h"

#include "models/idle-track-private.h"

#include <math.h>
#include <string.h>

/* Zones have skipped whole days; no habit follows that. */
#define CLOCK_MOVES_MAX 36

/* In floors: who never uses less than that is never idle. */
#define THRESHOLD_MAX 10

const FsnIdleHazard fsn_idle_hazards[FSN_IDLE_HAZARDS] = {
    { FSN_IDLE_DAY, .97F, 1 },  { FSN_IDLE_DAY, .97F, 3 },  { FSN_IDLE_DAY, .97F, 9 },
    { FSN_IDLE_WEEK, .85F, 1 }, { FSN_IDLE_WEEK, .85F, 3 }, { 12, .9875F, 0 },
    { 24, .975F, 0 },           { 72, .925F, 0 },
};

double
fsn_idle_threshold(const double *values, size_t n, double floor)
{
    g_autofree double *known = g_new(double, MAX(n, 1));
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        if (!isnan(values[i])) {
            known[count++] = values[i];
        }
    }
    if (count == 0) {
        return floor;
    }
    fsn_idle_sort(known, count);
    return CLAMP(2 * known[(count - 1) / 5], floor, THRESHOLD_MAX * floor);
}

static int
ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void
fsn_idle_sort(double *values, size_t n)
{
    qsort(values, n, sizeof *values, ascending);
}

FsnIdleTrack *
fsn_idle_track_new(int64_t start_us, double threshold, GTimeZone *zone)
{
    FsnIdleTrack *track = g_new0(FsnIdleTrack, 1);

    track->start_us = start_us;
    track->threshold = threshold;
    track->zone = zone ? g_time_zone_ref(zone) : NULL;
    track->rows = g_array_new(FALSE, FALSE, sizeof(FsnIdleRow));
    track->cycles = g_array_new(FALSE, FALSE, sizeof(FsnIdleCycle));
    return track;
}

void
fsn_idle_track_free(FsnIdleTrack *track)
{
    if (!track) {
        return;
    }
    g_clear_pointer(&track->zone, g_time_zone_unref);
    g_array_unref(track->rows);
    g_array_unref(track->cycles);
    g_free(track);
}

/* How many samples local time is ahead of UTC at @time_us. */
static int
clock_at(const FsnIdleTrack *track, int64_t time_us)
{
    const int step_s = (int)(FSN_IDLE_STEP_US / G_USEC_PER_SEC);
    int interval = track->zone
                       ? g_time_zone_find_interval(track->zone, G_TIME_TYPE_UNIVERSAL,
                                                   time_us / G_USEC_PER_SEC)
                       : -1;

    return interval >= 0 ? g_time_zone_get_offset(track->zone, interval) / step_s : 0;
}

static int
moved(int now, int then)
{
    return ABS(now - then) <= CLOCK_MOVES_MAX ? now - then : 0;
}

int
fsn_idle_clock_moved(const FsnIdleTrack *track, size_t i, size_t then)
{
    return moved(fsn_idle_row(track, i)->clock, fsn_idle_row(track, then)->clock);
}

/* How loud a sample is, and how unusual for quiet ones. */
static void
fill_level(FsnIdleRow *row, const FsnIdleRow *last, double value, double threshold)
{
    float level = isnan(value) ? (last ? last->usual : -1)
                               : (float)log(MAX(value, 1e-3 * threshold) / threshold);
    float usual = last ? last->usual : level;
    float spread = last ? last->spread : .1F;
    float off = level - usual;

    row->level = level;
    row->unusual = CLAMP(off / (spread + .02F), -8, 8);
    if (!isnan(value) && value <= threshold) {
        float bound = 3 * spread + .05F;

        usual += .01F * CLAMP(off, -bound, bound);
        spread += .01F * (fabsf(off) - spread);
    }
    row->usual = usual;
    row->spread = spread;
}

/* The state, and when it began. */
static void
fill_state(FsnIdleTrack *track, FsnIdleRow *row, const FsnIdleRow *last, double value)
{
    uint32_t i = track->rows->len;
    bool loud = value > track->threshold;

    row->known = !isnan(value);
    row->quiet = loud ? 0 : last ? MIN(last->quiet + 1, 255) : FSN_IDLE_QUIET;
    row->active = row->quiet < FSN_IDLE_QUIET;
    row->since = last && last->active == row->active ? last->since : i;
    row->active_from = last ? last->active_from : 0;
    row->idle_from = last ? last->idle_from : 0;
    row->wakes = last ? last->wakes : 0;
    row->risks = (last ? last->risks : 0) + (!last || !last->active);
    row->actives = (last ? last->actives : 0) + row->active;
    row->unknowns = (last ? last->unknowns : 0) + !row->known;
    if (!last || last->active == row->active) {
        row->cycles = last ? last->cycles : 0;
        return;
    }
    if (row->active) {
        if (last->wakes > 0 || last->idle_from > 0) {
            FsnIdleCycle cycle = { last->active_from, last->idle_from, i };

            g_array_append_val(track->cycles, cycle);
        }
        row->active_from = i;
        row->wakes++;
    } else {
        row->idle_from = i;
    }
    row->cycles = track->cycles->len;
}

const FsnIdleRow *
fsn_idle_row(const FsnIdleTrack *track, size_t i)
{
    return &g_array_index(track->rows, FsnIdleRow, i);
}

/* The difference of a running count between the samples @from and @to, both included. */
#define COUNT(track, field, from, to) \
    (fsn_idle_row(track, to)->field - \
     ((from) > 0 ? fsn_idle_row(track, (from)-1)->field : 0))

static float
was_active(const FsnIdleTrack *track, size_t from, size_t to)
{
    return COUNT(track, actives, from, to) > 0;
}

/* The sample of the same local time a period of days before @i, whose clock shows @clock; that
 * of the period before where there was no such time, for the clock was put forward; -1: there
 * is none. */
static int64_t
former_of(const FsnIdleTrack *track, size_t i, int clock, size_t period)
{
    for (size_t lag = period; lag <= 2 * period && lag <= i; lag += period) {
        int by = moved(clock, fsn_idle_row(track, i - lag)->clock);
        int64_t k = (int64_t)(i - lag) + by;

        if (k >= 0 && moved(clock, fsn_idle_row(track, (size_t)k)->clock) == by) {
            return k;
        }
    }
    return -1;
}

/* Wakes, and samples at which one was possible, around the same phase of the period before. */
static void
fill_hazard(const FsnIdleTrack *track, FsnIdleRow *row, size_t i, size_t h)
{
    const FsnIdleHazard *hazard = &fsn_idle_hazards[h];
    size_t shift = hazard->tolerance ? 2 : 1;

    int64_t k = hazard->period % FSN_IDLE_DAY
                    ? (int64_t)i - hazard->period
                    : former_of(track, i, row->clock, hazard->period);

    row->wake_sum[h] = row->risk_sum[h] = 0;
    if (k < 0 || (size_t)k + shift <= hazard->tolerance) {
        return;
    }
    size_t middle = (size_t)k + shift;
    const FsnIdleRow *former = fsn_idle_row(track, (size_t)k);
    size_t from = middle - hazard->tolerance, to = middle + hazard->tolerance;

    row->wake_sum[h] =
        (float)COUNT(track, wakes, from, to) + hazard->decay * former->wake_sum[h];
    row->risk_sum[h] =
        (float)COUNT(track, risks, from, to) + hazard->decay * former->risk_sum[h];
}

static float
loudest(const FsnIdleTrack *track, size_t from, size_t to)
{
    float level = -INFINITY;

    for (size_t i = from; i <= to; i++) {
        level = MAX(level, fsn_idle_row(track, i)->level);
    }
    return level;
}

/* Activity and level at the same phase of former days or weeks. */
static void
fill_former(const FsnIdleTrack *track, FsnIdleFormer *sums, int64_t former, size_t period)
{
    float keep = period == FSN_IDLE_DAY ? .8F : .7F;

    memset(sums, 0, sizeof *sums);
    if (former < 0) {
        return;
    }
    size_t k = (size_t)former;
    const FsnIdleRow *row = fsn_idle_row(track, k);
    const FsnIdleFormer *before = period == FSN_IDLE_DAY ? &row->day : &row->week;

    sums->short_sum =
        was_active(track, k + 1, k + FSN_IDLE_SHORT) + keep * before->short_sum;
    sums->long_sum =
        was_active(track, k + 1, k + FSN_IDLE_LONG) + keep * before->long_sum;
    sums->weight = 1 + keep * before->weight;
    sums->level_sum = loudest(track, k + 1, k + 3) + .85F * before->level_sum;
    sums->level_weight = 1 + .85F * before->level_weight;
}

bool
fsn_idle_track_push(FsnIdleTrack *track, double value)
{
    size_t i = track->rows->len;
    FsnIdleRow row = { 0 };

    if (i >= FSN_IDLE_SAMPLES_MAX) {
        return false;
    }
    const FsnIdleRow *last = i > 0 ? fsn_idle_row(track, i - 1) : NULL;

    row.clock = (int16_t)clock_at(track, fsn_idle_track_time(track, i));
    fill_level(&row, last, value, track->threshold);
    fill_state(track, &row, last, value);
    for (size_t h = 0; h < FSN_IDLE_HAZARDS; h++) {
        fill_hazard(track, &row, i, h);
    }
    fill_former(track, &row.day, former_of(track, i, row.clock, FSN_IDLE_DAY),
                FSN_IDLE_DAY);
    fill_former(track, &row.week, former_of(track, i, row.clock, FSN_IDLE_WEEK),
                FSN_IDLE_WEEK);
    g_array_append_val(track->rows, row);
    return true;
}

size_t
fsn_idle_track_count(const FsnIdleTrack *track)
{
    return track->rows->len;
}

int64_t
fsn_idle_track_time(const FsnIdleTrack *track, size_t i)
{
    return track->start_us + (int64_t)i * FSN_IDLE_STEP_US;
}

/* 1 January 1970 was a Thursday. */
bool
fsn_idle_track_is_weekend(const FsnIdleTrack *track, size_t i)
{
    int64_t steps = fsn_idle_track_time(track, i + 1) / FSN_IDLE_STEP_US;
    int64_t days = (steps + fsn_idle_row(track, i)->clock) / FSN_IDLE_DAY;

    return (days + 3) % 7 >= 5;
}

int64_t
fsn_idle_track_ahead(const FsnIdleTrack *track, size_t i, double samples)
{
    int64_t wait_us = (int64_t)(samples * (double)FSN_IDLE_STEP_US);
    int64_t time_us = fsn_idle_track_time(track, i) + wait_us;
    int by = moved(fsn_idle_row(track, i)->clock, clock_at(track, time_us));

    return samples > ABS(by) ? time_us + by * FSN_IDLE_STEP_US : time_us;
}

double
fsn_idle_track_threshold(const FsnIdleTrack *track)
{
    return track->threshold;
}

bool
fsn_idle_track_is_active(const FsnIdleTrack *track, size_t i)
{
    return fsn_idle_row(track, i)->active;
}

bool
fsn_idle_track_is_known(const FsnIdleTrack *track, size_t i)
{
    return fsn_idle_row(track, i)->known;
}

size_t
fsn_idle_track_elapsed(const FsnIdleTrack *track, size_t i)
{
    return i - fsn_idle_row(track, i)->since + 1;
}

unsigned
fsn_idle_track_quiet(const FsnIdleTrack *track, size_t i)
{
    return fsn_idle_row(track, i)->quiet;
}

int
fsn_idle_track_label(const FsnIdleTrack *track, size_t i, size_t ahead)
{
    if (i + ahead >= track->rows->len) {
        return -1;
    }
    if (was_active(track, i + 1, i + ahead)) {
        return 1;
    }
    return COUNT(track, unknowns, i + 1, i + ahead) > 0 ? -1 : 0;
}

const FsnIdleCycle *
fsn_idle_track_cycles(const FsnIdleTrack *track, size_t i, size_t *out_n)
{
    *out_n = fsn_idle_row(track, i)->cycles;
    return (const FsnIdleCycle *)track->cycles->data;
}
