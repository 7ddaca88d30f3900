/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model of one VM: two logistic regressions, for activity within 15 and 60 minutes,
 * that begin with what holds for VMs in general and move as far as the VM's own past says;
 * recent days weigh more. Their scores are calibrated on the last quarter of that past
 * with weights from before it (Platt 1999). Waits come from models/idle-wait.h. It never
 * looks at a sample after the one it is asked about.
 */
#include "models/idle-private.h"

#include "models/idle-prior.h"
#include "models/logistic.h"

#include <math.h>
#include <string.h>

/* Chosen by validation inside the training part; see tests/bench/idle-bench.c. */
#define OWN_PRECISION   300. /* of each prior weight, in samples' worth of curvature */
#define HALF_LIFE       (14. * FSN_IDLE_DAY)
#define WINDOW          (42 * FSN_IDLE_DAY)
#define WARM_UP         (7 * FSN_IDLE_DAY)
#define LEAST_SAMPLES   (2 * FSN_IDLE_DAY)
#define THIN            3 /* of the samples after which nothing happened one in three is used */
#define SCALE_PRECISION 30.
#define FEATURE_BOUND   6.F

const size_t fsn_idle_ahead[FSN_IDLE_TARGETS] = { 3, 12 };

FsnIdle *
fsn_idle_new(void)
{
    FsnIdle *idle = g_new0(FsnIdle, 1);

    for (size_t t = 0; t < FSN_IDLE_TARGETS; t++) {
        FsnIdleTarget *target = &idle->targets[t];

        for (size_t j = 0; j < fsn_idle_prior_count; j++) {
            target->weights[j] =
                t == 0 ? fsn_idle_prior[j].w_short : fsn_idle_prior[j].w_long;
        }
        target->scale = 1;
    }
    idle->columns = fsn_idle_prior_count;
    return idle;
}

void
fsn_idle_free(FsnIdle *idle)
{
    if (!idle) {
        return;
    }
    for (size_t k = 0; k < FSN_IDLE_EXTRA_COLUMNS; k++) {
        g_free(idle->extra_names[k]);
    }
    g_free(idle);
}

size_t
fsn_idle_samples(const FsnIdle *idle)
{
    return idle->samples;
}

/* The features of sample @i as the regressions take them: standardised, the intercept, then
 * what this VM has beside. */
static void
fill_row(const FsnIdle *idle, const FsnIdleInput *input, size_t i, float *row)
{
    size_t own = fsn_idle_prior_count - 1;

    fsn_idle_track_features(input->track, i, row);
    for (size_t j = 0; j < own; j++) {
        float standard = (row[j] - fsn_idle_prior[j].mean) / fsn_idle_prior[j].spread;

        row[j] = CLAMP(standard, -FEATURE_BOUND, FEATURE_BOUND);
    }
    row[own] = 1;
    for (size_t j = fsn_idle_prior_count; j < idle->columns; j++) {
        const char *name = idle->extra_names[j - fsn_idle_prior_count];
        float value = fsn_idle_extra_value(input, name, i);

        row[j] = CLAMP(value, -FEATURE_BOUND, FEATURE_BOUND);
    }
}

/* The rows of a fit, in the order of time. */
typedef struct {
    size_t n, columns;
    float *x;
    float *weights;
    uint8_t *labels;
} Rows;

static void
rows_clear(Rows *rows)
{
    g_free(rows->x);
    g_free(rows->weights);
    g_free(rows->labels);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Rows, rows_clear)

