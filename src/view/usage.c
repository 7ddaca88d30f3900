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

#define HOUR_US  ((int64_t)3600 * G_USEC_PER_SEC)
#define DAY_US   (24 * HOUR_US)
/* What was fitted so long ago gives way to what was fitted later. */
#define OLD_US   (14 * DAY_US)
/* What one that is made anew learns from. */
#define LEARN_US (28 * DAY_US)

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

static FsnForecaster *
load_named(const char *history,
           const char *uuid,
           const char *metric,
           const char *suffix,
           int64_t *out_fitted_us,
           GError **error)
{
    g_autofree char *name = g_strconcat(metric, suffix, NULL);

    return fsn_models_load(history, uuid, name, out_fitted_us, error);
}

/* The one that is kept of @metric, or of its 95th percentile where that of the means is old at
 * @now_us: sizes are chosen by the one, and people ask for the other. */
static FsnForecaster *
load_kept(const char *history,
          const char *uuid,
          const char *metric,
          int64_t now_us,
          int64_t *out_fitted_us,
          FsnHistoryStat *out_stat,
          GError **error)
{
    int64_t mean_us = 0, p95_us = 0;
    g_autoptr(FsnForecaster) mean =
        load_named(history, uuid, metric, ".mean", &mean_us, NULL);
    g_autoptr(FsnForecaster) p95 = NULL;

    if (!mean || mean_us < now_us - OLD_US) {
        p95 = load_named(history, uuid, metric, ".p95", &p95_us, mean ? NULL : error);
    }
    if (mean && p95_us <= mean_us) {
        *out_fitted_us = mean_us;
        *out_stat = FSN_HISTORY_MEAN;
        return g_steal_pointer(&mean);
    }
    if (p95) {
        *out_fitted_us = p95_us;
        *out_stat = FSN_HISTORY_P95;
    }
    return g_steal_pointer(&p95);
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

/* The @horizon_us from @now_us on. */
static FsnForecast *
foretell(const FsnForecaster *forecaster,
         const char *metric,
         int64_t now_us,
         int64_t horizon_us,
         GError **error)
{
    g_autoptr(FsnForecast) next = fsn_forecaster_predict(forecaster, 1);
    g_autoptr(FsnForecast) whole = NULL;
    int64_t steps = (now_us + horizon_us - next->start_us) / next->step_us + 1;

    if (steps <= 0 || steps > FSN_HORIZON_MAX) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "what is kept of '%s' is too old to foretell by", metric);
        return NULL;
    }
    whole = fsn_forecaster_predict(forecaster, (size_t)steps);
    return from_now(whole, now_us);
}

FsnForecast *
fsn_view_forecast(const char *history,
                  const char *uuid,
                  const char *metric,
                  int64_t horizon_us,
                  int64_t now_us,
                  int64_t *out_fitted_us,
                  bool *out_p95,
                  char **out_explanation,
                  GError **error)
{
    FsnHistoryStat stat;
    g_autoptr(FsnForecaster) kept =
        load_kept(history, uuid, metric, now_us, out_fitted_us, &stat, error);
    g_autoptr(FsnForecast) first = kept ? fsn_forecaster_predict(kept, 1) : NULL;
    FsnForecast *forecast;

    if (!kept) {
        return NULL;
    }
    bring_up_to_date(kept, first, history, uuid, metric, stat, now_us);
    forecast = foretell(kept, metric, now_us, horizon_us, error);
    if (forecast && out_explanation) {
        *out_explanation = fsn_forecaster_explain(kept);
    }
    *out_p95 = stat == FSN_HISTORY_P95;
    return forecast;
}

/* From what was known at @at_us and nothing else. */
static FsnForecaster *
fit_then(
    const char *path, const char *uuid, const char *metric, int64_t at_us, GError **error)
{
    g_autoptr(FsnHistory) history = fsn_history_open(path, FSN_HISTORY_READ_ONLY, error);
    FsnForecasterOptions how = FSN_FORECASTER_OPTIONS_INIT;
    g_autoptr(FsnSeries) whole = NULL;
    g_autoptr(FsnSeries) known = NULL;

    at_us = at_us / FSN_HISTORY_FINE_US * FSN_HISTORY_FINE_US;
    whole = history ? fsn_history_series(history, uuid, metric, at_us - LEARN_US, at_us,
                                         FSN_HISTORY_FINE_US, FSN_HISTORY_MEAN, error)
                    : NULL;
    if (!whole) {
        return NULL;
    }
    known = fsn_series_without_lead(whole);
    if (known->n < (size_t)(DAY_US / FSN_HISTORY_FINE_US)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "less than a day was known of '%s' then", metric);
        return NULL;
    }
    how.low = 0; /* no metric is ever below */
    return fsn_forecaster_fit(known, &how, error);
}

FsnForecast *
fsn_view_forecast_then(const char *history,
                       const char *uuid,
                       const char *metric,
                       int64_t horizon_us,
                       int64_t at_us,
                       bool *out_p95,
                       GError **error)
{
    FsnHistoryStat stat = FSN_HISTORY_MEAN;
    int64_t fitted_us = 0;
    g_autoptr(FsnForecaster) forecaster =
        load_kept(history, uuid, metric, at_us, &fitted_us, &stat, NULL);

    /* One that was fitted later knows too much. */
    if (forecaster && fitted_us > at_us) {
        g_clear_pointer(&forecaster, fsn_forecaster_free);
    }
    if (forecaster) {
        g_autoptr(FsnForecast) first = fsn_forecaster_predict(forecaster, 1);

        bring_up_to_date(forecaster, first, history, uuid, metric, stat, at_us);
    } else {
        stat = FSN_HISTORY_MEAN;
        forecaster = fit_then(history, uuid, metric, at_us, error);
    }
    *out_p95 = stat == FSN_HISTORY_P95;
    return forecaster ? foretell(forecaster, metric, at_us, horizon_us, error) : NULL;
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
    bool p95;
    g_autoptr(FsnForecast) forecast =
        fsn_view_forecast(history_path, domain->uuid, "cpu", DAY_US, now_us,
                          &domain->fitted_us, &p95, NULL, NULL);

    if (!forecast || forecast->n == 0) {
        domain->fitted_us = 0;
        return;
    }
    domain->forecast_us = forecast->start_us;
    by_hours(domain, forecast);
}
