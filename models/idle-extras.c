/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VM's model knows beside its CPU: other series, of which the present value and the
 * largest of the last hour are taken relative to the mean so far, and known events, of
 * which the share of the coming 15 and 60 minutes is. Their weights start from nothing, so
 * that they count only where the VM's own past bears them out.
 */
#include "models/idle-private.h"

#include <math.h>
#include <string.h>

#define HOUR 12

static void
name_columns(FsnIdle *idle, size_t *n, const char *what, const char *name)
{
    static const char *const suffixes[] = { "now", "hour" };

    for (size_t k = 0; k < G_N_ELEMENTS(suffixes); k++) {
        idle->extra_names[(*n)++] = g_strdup_printf("%s.%s.%s", what, suffixes[k], name);
    }
}

void
fsn_idle_name_extras(FsnIdle *idle, const FsnIdleInput *input)
{
    g_auto(GStrv) kinds = input->events ? fsn_events_kinds(input->events) : NULL;
    size_t n = 0;

    for (size_t k = 0; k < FSN_IDLE_EXTRA_COLUMNS; k++) {
        g_clear_pointer(&idle->extra_names[k], g_free);
    }
    for (size_t k = 0; kinds && kinds[k] && k < FSN_IDLE_EXTRAS_MAX; k++) {
        name_columns(idle, &n, "event", kinds[k]);
    }
    for (size_t k = 0; k < input->n_extras; k++) {
        name_columns(idle, &n, "series", input->extra_names[k]);
    }
    for (size_t t = 0; t < FSN_IDLE_TARGETS; t++) {
        for (size_t j = idle->columns - idle->n_extras; j < FSN_LOGISTIC_COLUMNS_MAX;
             j++) {
            idle->targets[t].weights[j] = 0;
        }
    }
    idle->columns = idle->columns - idle->n_extras + n;
    idle->n_extras = n;
}

/* log(1 + value / mean so far), 0 where nothing is known. */
static float
relative(const FsnSeries *series, const double *means, size_t i)
{
    double value = i < series->n ? series->values[i] : NAN;

    return isnan(value) || !(means[i] > 0) ? 0 : (float)log1p(MAX(value, 0) / means[i]);
}

static float
series_value(const FsnIdleInput *input, size_t extra, bool hour, size_t i)
{
    const FsnSeries *series = input->extras[extra];
    const double *means = input->extra_means[extra];
    float most = relative(series, means, i);

    for (size_t back = 1; hour && back < HOUR && back <= i; back++) {
        most = MAX(most, relative(series, means, i - back));
    }
    return most;
}

float
fsn_idle_extra_value(const FsnIdleInput *input, const char *name, size_t i)
{
    const char *end = strchr(name, '.') + 1;
    bool hour = g_str_has_prefix(end, "hour.");
    const char *rest = strchr(end, '.') + 1;

    if (g_str_has_prefix(name, "event.")) {
        int64_t from_us = fsn_idle_track_time(input->track, i + 1);
        size_t ahead = fsn_idle_ahead[hour ? 1 : 0];

        /* Times five: a share spreads about as little as a standardised feature then. */
        return input->events ? 5 * (float)fsn_events_coverage(
                                       input->events, rest, from_us,
                                       from_us + (int64_t)ahead * FSN_IDLE_STEP_US)
                             : 0;
    }
    for (size_t k = 0; k < input->n_extras; k++) {
        if (strcmp(input->extra_names[k], rest) == 0) {
            return series_value(input, k, hour, i);
        }
    }
    return 0;
}
