/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rolling-origin backtest (Tashman, Out-of-sample tests of forecasting accuracy, Int. J. of
 * Forecasting 16, 2000). Members are fitted once, before the first origin; then each origin
 * sees the values up to it.
 */
#include "models/backtest.h"

#include "models/past.h"

#include <math.h>

#define ORIGINS 40

size_t
fsn_band_of(const FsnModelData *data, size_t step)
{
    static const size_t hours[FSN_BANDS - 1] = { 1, 3, 6, 12, 24 };
    size_t band = 0;

    while (band < FSN_BANDS - 1 && step > hours[band] * data->hour) {
        band++;
    }
    return band;
}

size_t
fsn_backtest_cut(const FsnModelData *data)
{
    size_t test = data->n / 3;

    if (data->day) {
        test = MIN(test, MAX(7 * data->day, MIN(14 * data->day, data->n / 3)));
    }
    return data->n < 8 ? 0 : data->n - test;
}

/* The step between origins: about @wanted of them in @span, none at the same time of day as
 * those before if that can be avoided. */
static size_t
origin_stride(size_t span, size_t wanted)
{
    size_t stride = MAX(span / wanted, 1);

    return stride > 2 && stride % 2 == 0 ? stride + 1 : stride;
}

static FsnBacktest *
new_backtest(const FsnModelData *data, size_t cut)
{
    FsnBacktest *backtest = g_new0(FsnBacktest, 1);
    size_t stride = origin_stride(data->n - cut, ORIGINS);

    backtest->horizon = data->day ? data->day : MIN(data->n - cut, 48);
    if (data->day && data->n >= 12 * data->day) {
        backtest->horizon = 2 * data->day;
    }
    backtest->n_origins = (data->n - 1 - cut) / stride + 1;
    backtest->origins = g_new(size_t, backtest->n_origins);
    /* The last origin is the last value but one. */
    for (size_t k = 0; k < backtest->n_origins; k++) {
        backtest->origins[backtest->n_origins - 1 - k] = data->n - 1 - k * stride;
    }
    return backtest;
}

static double *
new_values(const FsnBacktest *backtest)
{
    return g_new(double, backtest->n_origins * backtest->horizon);
}

/* One member from all origins. */
static void
run_member(FsnBacktest *backtest,
           size_t m,
           const FsnModel *model,
           const FsnModelData *data)
{
    size_t horizon = backtest->horizon;

    backtest->centre[m] = new_values(backtest);
    for (size_t l = 0; model->class->quantiles && l < FSN_FORECAST_LEVELS; l++) {
        backtest->quantile[m][l] = new_values(backtest);
    }
    for (size_t k = 0; k < backtest->n_origins; k++) {
        FsnModelData head = fsn_model_data_head(data, backtest->origins[k]);
        double *levels[FSN_FORECAST_LEVELS];

        /* A season that the model was fitted with must not be lost in the view. */
        model->class->forecast(model, &head, horizon, backtest->centre[m] + k * horizon);
        if (!model->class->quantiles) {
            continue;
        }
        for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
            levels[l] = backtest->quantile[m][l] + k * horizon;
        }
        model->class->quantiles(model, &head, horizon, levels);
    }
}

FsnBacktest *
fsn_backtest_run(const FsnModelData *data,
                 const double *raw,
                 size_t cut,
                 const bool *used)
{
    FsnBacktest *backtest = new_backtest(data, cut);
    FsnModelData all = *data;
    g_autoptr(FsnPast) past = fsn_past_attach(&all);
    FsnModelData head = fsn_model_data_head(&all, cut);

    backtest->actual = new_values(backtest);
    for (size_t k = 0; k < backtest->n_origins; k++) {
        for (size_t h = 0; h < backtest->horizon; h++) {
            size_t at = backtest->origins[k] + h;

            backtest->actual[k * backtest->horizon + h] = at < data->n ? raw[at] : NAN;
        }
    }
    for (size_t m = 0; fsn_model_classes[m]; m++) {
        g_autoptr(FsnModel) model = used[m] ? fsn_model_classes[m]->fit(&head) : NULL;

        if (model) {
            run_member(backtest, m, model, &all);
        }
    }
    return backtest;
}

void
fsn_backtest_free(FsnBacktest *backtest)
{
    if (!backtest) {
        return;
    }
    g_free(backtest->origins);
    g_free(backtest->actual);
    for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
        g_free(backtest->centre[m]);
        for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
            g_free(backtest->quantile[m][l]);
        }
    }
    g_free(backtest);
}
