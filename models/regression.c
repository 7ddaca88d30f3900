/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct robust regression: for each band of horizons, the value is a linear function of the
 * last values, of the same time on the days and weeks before, and of how far the last
 * minutes to days were from what is usual. Fitted by least absolute deviations, which
 * ignores bursts, with coefficients shrunk towards the usual day.
 *
 * Direct instead of iterated forecasts: Marcellino, Stock, Watson, J. of Econometrics 135,
 * 2006. Lags and calendar as features for load: Ziel and Weron, Energy Economics 70, 2018.
 * Beyond a day its own forecasts stand for the days between.
 */
#include "models/regression-features.h"

#include "models/json-values.h"
#include "models/model.h"
#include "models/numbers.h"

#include <math.h>
#include <string.h>

#define BANDS_MAX  8
#define ROWS       720 /* about as many per band */
#define ITERATIONS 8
#define RIDGE      .01

typedef struct {
    FsnModel model;
    size_t n_bands;
    double beta[BANDS_MAX][FSN_FEATURES];
} Regression;

/* The last step of each band; the bands of a day of @day steps. */
static size_t
band_ends(const FsnModelData *data, size_t *out_ends)
{
    size_t hour = data->hour;
    const size_t wanted[] = { 1,        MAX(hour / 3, 1), hour,     3 * hour,
                              8 * hour, 16 * hour,        data->day };
    size_t n = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        if ((n == 0 || wanted[i] > out_ends[n - 1]) && wanted[i] <= data->day) {
            out_ends[n++] = wanted[i];
        }
    }
    return n;
}

/* Rows for horizons @from to @to: origins from the first one that has a past to the last
 * one whose outcome is known. */
static size_t
make_rows(const FsnFeatures *features,
          const FsnModelData *data,
          size_t from,
          size_t to,
          double *x,
          double *y,
          double *w)
{
    size_t first = 2 * data->day;
    size_t rows = 0;

    if (data->n <= first + to) {
        return 0;
    }
    double stride = MAX((double)(data->n - first - from) / ROWS, 1);
    for (size_t k = 0; rows < ROWS; k++) {
        size_t h = from + (k * 7) % (to - from + 1);
        size_t origin = first + (size_t)((double)k * stride);

        if (origin + h > data->n) {
            break;
        }
        double base = fsn_features_row(features, origin, h, x + rows * FSN_FEATURES);
        double age = (double)(data->n - origin) / (double)data->day;

        y[rows] = data->y[origin + h - 1] - base;
        w[rows] = exp(-age / 30);
        rows++;
    }
    return rows;
}

static FsnModel *
fit(const FsnModelData *data)
{
    size_t ends[BANDS_MAX];

    if (data->day == 0 || data->n < 5 * data->day) {
        return NULL;
    }
    g_autoptr(FsnFeatures) features = fsn_features_new(data);
    g_autofree double *x = g_new(double, (gsize)ROWS *FSN_FEATURES);
    g_autofree double *y = g_new(double, ROWS);
    g_autofree double *w = g_new(double, ROWS);
    Regression *regression = g_new0(Regression, 1);

    regression->model.class = &fsn_model_regression;
    regression->n_bands = band_ends(data, ends);
    for (size_t b = 0; b < regression->n_bands; b++) {
        FsnRegression system = {
            .x = x,
            .y = y,
            .weights = w,
            .cols = FSN_FEATURES,
            .ridge = RIDGE * (1 + 200 * pow((double)data->n / (double)data->day, -2)),
        };

        system.rows =
            make_rows(features, data, b ? ends[b - 1] + 1 : 1, ends[b], x, y, w);
        if (system.rows > FSN_FEATURES) {
            fsn_regress_quantile(&system, .5, ITERATIONS, regression->beta[b]);
        }
    }
    return &regression->model;
}

/* One day at most, from the end of @data. */
static void
forecast_day(const Regression *regression,
             const FsnModelData *data,
             size_t horizon,
             double *out)
{
    g_autoptr(FsnFeatures) features = fsn_features_new(data);
    double row[FSN_FEATURES];
    size_t ends[BANDS_MAX];
    size_t n_bands = MIN(band_ends(data, ends), regression->n_bands);
    size_t b = 0;

    for (size_t h = 1; h <= horizon; h++) {
        double value = fsn_features_row(features, data->n, h, row);

        while (b + 1 < n_bands && h > ends[b]) {
            b++;
        }
        for (size_t j = 0; j < FSN_FEATURES; j++) {
            value += row[j] * regression->beta[b][j];
        }
        out[h - 1] = CLAMP(value, features->least, features->most);
    }
}

static void
forecast(const FsnModel *model,
         const FsnModelData *data,
         size_t horizon,
         double *out_centre)
{
    const Regression *regression = (const Regression *)model;
    g_autofree double *y = NULL;
    g_autoptr(FsnPast) past = NULL;
    FsnModelData longer = *data;

    if (data->day == 0) {
        for (size_t h = 0; h < horizon; h++) {
            out_centre[h] = data->y[data->n - 1];
        }
        return;
    }
    if (horizon > data->day) {
        y = g_new(double, data->n + horizon);
        memcpy(y, data->y, data->n * sizeof(double));
        longer.y = y;
        past = data->past ? fsn_past_copy(data->past, data->n, data->n + horizon) : NULL;
        longer.past = past;
    }
    for (size_t done = 0; done < horizon; done += data->day) {
        size_t some = MIN(data->day, horizon - done);

        forecast_day(regression, &longer, some, out_centre + done);
        if (y) {
            memcpy(y + longer.n, out_centre + done, some * sizeof(double));
            longer.n += some;
            if (past) {
                fsn_past_extend(past, &longer);
            }
        }
    }
}

static void
to_json(const FsnModel *model, JsonObject *object)
{
    const Regression *regression = (const Regression *)model;

    json_object_set_int_member(object, "bands", (int64_t)regression->n_bands);
    fsn_json_set_numbers(object, "coefficients", regression->beta[0],
                         regression->n_bands * FSN_FEATURES);
}

static FsnModel *
from_json(JsonObject *object, GError **error)
{
    g_autofree Regression *regression = g_new0(Regression, 1);
    int64_t bands;

    if (!fsn_json_get_int(object, "bands", 1, BANDS_MAX, &bands, error) ||
        !fsn_json_get_numbers(object, "coefficients", (size_t)bands * FSN_FEATURES,
                              regression->beta[0], error)) {
        return NULL;
    }
    regression->model.class = &fsn_model_regression;
    regression->n_bands = (size_t)bands;
    return &g_steal_pointer(&regression)->model;
}

static char *
explain(const FsnModel *model)
{
    const Regression *regression = (const Regression *)model;

    return g_strdup_printf("least absolute deviations on %d features in %zu bands",
                           FSN_FEATURES, regression->n_bands);
}

static void
free_regression(FsnModel *model)
{
    g_free(model);
}

const FsnModelClass fsn_model_regression = {
    .name = "regression",
    .summary = "robust regression on the last values and the days before",
    .fit = fit,
    .forecast = forecast,
    .to_json = to_json,
    .from_json = from_json,
    .explain = explain,
    .free = free_regression,
};
