/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The forecaster: fits the members to a series, learns from a backtest how to combine
 * them, and forecasts. It keeps the last values, from which members compute where the
 * series stands; so an update is new values and nothing else.
 */
#include "models/forecaster-private.h"

#include "base/error.h"
#include "models/anomalies.h"
#include "models/backtest.h"
#include "models/past.h"

#include <math.h>
#include <string.h>

/* A longer time without values is a new series. */
#define UPDATE_GAP_MAX 100000

#define DAY_US (G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC)

/* From the first value that is known, as many as are kept, as floats: what is written to
 * JSON is what was forecast with. */
FsnSeries *
fsn_forecaster_window(const FsnSeries *series)
{
    size_t first = 0;
    size_t most = (size_t)MIN(MAX(FSN_WINDOW_DAYS * DAY_US / series->step_us, 200),
                              FSN_WINDOW_VALUES);

    while (first < series->n && !isfinite(series->values[first])) {
        first++;
    }
    first = MAX(first, series->n > most ? series->n - most : 0);
    FsnSeries *window = fsn_series_new(fsn_series_time(series, first), series->step_us,
                                       series->n - first);
    for (size_t i = 0; i < window->n; i++) {
        float value = (float)series->values[first + i];

        window->values[i] = isfinite(value) ? (double)value : NAN;
    }
    return window;
}

FsnModelData
fsn_forecaster_data(const FsnForecaster *forecaster)
{
    FsnModelData data =
        fsn_model_data(forecaster->window, forecaster->y, forecaster->window->n);

    data.low = forecaster->low;
    data.high = forecaster->high;
    data.seed = forecaster->seed;
    data.events = forecaster->events;
    data.lstm = forecaster->lstm;
    return data;
}

void
fsn_forecaster_refill(FsnForecaster *f)
{
    g_free(f->y);
    f->y = fsn_model_fill(f->window, f->low, f->high);
    if (f->rule && f->y) {
        fsn_outlier_rule_damp(f->rule, f->window, f->y);
    }
}

/* The rule from the first @n values, applied to all. */
static void
damp_by_first(FsnForecaster *f, size_t n)
{
    g_clear_pointer(&f->rule, fsn_outlier_rule_free);
    fsn_forecaster_refill(f);
    FsnModelData data = fsn_forecaster_data(f);
    FsnModelData head = fsn_model_data_head(&data, n);

    f->rule = fsn_outlier_rule_new(&head);
    fsn_outlier_rule_damp(f->rule, f->window, f->y);
}

static bool
choose_members(const FsnForecaster *f,
               const FsnForecasterOptions *options,
               bool *used,
               GError **error)
{
    int only = f->only ? fsn_model_find(f->only) : -1;
    int without = options->without ? fsn_model_find(options->without) : -1;

    if ((f->only && only < 0) || (options->without && without < 0)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "there is no model '%s'",
                    f->only && only < 0 ? f->only : options->without);
        return false;
    }
    for (int m = 0; fsn_model_classes[m]; m++) {
        used[m] = f->only ? m == only : m != without && !fsn_model_classes[m]->off;
    }
    return true;
}

static bool
fit_members(FsnForecaster *f, bool *used, GError **error)
{
    FsnModelData data = fsn_forecaster_data(f);
    g_autoptr(FsnPast) past = fsn_past_attach(&data);
    size_t n = 0;

    for (size_t m = 0; fsn_model_classes[m]; m++) {
        f->members[m] = used[m] ? fsn_model_classes[m]->fit(&data) : NULL;
        used[m] = f->members[m] != NULL;
        n += used[m];
    }
    if (n == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "the model '%s' needs a longer history than %zu values%s",
                    f->only ? f->only : "auto", f->window->n,
                    g_strcmp0(f->only, "lstm") == 0 ? ", and a trained network" : "");
        return false;
    }
    return true;
}

/* Weights from a backtest; false if the history is too short for one. */
static bool
learn_weights(FsnForecaster *f, const bool *used)
{
    FsnModelData data = fsn_forecaster_data(f);
    size_t cut = fsn_backtest_cut(&data);
    g_autoptr(FsnBacktest) backtest = NULL;

    if (cut == 0) {
        return false;
    }
    damp_by_first(f, cut);
    data = fsn_forecaster_data(f);
    backtest = fsn_backtest_run(&data, f->window->values, cut, used);
    fsn_weights_learn(&f->weights, backtest, &data);
    return isfinite(f->weights.mean_error);
}

