/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Training of the shared network: absolute error of the next day from random origins of random
 * series (what the median is best at), by Adam (Kingma and Ba, ICLR 2015) with clipped gradients (Pascanu,
 * Mikolov, Bengio, ICML 2013). The last part of each series is kept back: the parameters
 * that did best on it are the result, so that training too long does no harm.
 */
#include "models/lstm-private.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

#define SAMPLES   16000
#define BATCH     8
#define RATE      .006
#define CLIP      1.0
#define KEPT_PART 7   /* of the hours of each series the last seventh */
#define KEPT      160 /* origins that are looked at */
#define LOOK      400 /* samples between two looks */
#define FARTHEST  10.0

typedef struct {
    FsnSeries *series; /* borrowed */
    double *y;
    FsnModelData data;
    FsnLstmHours *hours;
    size_t first, kept, end; /* origins to learn from, kept back, and the end of those */
} Pupil;

typedef struct {
    GPtrArray *pupils;
    FsnLstmNet *net;
    GRand *random;
    double *gradient, *mean, *square; /* of Adam */
    size_t rounds;
} School;

static void
pupil_free(gpointer pointer)
{
    Pupil *pupil = pointer;

    fsn_lstm_hours_free(pupil->hours);
    g_free(pupil->y);
    g_free(pupil);
}

/* NULL if the series is too short, or nothing ever happens in it. */
static Pupil *
pupil_new(FsnSeries *series)
{
    Pupil *pupil = g_new0(Pupil, 1);

    pupil->series = series;
    pupil->y = fsn_model_fill(series, -INFINITY, INFINITY);
    if (pupil->y) {
        pupil->data = fsn_model_data(series, pupil->y, series->n);
    }
    if (!pupil->y || pupil->data.day == 0 || pupil->data.n < 5 * pupil->data.day) {
        pupil_free(pupil);
        return NULL;
    }
    pupil->hours = fsn_lstm_hours_new(&pupil->data);
    pupil->first = fsn_lstm_first_origin(pupil->hours);
    pupil->end = pupil->hours->n - pupil->hours->day + 1;
    pupil->kept = pupil->end - (pupil->end - pupil->first) / KEPT_PART;
    if (pupil->hours->off[pupil->hours->n] < 1e-9 || pupil->kept <= pupil->first) {
        pupil_free(pupil);
        return NULL;
    }
    return pupil;
}

/* What comes in hour @t: one of its values, for the spread is that of values. */
static double
target(const Pupil *pupil, size_t t, GRand *random)
{
    size_t hour = pupil->data.hour;
    size_t at = pupil->data.n - (pupil->hours->n - t) * hour;

    return pupil->y[at + (size_t)g_rand_int_range(random, 0, (gint32)hour)];
}

/* The mean loss of one origin; with @gradient the slopes are added to it. */
static double
learn_from(const School *school,
           const Pupil *pupil,
           size_t origin,
           GRand *random,
           double *gradient)
{
    const FsnLstmHours *hours = pupil->hours;
    size_t context = MIN((size_t)FSN_LSTM_CONTEXT, origin - hours->day);
    double scale = fsn_lstm_scale(hours, origin);
    g_autofree double *x = g_new(double, (context + hours->day) * FSN_LSTM_INPUTS);
    g_autofree double *out = g_new(double, hours->day);
    g_autoptr(FsnLstmTrace) trace = fsn_lstm_trace_new(school->net, context + hours->day);
    double loss = 0;

    fsn_lstm_rows(hours, origin, context, scale, x);
    fsn_lstm_net_run(school->net, x, context, trace, out);
    for (size_t h = 0; h < hours->day; h++) {
        double off =
            (target(pupil, origin + h, random) - hours->usual[origin + h]) / scale;

        double error = CLAMP(off, -FARTHEST, FARTHEST) - out[h];

        loss += fabs(error) / (double)hours->day;
        out[h] = (error > 0 ? -1 : 1) / (double)hours->day; /* the slope */
    }
    if (gradient) {
        fsn_lstm_net_back(school->net, x, context, trace, out, gradient);
    }
    return loss;
}

