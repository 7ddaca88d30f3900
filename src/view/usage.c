/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a domain has used, and what it is expected to: the history, and the forecasters that are
 * kept beside it. Nothing is fitted here, for that takes seconds: who samples does it.
 */
#include "config.h"

#include "view/view-private.h"

#include "base/error.h"
#include "history/models-store.h"

#include <math.h>

#define HOUR_US ((int64_t)3600 * G_USEC_PER_SEC)
#define DAY_US  (24 * HOUR_US)

/* The last known value of the last hour. */
static double
latest(FsnHistory *history, const char *uuid, const char *metric, int64_t now_us)
{
    g_autoptr(FsnSeries) series =
        fsn_history_series(history, uuid, metric, now_us - HOUR_US, now_us,
                           FSN_HISTORY_FINE_US, FSN_HISTORY_MEAN, NULL);

    for (size_t i = series ? series->n : 0; i > 0; i--) {
        if (!isnan(series->values[i - 1])) {
            return series->values[i - 1];
        }
    }
    return NAN;
}

void
fsn_view_usage(FsnHistory *history, FsnViewDomain *domain, int64_t now_us)
{
    int64_t to_us = now_us / FSN_VIEW_STEP_US * FSN_VIEW_STEP_US + FSN_VIEW_STEP_US;
    g_autoptr(FsnSeries) series = fsn_history_series(
        history, domain->uuid, "cpu", to_us - FSN_VIEW_STEPS * FSN_VIEW_STEP_US, to_us,
        FSN_VIEW_STEP_US, FSN_HISTORY_MEAN, NULL);

    domain->sampled_us = 0;
    for (size_t i = 0; i < FSN_VIEW_STEPS; i++) {
        domain->cpu[i] = series && i < series->n ? series->values[i] : NAN;
        if (!isnan(domain->cpu[i])) {
            domain->sampled_us = MIN(fsn_series_time(series, i + 1), now_us);
        }
    }
    domain->cpu_now = latest(history, domain->uuid, "cpu", now_us);
    domain->memory_now = latest(history, domain->uuid, "memory.used", now_us);
}

/* The one that is kept of @metric, or of its 95th percentile. */
static FsnForecaster *
load_kept(const char *history,
          const char *uuid,
          const char *metric,
          int64_t *out_fitted_us,
          FsnHistoryStat *out_stat,
          GError **error)
{
    g_autofree char *p95 = g_strconcat(metric, ".p95", NULL);
    g_autoptr(GError) local = NULL;
    FsnForecaster *kept = fsn_models_load(history, uuid, metric, out_fitted_us, &local);

    *out_stat = FSN_HISTORY_MEAN;
    if (!kept) {
        kept = fsn_models_load(history, uuid, p95, out_fitted_us, error);
        *out_stat = FSN_HISTORY_P95;
    }
    return kept;
}

/* Lets it know what came since. That this fails makes the forecast older, not wrong. */
static void
bring_up_to_date(FsnForecaster *kept,
                 FsnForecast *last,
                 const char *history_path,
                 const char *uuid,
                 const char *metric,
                 FsnHistoryStat stat,
                 int64_t now_us)
{
    g_autoptr(FsnHistory) history =
        fsn_history_open(history_path, FSN_HISTORY_READ_ONLY, NULL);
    g_autoptr(FsnSeries) series = NULL;
    int64_t to_us = now_us / last->step_us * last->step_us;
    size_t n;

    if (!history || to_us <= last->start_us) {
        return;
    }
    series = fsn_history_series(history, uuid, metric, last->start_us, to_us,
                                last->step_us, stat, NULL);
    for (n = series ? series->n : 0; n > 0 && isnan(series->values[n - 1]); n--) {
        continue;
    }
    if (n > 0) {
        g_autoptr(FsnSeries) known = fsn_series_head(series, n);

        (void)!fsn_forecaster_update(kept, known, NULL);
    }
}

/* Only what is to come, for what it is from may end long ago. */
static FsnForecast *
from_now(const FsnForecast *whole, int64_t now_us)
{
    size_t late = now_us > whole->start_us
                      ? (size_t)((now_us - whole->start_us) / whole->step_us)
                      : 0;
    FsnForecast *rest;

    late = MIN(late, whole->n);
    rest = fsn_forecast_new(whole->start_us + (int64_t)late * whole->step_us,
                            whole->step_us, whole->n - late);
    for (size_t i = 0; i < rest->n; i++) {
        rest->mean[i] = whole->mean[late + i];
        for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
            rest->q[l][i] = whole->q[l][late + i];
        }
    }
    return rest;
}

FsnForecast *
fsn_view_forecast(const char *history,
                  const char *uuid,
                  const char *metric,
                  int64_t horizon_us,
                  int64_t now_us,
                  int64_t *out_fitted_us,
                  char **out_explanation,
                  GError **error)
{
    FsnHistoryStat stat;
    g_autoptr(FsnForecaster) kept =
        load_kept(history, uuid, metric, out_fitted_us, &stat, error);
    g_autoptr(FsnForecast) first = kept ? fsn_forecaster_predict(kept, 1) : NULL;
    g_autoptr(FsnForecast) next = NULL;
    g_autoptr(FsnForecast) whole = NULL;
    int64_t steps;

    if (!kept) {
        return NULL;
    }
    bring_up_to_date(kept, first, history, uuid, metric, stat, now_us);
    next = fsn_forecaster_predict(kept, 1);
    steps = (now_us + horizon_us - next->start_us) / next->step_us + 1;
    if (steps <= 0 || steps > FSN_HORIZON_MAX) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "what is kept of '%s' is too old to foretell by", metric);
        return NULL;
    }
    whole = fsn_forecaster_predict(kept, (size_t)steps);
    if (out_explanation) {
        *out_explanation = fsn_forecaster_explain(kept);
    }
    return from_now(whole, now_us);
}

/* The hours of the forecast, each the mean of its steps, and the highest of their 95 %. */
static void
by_hours(FsnViewDomain *domain, const FsnForecast *forecast)
{
    double n[FSN_VIEW_HOURS] = { 0 };

    for (size_t i = 0; i < forecast->n; i++) {
        int64_t hour = ((int64_t)i * forecast->step_us) / HOUR_US;

        if (hour >= FSN_VIEW_HOURS) {
            break;
        }
        domain->mean[hour] =
            n[hour] == 0 ? forecast->mean[i] : domain->mean[hour] + forecast->mean[i];
        domain->high[hour] = n[hour] == 0
                                 ? forecast->q[FSN_Q95][i]
                                 : fmax(domain->high[hour], forecast->q[FSN_Q95][i]);
        n[hour]++;
    }
    for (size_t h = 0; h < FSN_VIEW_HOURS; h++) {
        domain->mean[h] = n[h] > 0 ? domain->mean[h] / n[h] : NAN;
        domain->high[h] = n[h] > 0 ? domain->high[h] : NAN;
    }
}

void
fsn_view_foretell(const char *history_path, FsnViewDomain *domain, int64_t now_us)
{
    g_autoptr(FsnForecast) forecast =
        fsn_view_forecast(history_path, domain->uuid, "cpu", DAY_US, now_us,
                          &domain->fitted_us, NULL, NULL);

    if (!forecast || forecast->n == 0) {
        domain->fitted_us = 0;
        return;
    }
    domain->forecast_us = forecast->start_us;
    by_hours(domain, forecast);
}