static void
gather(const FsnIdle *idle, const FsnIdleInput *input, size_t ahead, Rows *out_rows)
{
    size_t count = fsn_idle_track_count(input->track);
    size_t from = MIN(count > WINDOW ? MAX(WARM_UP, count - WINDOW) : WARM_UP,
                      FSN_IDLE_DAY + count / 4);
    Rows rows = { 0, idle->columns, NULL, NULL, NULL };

    rows.x = g_new(float, (count - from) * rows.columns);
    rows.weights = g_new(float, count - from);
    rows.labels = g_new(uint8_t, count - from);
    for (size_t i = from; i + ahead < count; i++) {
        int label = fsn_idle_track_label(input->track, i, ahead);

        if (fsn_idle_track_is_active(input->track, i) ||
            !fsn_idle_track_is_known(input->track, i) || label < 0 ||
            (label == 0 && i % THIN != 0)) {
            continue;
        }
        fill_row(idle, input, i, rows.x + rows.n * rows.columns);
        rows.weights[rows.n] =
            (float)((label ? 1 : THIN) * exp2(-(double)(count - i) / HALF_LIFE));
        rows.labels[rows.n++] = (uint8_t)label;
    }
    *out_rows = rows;
}

static void
fit_weights(const FsnLogisticData *data, size_t target, double *weights)
{
    double prior[FSN_LOGISTIC_COLUMNS_MAX] = { 0 };
    double precision[FSN_LOGISTIC_COLUMNS_MAX];

    for (size_t j = 0; j < data->columns; j++) {
        bool is_intercept = j == fsn_idle_prior_count - 1;

        if (j < fsn_idle_prior_count) {
            prior[j] = target == 0 ? fsn_idle_prior[j].w_short : fsn_idle_prior[j].w_long;
        }
        precision[j] = is_intercept ? OWN_PRECISION / 10 : OWN_PRECISION;
    }
    fsn_logistic_fit(data, prior, precision, weights);
}

/* What makes probabilities of scores, from rows that the weights have not seen. */
static void
calibrate(const FsnLogisticData *data, FsnIdleTarget *target)
{
    static const double prior[] = { 1, 0 };
    static const double precision[] = { SCALE_PRECISION, SCALE_PRECISION };
    g_autofree float *scores = g_new(float, 2 * MAX(data->rows, 1));
    FsnLogisticData own = { data->rows, 2, scores, data->weights, data->labels };
    double line[] = { 1, 0 };

    for (size_t i = 0; i < data->rows; i++) {
        scores[2 * i] = (float)fsn_logistic_score(
            target->weights, data->x + i * data->columns, data->columns);
        scores[2 * i + 1] = 1;
    }
    fsn_logistic_fit(&own, prior, precision, line);
    target->scale = CLAMP(line[0], .3, 2);
    target->offset = CLAMP(line[1], -2, 2);
}

void
fsn_idle_fit(FsnIdle *idle, const FsnIdleInput *input)
{
    g_return_if_fail(input->n_extras <= FSN_IDLE_EXTRAS_MAX);
    if (fsn_idle_track_count(input->track) < LEAST_SAMPLES) {
        return;
    }
    fsn_idle_name_extras(idle, input);
    for (size_t t = 0; t < FSN_IDLE_TARGETS; t++) {
        FsnIdleTarget *target = &idle->targets[t];
        g_auto(Rows) rows = { 0 };

        gather(idle, input, fsn_idle_ahead[t], &rows);
        size_t before = rows.n - rows.n / 4;
        FsnLogisticData early = { before, rows.columns, rows.x, rows.weights,
                                  rows.labels };
        FsnLogisticData late = { rows.n - before, rows.columns,
                                 rows.x + before * rows.columns, rows.weights + before,
                                 rows.labels + before };
        FsnLogisticData all = { rows.n, rows.columns, rows.x, rows.weights, rows.labels };

        fit_weights(&early, t, target->weights);
        calibrate(&late, target);
        fit_weights(&all, t, target->weights);
    }
    idle->samples = fsn_idle_track_count(input->track);
}

static double
probability(const FsnIdle *idle, size_t t, const float *row)
{
    const FsnIdleTarget *target = &idle->targets[t];
    double score = fsn_logistic_score(target->weights, row, idle->columns);

    return fsn_logistic(target->scale * score + target->offset);
}

/* Of an active VM: it is active for as long as fewer than FSN_IDLE_QUIET samples were quiet. On
 * the edge former cases tell. */
