/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ARIMA errors around a seasonal mean of Fourier terms. The terms are regressed out first;
 * differencing is decided by the KPSS test (Kwiatkowski, Phillips, Schmidt, Shin, J. of
 * Econometrics 54, 1992); each order starts from Hannan and Rissanen's estimate (Biometrika
 * 69, 1982) and is improved by Gauss-Newton steps on the conditional sum of squares (Box and
 * Jenkins 1970); the order is that of the least BIC (search as in Hyndman and Khandakar, J. of
 * Statistical Software 27, 2008, over all orders here, for there are few).
 *
 * No exact likelihood: with hundreds of values it changes nothing that matters here, and a
 * state of a whole day would cost a hundred times as much.
 */
#include "models/arma.h"
#include "models/calendar.h"
#include "models/json-values.h"
#include "models/model.h"
#include "models/numbers.h"

#include <math.h>
#include <string.h>

#define FIT_VALUES 2016
#define KPSS_LIMIT .463 /* 5 %, level stationarity */
#define COLUMNS    (1 + FSN_WAVES)

typedef struct {
    FsnModel model;
    size_t waves;
    double beta[COLUMNS]; /* of the constant and the waves */
    size_t d;
    FsnArma arma;
} Arima;

static double
seasonal_mean(const Arima *arima, const FsnModelData *data, size_t i)
{
    double row[FSN_WAVES];
    double mean = arima->beta[0];

    fsn_waves_row(data, i, arima->waves, row);
    for (size_t j = 0; j < arima->waves; j++) {
        mean += arima->beta[1 + j] * row[j];
    }
    return mean;
}

/* Fits constant and waves to the @n values from @first by least absolute deviations. */
static void
fit_waves(Arima *arima, const FsnModelData *data, size_t first, size_t n)
{
    size_t cols = 1 + arima->waves;
    size_t stride = MAX(n / 700, 1);
    size_t rows = n / stride;
    g_autofree double *x = g_new(double, rows *cols);
    g_autofree double *y = g_new(double, rows);
    FsnRegression system = { .x = x, .y = y, .rows = rows, .cols = cols, .ridge = 1e-3 };

    for (size_t k = 0; k < rows; k++) {
        x[k * cols] = 1;
        fsn_waves_row(data, first + k * stride, arima->waves, x + k * cols + 1);
        y[k] = data->y[first + k * stride];
    }
    fsn_regress_quantile(&system, .5, 5, arima->beta);
}

/* The statistic of KPSS for a constant level, with Bartlett's weights. */
static double
kpss(const double *r, size_t n)
{
    size_t lags = (size_t)(3 * sqrt((double)n) / 13);
    double mean = fsn_mean(r, n);
    double sum = 0;
    double squares = 0;
    double variance = 0;

    for (size_t i = 0; i < n; i++) {
        sum += r[i] - mean;
        squares += sum * sum;
    }
    for (size_t lag = 0; lag <= lags; lag++) {
        double cov = 0;

        for (size_t i = lag; i < n; i++) {
            cov += (r[i] - mean) * (r[i - lag] - mean);
        }
        variance += (lag ? 2 * (1 - (double)lag / (double)(lags + 1)) : 1) * cov;
    }
    variance /= (double)n;
    return variance > 0 ? squares / ((double)n * (double)n * variance) : 0;
}

/* Differences in place, from the end; the first value is lost. */
static void
difference(double *r, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        r[i] = r[i + 1] - r[i];
    }
}

static FsnModel *
fit(const FsnModelData *data)
{
    size_t n = MIN(data->n, FIT_VALUES);
    size_t first = data->n - n;
    g_autofree double *r = NULL;
    Arima *arima;

    if (data->n < 40 || (data->day && data->n < 3 * data->day)) {
        return NULL;
    }
    arima = g_new0(Arima, 1);
    arima->model.class = &fsn_model_arima;
    arima->waves = fsn_waves_count(data);
    fit_waves(arima, data, first, n);
    r = g_new(double, n);
    for (size_t i = 0; i < n; i++) {
        r[i] = data->y[first + i] - seasonal_mean(arima, data, first + i);
    }
    arima->d = kpss(r, n) > KPSS_LIMIT;
    if (arima->d) {
        difference(r, n--);
    }
    fsn_arma_fit(&arima->arma, r, n);
    return &arima->model;
}

