/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two that others must beat: the last value stays, and the last day repeats. They have no
 * parameters. Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd
 * edition, 2021, section 5.2.
 */
#include "models/model.h"

static FsnModel *
new_of(const FsnModelClass *class)
{
    FsnModel *model = g_new0(FsnModel, 1);

    model->class = class;
    return model;
}

static FsnModel *
fit_naive(const FsnModelData *data)
{
    return new_of(&fsn_model_naive);
}

static void
forecast_naive(const FsnModel *model,
               const FsnModelData *data,
               size_t horizon,
               double *out_centre)
{
    for (size_t h = 0; h < horizon; h++) {
        out_centre[h] = data->y[data->n - 1];
    }
}

static FsnModel *
fit_seasonal(const FsnModelData *data)
{
    return data->day ? new_of(&fsn_model_seasonal_naive) : NULL;
}

static void
forecast_seasonal(const FsnModel *model,
                  const FsnModelData *data,
                  size_t horizon,
                  double *out_centre)
{
    size_t season = data->day && data->n >= data->day ? data->day : 1;

    for (size_t h = 0; h < horizon; h++) {
        out_centre[h] = data->y[data->n - season + h % season];
    }
}

static void
to_json(const FsnModel *model, JsonObject *object)
{
}

static FsnModel *
naive_from_json(JsonObject *object, GError **error)
{
    return new_of(&fsn_model_naive);
}

static FsnModel *
seasonal_from_json(JsonObject *object, GError **error)
{
    return new_of(&fsn_model_seasonal_naive);
}

static char *
explain_naive(const FsnModel *model)
{
    return g_strdup("the last value stays");
}

static char *
explain_seasonal(const FsnModel *model)
{
    return g_strdup("the last day repeats");
}

static void
free_model(FsnModel *model)
{
    g_free(model);
}

const FsnModelClass fsn_model_naive = {
    .name = "naive",
    .summary = "the last value",
    .fit = fit_naive,
    .forecast = forecast_naive,
    .to_json = to_json,
    .from_json = naive_from_json,
    .explain = explain_naive,
    .free = free_model,
};

const FsnModelClass fsn_model_seasonal_naive = {
    .name = "seasonal-naive",
    .summary = "the value of the day before",
    .fit = fit_seasonal,
    .forecast = forecast_seasonal,
    .to_json = to_json,
    .from_json = seasonal_from_json,
    .explain = explain_seasonal,
    .free = free_model,
};
