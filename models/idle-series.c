/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From series of any step to the five-minute samples of a track: finer values are
 * averaged; a sample is missing where all of its values are. Only whole samples are made, so
 * that one does not change when more of it becomes known.
 */
#include "models/idle.h"

#include "base/error.h"

#include <math.h>

static bool
check_step(const FsnSeries *series, GError **error)
{
    if (series->step_us > FSN_IDLE_STEP_US || FSN_IDLE_STEP_US % series->step_us != 0) {
        g_set_error(
            error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
            "a value each %" G_GINT64_FORMAT
            " s does not fit: idle times are told from samples of 5 minutes or of "
            "a part of that",
            series->step_us / G_USEC_PER_SEC);
        return false;
    }
    return true;
}

/* The mean of the known values among @n from @from on. */
static double
mean_of(const FsnSeries *series, int64_t from, int64_t n)
{
    double sum = 0;
    int64_t known = 0;

    for (int64_t k = MAX(from, 0); k < from + n && k < (int64_t)series->n; k++) {
        if (!isnan(series->values[k])) {
            sum += series->values[k];
            known++;
        }
    }
    return known > 0 ? sum / (double)known : NAN;
}

FsnIdleTrack *
fsn_idle_track_of_series(
    const FsnSeries *cpu, double threshold, double floor, GTimeZone *zone, GError **error)
{
    if (!check_step(cpu, error)) {
        return NULL;
    }
    int64_t per = FSN_IDLE_STEP_US / cpu->step_us;
    int64_t samples = (int64_t)cpu->n / per;

    if (samples == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "there is no sample of 5 minutes yet");
        return NULL;
    }
    int64_t skipped = MAX(0, samples - FSN_IDLE_SAMPLES_MAX);
    if (isnan(threshold)) {
        threshold = fsn_idle_threshold(cpu->values, cpu->n, floor);
    }
    FsnIdleTrack *track = fsn_idle_track_new(
        fsn_series_time(cpu, (size_t)(skipped * per)), threshold, zone);

    for (int64_t i = skipped; i < samples; i++) {
        (void)fsn_idle_track_push(track, mean_of(cpu, i * per, per)); /* there is room */
    }
    return track;
}

bool
fsn_idle_extra_of_series(const FsnIdleTrack *track,
                         const FsnSeries *series,
                         FsnSeries **out_extra,
                         double **out_means,
                         GError **error)
{
    if (!check_step(series, error)) {
        return false;
    }
    int64_t per = FSN_IDLE_STEP_US / series->step_us;
    int64_t start_us = fsn_idle_track_time(track, 0);
    int64_t off = (start_us - series->start_us) / series->step_us;
    size_t n = fsn_idle_track_count(track);
    FsnSeries *extra = fsn_series_new(start_us, FSN_IDLE_STEP_US, n);
    double *means = g_new(double, MAX(n, 1));
    double sum = 0, known = 0;

    for (size_t i = 0; i < n; i++) {
        extra->values[i] = mean_of(series, off + (int64_t)i * per, per);
        if (!isnan(extra->values[i])) {
            sum += MAX(extra->values[i], 0);
            known++;
        }
        means[i] = known > 0 ? sum / known : 0;
    }
    *out_extra = extra;
    *out_means = means;
    return true;
}