/* Mean size of the known values. */
static double
mean_level(const FsnSeries *series)
{
    double sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < series->n; i++) {
        if (!isnan(series->values[i])) {
            sum += fabs(series->values[i]);
            n++;
        }
    }
    return n ? sum / (double)n : NAN;
}

FsnForecaster *
fsn_forecaster_fit(const FsnSeries *series,
                   const FsnForecasterOptions *options,
                   GError **error)
{
    g_autoptr(FsnForecaster) f = g_new0(FsnForecaster, 1);
    bool used[FSN_MODELS_MAX] = { false };

    f->low = options->low;
    f->high = options->high;
    f->seed = options->seed;
    f->only = g_strdup(options->model);
    f->lstm = options->lstm ? fsn_lstm_ref(options->lstm) : NULL;
    f->events = options->events ? fsn_events_copy(options->events) : NULL;
    f->window = fsn_forecaster_window(series);
    if (options->prior && options->prior->y) {
        FsnModelData similar = fsn_forecaster_data(options->prior);

        f->prior = fsn_prior_new(&similar);
    }
    if (f->window->n == 0 && !f->prior) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "no value of the series is known");
        return NULL;
    }
    if (!choose_members(f, options, used, error)) {
        return NULL;
    }
    if (f->window->n == 0) {
        f->weights.mean_error = NAN;
        return g_steal_pointer(&f);
    }
    fsn_forecaster_refill(f);
    bool learned = learn_weights(f, used);
    damp_by_first(f, f->window->n);
    if (!fit_members(f, used, error)) {
        return NULL;
    }
    if (!learned) {
        FsnModelData data = fsn_forecaster_data(f);

        fsn_weights_equal(&f->weights, used, &data);
    }
    f->level = mean_level(f->window);
    return g_steal_pointer(&f);
}

void
fsn_forecaster_free(FsnForecaster *forecaster)
{
    if (!forecaster) {
        return;
    }
    for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
        fsn_model_free(forecaster->members[m]);
    }
    fsn_series_free(forecaster->window);
    fsn_outlier_rule_free(forecaster->rule);
    g_free(forecaster->prior);
    fsn_events_free(forecaster->events);
    fsn_lstm_unref(forecaster->lstm);
    g_free(forecaster->y);
    g_free(forecaster->only);
    g_free(forecaster);
}

/* What the members say: centres and quantiles, [m] arrays of @horizon. */
typedef struct {
    double *centre[FSN_MODELS_MAX];
    double *quantile[FSN_MODELS_MAX][FSN_FORECAST_LEVELS];
} Answers;

/* Whether the centre of member @m counts in one of the first @bands. */
static bool
has_weight(const FsnWeights *weights, size_t m, size_t bands)
{
    for (size_t b = 0; b < bands; b++) {
        if (weights->centre[b][m] > 0) {
            return true;
        }
    }
    return false;
}

static void
ask_members(const FsnForecaster *f,
            const FsnModelData *data,
            size_t horizon,
            Answers *out)
{
    size_t bands = fsn_band_of(data, horizon) + 1;

    memset(out, 0, sizeof *out);
    for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
        const FsnModel *model = f->members[m];

        if (!model) {
            continue;
        }
        if (has_weight(&f->weights, m, bands)) {
            out->centre[m] = g_new(double, MAX(horizon, 1));
            model->class->forecast(model, data, horizon, out->centre[m]);
        }
        if (model->class->quantiles) {
            for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
                out->quantile[m][l] = g_new(double, MAX(horizon, 1));
            }
            model->class->quantiles(model, data, horizon, out->quantile[m]);
        }
    }
}

static void
answers_clear(Answers *answers)
{
    for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
        g_free(answers->centre[m]);
        for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
            g_free(answers->quantile[m][l]);
        }
    }
}

/* Parameters from JSON may make any number. */
static double
finite_or(double value, double fallback)
{
    return isfinite(value) ? value : fallback;
}