/* A step of Adam along the gradient of a batch. */
static void
descend(School *school, double rate)
{
    size_t n = fsn_lstm_net_size(FSN_LSTM_INPUTS, FSN_LSTM_HIDDEN, 1);
    double *g = school->gradient;
    double norm = 0;

    school->rounds++;
    for (size_t i = 0; i < n; i++) {
        norm += g[i] * g[i];
    }
    double factor = sqrt(norm) > CLIP ? CLIP / sqrt(norm) : 1;
    for (size_t i = 0; i < n; i++) {
        double slope = g[i] * factor;

        school->mean[i] += .1 * (slope - school->mean[i]);
        school->square[i] += .001 * (slope * slope - school->square[i]);
        double mean = school->mean[i] / (1 - pow(.9, (double)school->rounds));
        double square = school->square[i] / (1 - pow(.999, (double)school->rounds));
        school->net->w[i] -= rate * mean / (sqrt(square) + 1e-8);
    }
}

/* The loss on what was kept back, always the same origins. */
static double
loss_kept(const School *school)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    double sum = 0;
    size_t count = 0;

    for (size_t i = 0; i < MAX(KEPT, school->pupils->len); i++) {
        const Pupil *pupil = school->pupils->pdata[i % school->pupils->len];

        if (pupil->kept < pupil->end) {
            size_t origin =
                (size_t)g_rand_int_range(random, (gint32)pupil->kept, (gint32)pupil->end);

            sum += learn_from(school, pupil, origin, random, NULL);
            count++;
        }
    }
    return count ? sum / (double)count : NAN;
}

static double
learn_batch(School *school, double rate)
{
    size_t n = fsn_lstm_net_size(FSN_LSTM_INPUTS, FSN_LSTM_HIDDEN, 1);
    double loss = 0;

    memset(school->gradient, 0, n * sizeof(double));
    for (int i = 0; i < BATCH; i++) {
        const Pupil *pupil =
            school->pupils
                ->pdata[g_rand_int_range(school->random, 0, (gint32)school->pupils->len)];
        size_t origin = (size_t)g_rand_int_range(school->random, (gint32)pupil->first,
                                                 (gint32)pupil->kept);

        loss += learn_from(school, pupil, origin, school->random, school->gradient);
    }
    for (size_t i = 0; i < n; i++) {
        school->gradient[i] /= BATCH;
    }
    descend(school, rate);
    return loss / BATCH;
}

static void
school_run(School *school, size_t samples, FsnLstm *lstm)
{
    size_t n = fsn_lstm_net_size(FSN_LSTM_INPUTS, FSN_LSTM_HIDDEN, 1);
    g_autofree double *best = g_memdup2(school->net->w, n * sizeof(double));
    double recent = 0;

    school->gradient = g_new(double, n);
    school->mean = g_new0(double, n);
    school->square = g_new0(double, n);
    lstm->kept = INFINITY;
    for (size_t done = 0; done < samples; done += BATCH) {
        double rate =
            RATE * (.05 + .475 * (1 + cos(G_PI * (double)done / (double)samples)));

        recent += learn_batch(school, rate) * BATCH / LOOK;
        if ((done + BATCH) % LOOK != 0) {
            continue;
        }
        double kept = loss_kept(school);
        if (!(kept >= lstm->kept)) {
            lstm->kept = kept;
            lstm->trained = recent;
            memcpy(best, school->net->w, n * sizeof(double));
        }
        recent = 0;
    }
    /* As floats, which is how they are stored. */
    for (size_t i = 0; i < n; i++) {
        school->net->w[i] = (double)(float)best[i];
    }
    g_free(school->gradient);
    g_free(school->mean);
    g_free(school->square);
}

FsnLstm *
fsn_lstm_train(const GPtrArray *series, const FsnLstmOptions *options, GError **error)
{
    g_autoptr(GPtrArray) pupils = g_ptr_array_new_with_free_func(pupil_free);
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)options->seed);
    School school = { .pupils = pupils, .random = random };
    size_t samples = options->samples ? options->samples : SAMPLES;
    FsnLstm *lstm;

    for (guint i = 0; i < series->len; i++) {
        Pupil *pupil = pupil_new(series->pdata[i]);

        if (pupil) {
            g_ptr_array_add(pupils, pupil);
        }
    }
    if (pupils->len == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "none of the %u series is long enough to learn from", series->len);
        return NULL;
    }
    lstm = g_new0(FsnLstm, 1);
    lstm->references = 1;
    lstm->until_us = options->until_us;
    lstm->net = school.net =
        fsn_lstm_net_new(FSN_LSTM_INPUTS, FSN_LSTM_HIDDEN, 1, random);
    school_run(&school, MAX(samples / LOOK, 1) * LOOK, lstm);
    return lstm;
}
