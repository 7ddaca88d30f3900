/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linear quantile regression for each level by itself (Koenker and Bassett, Econometrica 46,
 * 1978): how high a value may get depends on how high it got at this time on the days before,
 * on the extremes of the last day, and on how restless the last hours were. What an ensemble
 * of centres with the spread of its past errors cannot see.
 */
#include "models/json-values.h"
#include "models/model.h"
#include "models/numbers.h"
#include "models/regression-features.h"

#include <math.h>
#include <string.h>

#define COLUMNS    12
#define BANDS      3 /* up to an hour, six, a day */
#define ROWS       480
#define ITERATIONS 10
#define RIDGE_TAIL .02

typedef struct {
    FsnModel model;
    double beta[FSN_FORECAST_LEVELS][BANDS][COLUMNS];
} Tails;

/* Mean around @target, of what is known at @origin. */
static double
around(const double *values, size_t target, size_t half, size_t end)
{
    size_t from = target > half ? target - half : 0;
    size_t to = MIN(target + half + 1, end);

    return fsn_mean(values + from, to - from);
}

static double
mean_last(const double *sums, size_t origin, size_t count)
{
    size_t from = origin - MIN(count, origin);

    return (sums[origin] - sums[from]) / (double)(origin - from);
}

/* Highest or lowest value of the last day. */
static double
extreme(const FsnModelData *data, size_t origin, bool highest)
{
    double value = data->y[origin - 1];

    for (size_t i = origin - MIN(data->day, origin); i < origin; i++) {
        value = highest ? MAX(value, data->y[i]) : MIN(value, data->y[i]);
    }
    return value;
}

/* The row for value @h after @origin values; @upper for levels above the median. @edge is
 * the extreme of the day before @origin. Returns the base. */
static double
make_row(
    const FsnFeatures *f, size_t origin, size_t h, bool upper, double edge, double *x)
{
    const FsnModelData *data = f->data;
    const FsnPast *past = f->past;
    size_t target = origin + h - 1;
    size_t half = MAX(data->hour, 2);
    size_t end = origin + data->day;
    double base = around(past->usual, target, half, end);
    double last = data->y[origin - 1];
    size_t i = 0;

    x[i++] = f->size;
    x[i++] = around(upper ? past->high : past->low, target, half, end) - base;
    x[i++] = edge - base;
    x[i++] = mean_last(past->sum_size, origin, 2 * data->hour);
    x[i++] = mean_last(past->sum_size, origin, data->day);
    x[i++] = mean_last(past->sum_size, origin, 7 * data->day);
    x[i++] = around(fsn_features_weekly(f), target, half, end) - base;
    x[i++] = past->usual[target] - base;
    x[i++] = last - base;
    x[i++] = mean_last(past->sum_off, origin, MAX(data->hour, 2));
    x[i++] = mean_last(past->sum, origin, data->day) - base;
    x[i++] = mean_last(past->sum, origin, 7 * data->day) - base;
    g_assert(i == COLUMNS);
    return base;
}

static size_t
band_end(const FsnModelData *data, size_t band)
{
    const size_t ends[BANDS] = { data->hour, 6 * data->hour, data->day };

    return MIN(ends[band], data->day);
}

/* Rows of one band: as many origins as fit between the first with a past and the end. */
static size_t
make_rows(const FsnFeatures *features, size_t band, bool upper, double *x, double *y)
{
    const FsnModelData *data = features->data;
    size_t from = band ? band_end(data, band - 1) + 1 : 1;
    size_t to = band_end(data, band);
    size_t first = 2 * data->day;
    size_t rows = 0;

    if (data->n <= first + to) {
        return 0;
    }
    double stride = MAX((double)(data->n - first - from) / ROWS, 1);
    for (size_t k = 0; rows < ROWS; k++) {
        size_t h = from + k * 7 % (to - from + 1);
        size_t origin = first + (size_t)((double)k * stride);

        if (origin + h > data->n) {
            break;
        }
        double base = make_row(features, origin, h, upper, extreme(data, origin, upper),
                               x + rows * COLUMNS);
        y[rows++] = data->y[origin + h - 1] - base;
    }
    return rows;
}

