/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Theta method: the mean of a linear trend and of simple exponential smoothing of the
 * line with twice the curvature. Assimakopoulos and Nikolopoulos, Int. J. of Forecasting 16,
 * 2000; season removed by classical decomposition if its autocorrelation is significant, as
 * in the benchmarks of the M4 competition (Makridakis, Spiliotis, Assimakopoulos, Int. J. of
 * Forecasting 36, 2020): multiplicative where all values are positive, else additive.
 *
 * All of it is computed from the data; only the smoothing parameter is learned.
 */
#include "models/model.h"

#include "models/json-values.h"
#include "models/numbers.h"

#include <math.h>
#include <string.h>

#define ALPHA_MIN 1e-4
#define ALPHA_MAX .9999
#define DAYS_MAX  14 /* that are looked at, or 1024 values */

typedef struct {
    FsnModel model;
    double alpha;
    bool seasonal;
} Theta;

/* The series without its season. */
typedef struct {
    size_t n;
    double *y;      /* [n] seasonally adjusted */
    double *season; /* [period], by index modulo the period */
    size_t period;  /* 1: none */
    bool multiplicative;
} Adjusted;

/* Whether the autocorrelation at the season's lag exceeds its limit for 90 %. */
static bool
is_seasonal(const double *y, size_t n, size_t period)
{
    double mean = fsn_mean(y, n);
    double variance = 0;
    double sum = 1;
    double at_period = 0;

    if (period < 2 || n < 3 * period) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        variance += (y[i] - mean) * (y[i] - mean);
    }
    if (!(variance > 0)) {
        return false;
    }
    for (size_t lag = 1; lag <= period; lag++) {
        double acf = 0;

        for (size_t i = lag; i < n; i++) {
            acf += (y[i] - mean) * (y[i - lag] - mean);
        }
        acf /= variance;
        sum += lag < period ? 2 * acf * acf : 0;
        at_period = acf;
    }
    return fabs(at_period) > 1.645 * sqrt(sum / (double)n);
}

/* Centred moving average over a period at @i, which has half a period on each side; @sums
 * are those of the values before. */
static double
moving_average(const double *y, const double *sums, size_t i, size_t period)
{
    size_t half = period / 2;
    double sum = sums[i + half + 1] - sums[i - half];

    if (period % 2 == 0) {
        sum -= (y[i - half] + y[i + half]) / 2;
    }
    return sum / (double)period;
}

/* Means of what is left of the moving average, for each place in the period. */
static void
find_season(const double *y, size_t n, Adjusted *out)
{
    size_t period = out->period;
    size_t half = period / 2;
    g_autofree double *count = g_new0(double, period);
    g_autofree double *sums = g_new0(double, n + 1);
    double total = 0;

    for (size_t i = 0; i < n; i++) {
        sums[i + 1] = sums[i] + y[i];
    }
    for (size_t i = half; i + half < n; i++) {
        double trend = moving_average(y, sums, i, period);

        out->season[i % period] += out->multiplicative ? y[i] / trend : y[i] - trend;
        count[i % period]++;
    }
    for (size_t p = 0; p < period; p++) {
        out->season[p] /= MAX(count[p], 1);
        total += out->season[p] / (double)period;
    }
    for (size_t p = 0; p < period; p++) {
        out->season[p] =
            out->multiplicative ? out->season[p] / total : out->season[p] - total;
    }
}

static size_t
values_used(const FsnModelData *data)
{
    return MIN(data->n, data->day ? MAX(DAYS_MAX * data->day, 1024) : 2048);
}

static void
adjust(const FsnModelData *data, bool seasonal, Adjusted *out)
{
    size_t n = values_used(data);
    const double *y = data->y + data->n - n;

    *out = (Adjusted){ .n = n, .period = 1, .multiplicative = true };
    if (seasonal && data->day) {
        out->period = data->day;
    }
    for (size_t i = 0; i < n; i++) {
        out->multiplicative = out->multiplicative && y[i] > 0;
    }
    out->season = g_new0(double, out->period);
    if (out->period > 1) {
        find_season(y, n, out);
    } else {
        out->season[0] = out->multiplicative ? 1 : 0;
    }
    out->y = g_new(double, n);
    for (size_t i = 0; i < n; i++) {
        double season = out->season[i % out->period];

        out->y[i] = out->multiplicative ? y[i] / season : y[i] - season;
    }
}

static void
adjusted_clear(Adjusted *adjusted)
{
    g_free(adjusted->y);
    g_free(adjusted->season);
}

/* Least squares: intercept and slope over 1 to n. */
static void
fit_line(const double *y, size_t n, double *out_a, double *out_b)
{
    double middle = ((double)n + 1) / 2;
    double mean = fsn_mean(y, n);
    double xy = 0;
    double xx = 0;

    for (size_t i = 0; i < n; i++) {
        double x = (double)(i + 1) - middle;

        xy += x * (y[i] - mean);
        xx += x * x;
    }
    *out_b = xx > 0 ? xy / xx : 0;
    *out_a = mean - *out_b * middle;
}

