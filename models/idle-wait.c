/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waits for a wake or for idleness: a weighted sample of former periods, and its quantiles.
 * The widths were chosen by validation inside the training part of sixty days of thirty
 * VMs, where any time of day from 45 to 90 minutes and any memory from 30 to 60 periods did
 * as well.
 */
#include "models/idle-wait.h"

#include "models/idle-track-private.h"

#include <math.h>
#include <stdlib.h>

/* Standard deviation of the time of day: an hour. */
#define CLOCK_WIDTH 12.
/* Periods after which one counts 1/e. */
#define MEMORY      40.
/* What a period at the opposite time of day counts. */
#define ANY_TIME    1e-3
/* Of all weight, what speaks for any wait. */
#define IGNORANCE   .05
#define CYCLES_MAX  400

const double fsn_idle_wait_levels[FSN_IDLE_WAIT_LEVELS] = { .05, .25, .5, .75, .95 };

typedef struct {
    double wait;
    double weight;
} Atom;

typedef struct {
    Atom atoms[CYCLES_MAX + 16];
    size_t n;
    double total;
} Sample;

static void
add(Sample *sample, double wait, double weight)
{
    sample->atoms[sample->n++] = (Atom){ wait, weight };
    sample->total += weight;
}

/* From sample @from to sample @to by the clock on the wall. */
static double
between(const FsnIdleTrack *track, size_t from, size_t to)
{
    return (double)to - (double)from + fsn_idle_clock_moved(track, to, from);
}

/* What a period counts that began at sample @then and is @age periods old; @now may be to
 * come. */
static double
closeness(const FsnIdleTrack *track, size_t then, size_t now, size_t age)
{
    size_t last = fsn_idle_track_count(track) - 1;
    int64_t off_now =
        (int64_t)now - (int64_t)then + fsn_idle_clock_moved(track, MIN(now, last), then);
    size_t apart = (size_t)ABS(off_now) % FSN_IDLE_DAY;
    double off = (double)MIN(apart, FSN_IDLE_DAY - apart) / CLOCK_WIDTH;

    return (exp(-.5 * off * off) + ANY_TIME) * exp(-(double)age / MEMORY);
}

/* Waits of all sizes, relative to how long it has lasted. */
static void
add_ignorance(Sample *sample, double elapsed)
{
    static const double soon[] = { 1, 2, 3, 6, 9, 12, 18, 24, 36 };
    static const double later[] = { .5, 1, 2, 4, 8 };
    double weight = sample->total > 0 ? sample->total * IGNORANCE / (1 - IGNORANCE) /
                                            (G_N_ELEMENTS(soon) + G_N_ELEMENTS(later))
                                      : 1;

    for (size_t k = 0; k < G_N_ELEMENTS(soon); k++) {
        add(sample, soon[k], weight);
    }
    for (size_t k = 0; k < G_N_ELEMENTS(later); k++) {
        add(sample, round(later[k] * (MAX(elapsed, 0) + 12)), weight);
    }
}

/* Half way between what the sample says of the next 15 and 60 minutes and what the model
 * says: either alone is worse. */
static void
reconcile(Sample *sample, double p_short, double p_long)
{
    double model[3] = { p_short, MAX(p_long - p_short, 0), 1 - MAX(p_long, p_short) };
    double mass[3] = { 0 };

#define PART(wait) ((wait) <= 3 ? 0 : (wait) <= 12 ? 1 : 2)
    for (size_t k = 0; k < sample->n; k++) {
        mass[PART(sample->atoms[k].wait)] += sample->atoms[k].weight / sample->total;
    }
    for (size_t k = 0; k < sample->n; k++) {
        int part = PART(sample->atoms[k].wait);

        sample->atoms[k].weight *= .5 * (model[part] + mass[part]) / mass[part];
    }
#undef PART
}

static int
by_wait(const void *a, const void *b)
{
    const Atom *x = a, *y = b;

    return (x->wait > y->wait) - (x->wait < y->wait);
}