static double
stays_active(const FsnIdleTrack *track, size_t i, size_t ahead)
{
    double again = 1, all = 1.5;

    if (fsn_idle_track_quiet(track, i) + 1 < FSN_IDLE_QUIET) {
        return 1;
    }
    for (size_t k = i > WINDOW ? i - WINDOW : 0; k + ahead < i; k++) {
        if (fsn_idle_track_is_active(track, k) &&
            fsn_idle_track_quiet(track, k) + 1 == FSN_IDLE_QUIET) {
            all++;
            again += fsn_idle_track_label(track, k, ahead) == 1;
        }
    }
    return again / all;
}

/* The clock may be moved between two of them, which leaves them in order. */
static void
to_times(const FsnIdleTrack *track,
         size_t i,
         const FsnIdleWait *wait,
         int64_t *out_us,
         int64_t *out_likely_us)
{
    for (size_t k = 0; k < FSN_IDLE_WAIT_LEVELS; k++) {
        int64_t time_us = fsn_idle_track_ahead(track, i, wait->q[k]);

        out_us[k] = k ? MAX(out_us[k - 1], time_us) : time_us;
    }
    *out_likely_us = fsn_idle_track_ahead(track, i, wait->likely);
}

static void
to_lengths(const FsnIdleWait *wait, int64_t *out_us)
{
    for (size_t k = 0; k < FSN_IDLE_WAIT_LEVELS; k++) {
        out_us[k] = (int64_t)(wait->q[k] * (double)FSN_IDLE_STEP_US);
    }
}

static void
predict_active(const FsnIdleTrack *track, size_t i, FsnIdleForecast *forecast)
{
    FsnIdleWait wait;

    forecast->p15 = stays_active(track, i, fsn_idle_ahead[0]);
    forecast->p60 = MAX(forecast->p15, stays_active(track, i, fsn_idle_ahead[1]));
    fsn_idle_wait_wake(track, i, NAN, NAN, &wait);
    to_times(track, i, &wait, forecast->wake_us, &forecast->wake_likely_us);
    fsn_idle_wait_idle(track, i, &wait);
    to_times(track, i, &wait, forecast->idle_us, &forecast->idle_likely_us);
    fsn_idle_wait_length(track, i, i + (size_t)wait.q[2], &wait);
    to_lengths(&wait, forecast->idle_length_us);
}

static void
predict_idle(const FsnIdle *idle,
             const FsnIdleInput *input,
             size_t i,
             FsnIdleForecast *forecast)
{
    float row[FSN_LOGISTIC_COLUMNS_MAX];
    FsnIdleWait wait;

    fill_row(idle, input, i, row);
    forecast->p15 = probability(idle, 0, row);
    forecast->p60 = MAX(forecast->p15, probability(idle, 1, row));
    fsn_idle_wait_wake(input->track, i, forecast->p15, forecast->p60, &wait);
    to_times(input->track, i, &wait, forecast->wake_us, &forecast->wake_likely_us);
    forecast->idle_likely_us = forecast->since_us;
    for (size_t k = 0; k < FSN_IDLE_WAIT_LEVELS; k++) {
        forecast->idle_us[k] = forecast->since_us;
        forecast->idle_length_us[k] = forecast->wake_us[k] - forecast->since_us;
    }
}

void
fsn_idle_predict(const FsnIdle *idle,
                 const FsnIdleInput *input,
                 size_t i,
                 FsnIdleForecast *out_forecast)
{
    const FsnIdleTrack *track = input->track;
    g_return_if_fail(i < fsn_idle_track_count(track));
    FsnIdleForecast forecast = {
        .active = fsn_idle_track_is_active(track, i),
        .now_us = fsn_idle_track_time(track, i),
        .since_us = fsn_idle_track_time(track, i + 1 - fsn_idle_track_elapsed(track, i)),
    };

    if (forecast.active) {
        predict_active(track, i, &forecast);
    } else {
        predict_idle(idle, input, i, &forecast);
    }
    *out_forecast = forecast;
}