static FsnModel *
fit(const FsnModelData *data)
{
    Tails *tails;

    if (data->day == 0 || data->n < 7 * data->day) {
        return NULL;
    }
    g_autoptr(FsnFeatures) features = fsn_features_new(data);
    g_autofree double *x = g_new(double, (gsize)ROWS *COLUMNS);
    g_autofree double *y = g_new(double, ROWS);
    FsnRegression system = { .x = x, .y = y, .cols = COLUMNS, .ridge = RIDGE_TAIL };
    tails = g_new0(Tails, 1);
    tails->model.class = &fsn_model_tails;
    for (size_t band = 0; band < BANDS; band++) {
        for (int upper = 0; upper < 2; upper++) {
            system.rows = make_rows(features, band, upper, x, y);
            for (size_t l = upper ? FSN_Q50 : 0;
                 l < (upper ? FSN_FORECAST_LEVELS : FSN_Q50); l++) {
                fsn_regress_quantile(&system, fsn_forecast_levels[l], ITERATIONS,
                                     tails->beta[l][band]);
            }
        }
    }
    return &tails->model;
}

/* Up to a day from the end, at the first level to the last. Beyond a day the same time of the
 * first day stands for it. */
static void
forecast_levels(const Tails *tails,
                const FsnModelData *data,
                size_t horizon,
                size_t first,
                size_t last,
                double *const *out)
{
    g_autoptr(FsnFeatures) features = fsn_features_new(data);
    double edges[2] = { extreme(data, data->n, false), extreme(data, data->n, true) };
    double x[2][COLUMNS];
    double base[2];
    size_t band = 0;

    for (size_t h = 1; h <= MIN(horizon, data->day); h++) {
        while (band + 1 < BANDS && h > band_end(data, band)) {
            band++;
        }
        for (size_t upper = first < FSN_Q50 ? 0 : 1; upper < 2; upper++) {
            base[upper] = make_row(features, data->n, h, upper, edges[upper], x[upper]);
        }
        for (size_t l = first; l <= last; l++) {
            bool upper = l >= FSN_Q50;
            double value = base[upper];

            for (size_t j = 0; j < COLUMNS; j++) {
                value += x[upper][j] * tails->beta[l][band][j];
            }
            out[l][h - 1] = CLAMP(value, features->least, features->most);
        }
    }
    for (size_t l = first; l <= last; l++) {
        for (size_t h = data->day; h < horizon; h++) {
            out[l][h] = out[l][h - data->day];
        }
    }
}

static void
quantiles(const FsnModel *model,
          const FsnModelData *data,
          size_t horizon,
          double *const *out_quantiles)
{
    if (data->day) {
        forecast_levels((const Tails *)model, data, horizon, 0, FSN_FORECAST_LEVELS - 1,
                        out_quantiles);
        return;
    }
    for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
        for (size_t h = 0; h < horizon; h++) {
            out_quantiles[l][h] = data->y[data->n - 1];
        }
    }
}

static void
forecast(const FsnModel *model,
         const FsnModelData *data,
         size_t horizon,
         double *out_centre)
{
    double *levels[FSN_FORECAST_LEVELS] = { [FSN_Q50] = out_centre };

    if (data->day) {
        forecast_levels((const Tails *)model, data, horizon, FSN_Q50, FSN_Q50, levels);
        return;
    }
    for (size_t h = 0; h < horizon; h++) {
        out_centre[h] = data->y[data->n - 1];
    }
}

static void
to_json(const FsnModel *model, JsonObject *object)
{
    const Tails *tails = (const Tails *)model;

    fsn_json_set_numbers(object, "coefficients", tails->beta[0][0],
                         (size_t)FSN_FORECAST_LEVELS * BANDS * COLUMNS);
}

static FsnModel *
from_json(JsonObject *object, GError **error)
{
    g_autofree Tails *tails = g_new0(Tails, 1);

    if (!fsn_json_get_numbers(object, "coefficients",
                              (size_t)FSN_FORECAST_LEVELS * BANDS * COLUMNS,
                              tails->beta[0][0], error)) {
        return NULL;
    }
    tails->model.class = &fsn_model_tails;
    return &g_steal_pointer(&tails)->model;
}

static char *
explain(const FsnModel *model)
{
    return g_strdup("each quantile from the extremes and the unrest of the last days");
}

static void
free_tails(FsnModel *model)
{
    g_free(model);
}

const FsnModelClass fsn_model_tails = {
    .name = "tails",
    .summary = "quantile regression on extremes and unrest",
    .fit = fit,
    .forecast = forecast,
    .quantiles = quantiles,
    .to_json = to_json,
    .from_json = from_json,
    .explain = explain,
    .free = free_tails,
};