/* What the members make of the series. */
static void
forecast_own(const FsnForecaster *f, const FsnModelData *data, FsnForecast *forecast)
{
    double last = data->y[data->n - 1];
    FsnModelData with_past = *data;
    g_autoptr(FsnPast) past = fsn_past_attach(&with_past);
    Answers answers;

    ask_members(f, &with_past, forecast->n, &answers);
    for (size_t h = 0; h < forecast->n; h++) {
        size_t band = fsn_band_of(data, h + 1);
        double centre =
            finite_or(fsn_weights_centre(&f->weights, band, answers.centre, h), last);

        forecast->mean[h] = centre;
        for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
            forecast->q[l][h] = finite_or(
                fsn_weights_quantile(&f->weights, band, l, centre, answers.quantile, h),
                centre);
        }
    }
    answers_clear(&answers);
}

/* Mixes what similar VMs do into @forecast, the more the shorter the own history is. */
static void
mix_prior(const FsnForecaster *f, const FsnModelData *own, FsnForecast *forecast)
{
    double factor = fsn_prior_factor(f->prior, own);
    int64_t known_us = (int64_t)f->window->n * f->window->step_us;

    for (size_t h = 0; h < forecast->n; h++) {
        int64_t ahead_us = (int64_t)(h + 1) * forecast->step_us;
        int64_t time_us = forecast->start_us + (int64_t)h * forecast->step_us;
        double part = own ? fsn_prior_part(known_us, ahead_us) : 1;

        if (!(part > 0)) {
            continue;
        }
        for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
            double similar = factor * fsn_prior_quantile(f->prior, l, time_us);
            double mine = own ? forecast->q[l][h] : 0;

            forecast->q[l][h] = finite_or(part * similar + (1 - part) * mine, mine);
        }
        forecast->mean[h] = forecast->q[FSN_Q50][h];
    }
}

FsnForecast *
fsn_forecaster_predict(const FsnForecaster *f, size_t horizon)
{
    g_return_val_if_fail(horizon <= FSN_HORIZON_MAX, NULL);
    FsnForecast *forecast = fsn_forecast_new(fsn_series_time(f->window, f->window->n),
                                             f->window->step_us, horizon);
    FsnModelData data = { 0 };

    if (f->y) {
        data = fsn_forecaster_data(f);
        forecast_own(f, &data, forecast);
    }
    if (f->prior) {
        mix_prior(f, f->y ? &data : NULL, forecast);
    }
    fsn_forecast_tidy(forecast, f->low, f->high);
    return forecast;
}

/* The index in the window's grid of @time_us; -1 if it is not on the grid. */
static int64_t
grid_index(const FsnSeries *window, int64_t time_us)
{
    int64_t off = time_us - window->start_us;

    return off % window->step_us ? -1 : off / window->step_us;
}

bool
fsn_forecaster_update(FsnForecaster *f, const FsnSeries *newer, GError **error)
{
    int64_t first = newer->step_us == f->window->step_us
                        ? grid_index(f->window, newer->start_us)
                        : -1;
    size_t n = f->window->n;

    if (first < 0 || (size_t)first + newer->n < n ||
        (uint64_t)first > n + UPDATE_GAP_MAX) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "the new values do not continue those that the models have seen");
        return false;
    }
    g_autoptr(FsnSeries) longer =
        fsn_series_new(f->window->start_us, f->window->step_us, (size_t)first + newer->n);
    memcpy(longer->values, f->window->values, MIN(n, longer->n) * sizeof(double));
    memcpy(longer->values + first, newer->values, newer->n * sizeof(double));
    g_autoptr(FsnSeries) window = fsn_forecaster_window(longer);
    if (window->n == 0) {
        f->window->start_us = window->start_us; /* still only the prior */
        return true;
    }
    fsn_series_free(f->window);
    f->window = g_steal_pointer(&window);
    fsn_forecaster_refill(f);
    FsnModelData data = fsn_forecaster_data(f);
    for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
        if (f->members[m] && f->members[m]->class->update) {
            f->members[m]->class->update(f->members[m], &data);
        }
    }
    return true;
}

double
fsn_forecaster_error(const FsnForecaster *f)
{
    return f->level > 0 ? f->weights.mean_error / f->level
                        : (f->weights.mean_error > 0 ? INFINITY : f->weights.mean_error);
}

GArray *
fsn_forecaster_anomalies(const FsnForecaster *f)
{
    return fsn_anomalies_find(f->window, f->rule);
}
