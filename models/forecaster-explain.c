/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a forecaster has chosen, in words.
 */
#include "models/forecaster-private.h"

#include "models/anomalies.h"

#include <math.h>

/* Weight of member @m over all bands. */
static double
share_of(const FsnForecaster *f, size_t m)
{
    double sum = 0;

    for (size_t b = 0; b < FSN_BANDS; b++) {
        sum += f->weights.centre[b][m] / FSN_BANDS;
    }
    return sum;
}

static void
add_member(const FsnForecaster *f, size_t m, GString *text)
{
    double share = share_of(f, m);

    if (share >= .005) {
        g_autofree char *why = fsn_model_classes[m]->explain(f->members[m]);

        g_string_append_printf(text, "%s %.0f %%: %s\n", fsn_model_classes[m]->name,
                               100 * share, why);
    }
}

static void
add_prior(const FsnForecaster *f, GString *text)
{
    int64_t known_us = (int64_t)f->window->n * f->window->step_us;
    double part = f->prior ? fsn_prior_part(f->y ? known_us : 0, FSN_PRIOR_US) : 0;

    if (part > 0) {
        g_string_append_printf(text, "similar VMs count %.0f %%\n", 100 * part);
    }
}

static void
add_anomalies(const FsnForecaster *f, GString *text)
{
    g_autoptr(GArray) anomalies = fsn_forecaster_anomalies(f);
    size_t outliers = 0;

    for (guint i = 0; i < anomalies->len; i++) {
        const FsnAnomaly *anomaly = &g_array_index(anomalies, FsnAnomaly, i);
        g_autoptr(GDateTime) time =
            g_date_time_new_from_unix_utc(anomaly->start_us / G_USEC_PER_SEC);
        g_autofree char *when = time ? g_date_time_format(time, "%F") : g_strdup("?");

        if (anomaly->kind == FSN_ANOMALY_LEVEL) {
            g_string_append_printf(text, "the level moved from %.4g to %.4g on %s\n",
                                   anomaly->usual, anomaly->value, when);
        }
        outliers += anomaly->kind == FSN_ANOMALY_OUTLIER;
    }
    if (outliers > 0) {
        g_string_append_printf(text, "%zu outlier%s seen\n", outliers,
                               outliers == 1 ? " was" : "s were");
    }
}

char *
fsn_forecaster_explain(const FsnForecaster *f)
{
    GString *text = g_string_new(NULL);
    double error = fsn_forecaster_error(f);

    if (isfinite(error)) {
        g_string_append_printf(text, "backtest error %.0f %%\n", 100 * error);
    } else {
        g_string_append(text, "the history is too short for a backtest\n");
    }
    for (size_t m = 0; fsn_model_classes[m]; m++) {
        if (f->members[m]) {
            add_member(f, m, text);
        }
    }
    add_prior(f, text);
    add_anomalies(f, text);
    g_string_truncate(text, text->len - 1);
    return g_string_free(text, FALSE);
}