static void
forecast(const FsnModel *model,
         const FsnModelData *data,
         size_t horizon,
         double *out_centre)
{
    const Arima *arima = (const Arima *)model;
    size_t n = MIN(data->n, FIT_VALUES);
    size_t first = data->n - n;
    g_autofree double *r = g_new(double, n);
    double level;

    for (size_t i = 0; i < n; i++) {
        r[i] = data->y[first + i] - seasonal_mean(arima, data, first + i);
    }
    level = r[n - 1];
    if (arima->d) {
        difference(r, n--);
    }
    fsn_arma_forecast(&arima->arma, r, n, horizon, out_centre);
    for (size_t h = 0; h < horizon; h++) {
        if (arima->d) {
            level += out_centre[h];
            out_centre[h] = level;
        }
        out_centre[h] += seasonal_mean(arima, data, data->n + h);
    }
}

static void
to_json(const FsnModel *model, JsonObject *object)
{
    const Arima *arima = (const Arima *)model;

    json_object_set_int_member(object, "waves", (int64_t)arima->waves);
    fsn_json_set_numbers(object, "mean", arima->beta, 1 + arima->waves);
    json_object_set_int_member(object, "p", (int64_t)arima->arma.p);
    json_object_set_int_member(object, "d", (int64_t)arima->d);
    json_object_set_int_member(object, "q", (int64_t)arima->arma.q);
    fsn_json_set_numbers(object, "ar", arima->arma.ar, arima->arma.p);
    fsn_json_set_numbers(object, "ma", arima->arma.ma, arima->arma.q);
}

static FsnModel *
from_json(JsonObject *object, GError **error)
{
    g_autofree Arima *arima = g_new0(Arima, 1);
    int64_t waves;
    int64_t p;
    int64_t d;
    int64_t q;

    if (!fsn_json_get_int(object, "waves", 0, FSN_WAVES, &waves, error) ||
        !fsn_json_get_int(object, "p", 0, FSN_ARMA_MAX, &p, error) ||
        !fsn_json_get_int(object, "d", 0, 1, &d, error) ||
        !fsn_json_get_int(object, "q", 0, FSN_ARMA_MAX, &q, error) ||
        !fsn_json_get_numbers(object, "mean", 1 + (size_t)waves, arima->beta, error) ||
        !fsn_json_get_numbers(object, "ar", (size_t)p, arima->arma.ar, error) ||
        !fsn_json_get_numbers(object, "ma", (size_t)q, arima->arma.ma, error)) {
        return NULL;
    }
    arima->model.class = &fsn_model_arima;
    arima->waves = (size_t)waves & ~(size_t)1;
    arima->arma.p = (size_t)p;
    arima->d = (size_t)d;
    arima->arma.q = (size_t)q;
    fsn_arma_make_stable(&arima->arma);
    return &g_steal_pointer(&arima)->model;
}

static char *
explain(const FsnModel *model)
{
    const Arima *arima = (const Arima *)model;

    return g_strdup_printf("order (%zu,%zu,%zu) and %zu waves of day and week",
                           arima->arma.p, arima->d, arima->arma.q, arima->waves / 2);
}

static void
free_arima(FsnModel *model)
{
    g_free(model);
}

const FsnModelClass fsn_model_arima = {
    .name = "arima",
    .summary = "ARIMA of automatic order around waves of day and week",
    .fit = fit,
    .forecast = forecast,
    .to_json = to_json,
    .from_json = from_json,
    .explain = explain,
    .free = free_arima,
};