static double
shorth(const Sample *sample, double total)
{
    double shortest = INFINITY, middle = 0, inside = 0;
    size_t end = 0;

    for (size_t begin = 0; begin < sample->n; begin++) {
        while (end < sample->n && inside < .5 * total) {
            inside += sample->atoms[end++].weight;
        }
        if (inside < .5 * total) {
            break;
        }
        double width = sample->atoms[end - 1].wait - sample->atoms[begin].wait;

        if (width < shortest) {
            shortest = width;
            middle = .5 * (sample->atoms[end - 1].wait + sample->atoms[begin].wait);
        }
        inside -= sample->atoms[begin].weight;
    }
    return middle;
}

static void
summarise(Sample *sample, FsnIdleWait *out_wait)
{
    double total = 0, below = 0;
    size_t level = 0;

    qsort(sample->atoms, sample->n, sizeof sample->atoms[0], by_wait);
    for (size_t k = 0; k < sample->n; k++) {
        total += sample->atoms[k].weight;
    }
    for (size_t k = 0; k < sample->n && level < FSN_IDLE_WAIT_LEVELS; k++) {
        below += sample->atoms[k].weight;
        while (level < FSN_IDLE_WAIT_LEVELS &&
               (below >= fsn_idle_wait_levels[level] * total || k + 1 == sample->n)) {
            out_wait->q[level++] = sample->atoms[k].wait;
        }
    }
    out_wait->likely = shorth(sample, total);
}

/* Idle periods like one that began at sample @began and has lasted @elapsed. */
static void
gather_idle(
    const FsnIdleTrack *track, size_t i, size_t began, double elapsed, Sample *sample)
{
    size_t n;
    const FsnIdleCycle *cycles = fsn_idle_track_cycles(track, i, &n);

    for (size_t age = 1; age <= MIN(n, CYCLES_MAX); age++) {
        const FsnIdleCycle *cycle = &cycles[n - age];
        double gap = between(track, cycle->idle_from, cycle->wake);

        if (gap > elapsed) {
            add(sample, gap - elapsed, closeness(track, cycle->idle_from, began, age));
        }
    }
    add_ignorance(sample, elapsed);
}

/* The same for active periods; with the idle period that followed if @through. */
static void
gather_active(const FsnIdleTrack *track, size_t i, bool through, Sample *sample)
{
    size_t n, began = i + 1 - fsn_idle_track_elapsed(track, i);
    const FsnIdleCycle *cycles = fsn_idle_track_cycles(track, i, &n);
    double elapsed = between(track, began, i);

    for (size_t age = 1; age <= MIN(n, CYCLES_MAX); age++) {
        const FsnIdleCycle *cycle = &cycles[n - age];

        if (between(track, cycle->active_from, cycle->idle_from) > elapsed) {
            size_t end = through ? cycle->wake : cycle->idle_from;

            add(sample, between(track, cycle->active_from, end) - elapsed,
                closeness(track, cycle->active_from, began, age));
        }
    }
    add_ignorance(sample, elapsed);
}

void
fsn_idle_wait_wake(const FsnIdleTrack *track,
                   size_t i,
                   double p_short,
                   double p_long,
                   FsnIdleWait *out_wait)
{
    Sample sample;

    sample.n = 0;
    sample.total = 0;
    if (fsn_idle_track_is_active(track, i)) {
        gather_active(track, i, true, &sample);
    } else {
        size_t began = i + 1 - fsn_idle_track_elapsed(track, i);

        gather_idle(track, i, began, between(track, began, i), &sample);
        if (!isnan(p_short) && !isnan(p_long)) {
            reconcile(&sample, p_short, p_long);
        }
    }
    summarise(&sample, out_wait);
}

void
fsn_idle_wait_idle(const FsnIdleTrack *track, size_t i, FsnIdleWait *out_wait)
{
    Sample sample;

    sample.n = 0;
    sample.total = 0;
    gather_active(track, i, false, &sample);
    summarise(&sample, out_wait);
}

void
fsn_idle_wait_length(const FsnIdleTrack *track,
                     size_t i,
                     size_t at,
                     FsnIdleWait *out_wait)
{
    Sample sample;

    sample.n = 0;
    sample.total = 0;
    gather_idle(track, i, at, 0, &sample);
    summarise(&sample, out_wait);
}