/* Simple exponential smoothing of the line with Theta 2. The best start is linear in the
 * errors and so found exactly. Returns the sum of squares, and the last level. */
static double
smooth(const double *y, size_t n, double a, double b, double alpha, double *out_level)
{
    double level = 0;  /* with a start at 0 */
    double effect = 1; /* of the start on the level */
    double se = 0;
    double ss = 0;
    double ee = 0;

    for (size_t i = 0; i < n; i++) {
        double value = 2 * y[i] - (a + b * (double)(i + 1));
        double error = value - level;

        se += error * effect;
        ss += effect * effect;
        ee += error * error;
        level += alpha * error;
        effect *= 1 - alpha;
    }
    *out_level = level + effect * se / ss;
    return ee - se * se / ss;
}

/* By golden sections inside the best of some equal parts, for the sum of squares may have
 * several minima. */
static double
best_alpha(const double *y, size_t n, double a, double b)
{
    double at = ALPHA_MIN;
    double least = INFINITY;
    double level;
    double width = (ALPHA_MAX - ALPHA_MIN) / 24;

    for (int i = 0; i <= 24; i++) {
        double alpha = ALPHA_MIN + i * width;
        double sum = smooth(y, n, a, b, alpha, &level);

        if (sum < least) {
            least = sum;
            at = alpha;
        }
    }
    double low = MAX(at - width, ALPHA_MIN);
    double high = MIN(at + width, ALPHA_MAX);
    for (int i = 0; i < 18; i++) {
        double left = high - .618 * (high - low);
        double right = low + .618 * (high - low);

        if (smooth(y, n, a, b, left, &level) <= smooth(y, n, a, b, right, &level)) {
            high = right;
        } else {
            low = left;
        }
    }
    double middle = (low + high) / 2;
    return smooth(y, n, a, b, middle, &level) < least ? middle : at;
}

static FsnModel *
fit(const FsnModelData *data)
{
    Adjusted adjusted;
    Theta *theta;
    double a;
    double b;

    if (data->n < 6) {
        return NULL;
    }
    theta = g_new0(Theta, 1);
    theta->model.class = &fsn_model_theta;
    theta->seasonal =
        is_seasonal(data->y + data->n - values_used(data), values_used(data), data->day);
    adjust(data, theta->seasonal, &adjusted);
    fit_line(adjusted.y, adjusted.n, &a, &b);
    theta->alpha = best_alpha(adjusted.y, adjusted.n, a, b);
    adjusted_clear(&adjusted);
    return &theta->model;
}

static void
forecast(const FsnModel *model,
         const FsnModelData *data,
         size_t horizon,
         double *out_centre)
{
    const Theta *theta = (const Theta *)model;
    Adjusted adjusted;
    double a;
    double b;
    double level;

    adjust(data, theta->seasonal, &adjusted);
    fit_line(adjusted.y, adjusted.n, &a, &b);
    (void)smooth(adjusted.y, adjusted.n, a, b, theta->alpha, &level);
    for (size_t h = 0; h < horizon; h++) {
        double line = a + b * (double)(adjusted.n + h + 1);
        double season = adjusted.season[(adjusted.n + h) % adjusted.period];
        double value = (line + level) / 2;

        out_centre[h] = adjusted.multiplicative ? value * season : value + season;
    }
    adjusted_clear(&adjusted);
}

static void
to_json(const FsnModel *model, JsonObject *object)
{
    const Theta *theta = (const Theta *)model;

    json_object_set_double_member(object, "alpha", theta->alpha);
    json_object_set_boolean_member(object, "seasonal", theta->seasonal);
}

static FsnModel *
from_json(JsonObject *object, GError **error)
{
    double alpha;
    Theta *theta;

    if (!fsn_json_get_number(object, "alpha", 0, 1, &alpha, error)) {
        return NULL;
    }
    theta = g_new0(Theta, 1);
    theta->model.class = &fsn_model_theta;
    theta->alpha = alpha;
    theta->seasonal = fsn_json_peek_bool(object, "seasonal", false);
    return &theta->model;
}

static char *
explain(const FsnModel *model)
{
    const Theta *theta = (const Theta *)model;

    return g_strdup_printf("linear trend and smoothing of %.2f%s", theta->alpha,
                           theta->seasonal ? ", daily season" : "");
}

static void
free_theta(FsnModel *model)
{
    g_free(model);
}

const FsnModelClass fsn_model_theta = {
    .name = "theta",
    .summary = "half linear trend, half exponential smoothing",
    .fit = fit,
    .forecast = forecast,
    .to_json = to_json,
    .from_json = from_json,
    .explain = explain,
    .free = free_theta,
};
