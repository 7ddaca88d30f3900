/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Median profile: what the values around the same time of day were, over the last days. How
 * many days, how wide around the time of day, and whether only the same kind of day
 * (working day or weekend) counts, is chosen by how well it would have forecast the last
 * days. The window as wide as a day makes it the plain median of the last days.
 *
 * The median minimises the absolute error (Koenker and Bassett, Regression Quantiles,
 * Econometrica 46, 1978); as the usual-day baseline of load forecasting see Hong and Fan,
 * Probabilistic electric load forecasting, Int. J. of Forecasting 32, 2016. The quantiles
 * are those of the same values.
 */
#include "models/json-values.h"
#include "models/model.h"
#include "models/numbers.h"

#include <math.h>

#define VALUES_MAX 256 /* that one quantile is made of */
#define TRIED_DAYS 7   /* of which each choice is judged */

typedef struct {
    FsnModel model;
    int64_t days;     /* how many days back */
    int64_t width_us; /* on each side of the time of day */
    bool same_kind;   /* only working days for working days, weekends for weekends */
} Profile;

static const int64_t tried_days[] = { 2, 4, 8, 15, 28 };
static const int64_t tried_width_min[] = { 0, 30, 120, 720 };

/* Whether a time (UTC) is on a Saturday or Sunday; the epoch was a Thursday. */
static bool
is_weekend(int64_t time_us)
{
    int64_t day = time_us / (G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC);
    int64_t weekday = ((day + 3) % 7 + 7) % 7; /* Monday is 0 */

    return weekday >= 5;
}

/* Adds the values around @centre, which lie before the end, thinned to about @most. */
static size_t
gather_day(
    const FsnModelData *data, int64_t centre, int64_t width, size_t most, double *out)
{
    int64_t from = MAX(centre - width, 0);
    int64_t to = MIN(centre + width, (int64_t)data->n - 1);
    int64_t stride = MAX((to - from + 1) / (int64_t)MAX(most, 1), 1);
    size_t n = 0;

    for (int64_t i = from; i <= to && n < most; i += stride) {
        out[n++] = data->y[i];
    }
    return n;
}

/* The values that @profile compares index @target (at or after the end) with. */
static size_t
gather(const Profile *profile, const FsnModelData *data, size_t target, double *out)
{
    int64_t day = (int64_t)MAX(data->day, 1);
    int64_t width = MIN(profile->width_us / data->step_us, day / 2);
    int64_t back = (int64_t)(target - data->n) / day + 1;
    bool weekend = is_weekend(data->start_us + (int64_t)target * data->step_us);
    size_t most = VALUES_MAX / (size_t)profile->days;
    size_t n = 0;
    int64_t used = 0;

    for (int64_t d = back; used < profile->days; d++) {
        int64_t centre = (int64_t)target - d * day;

        if (centre < 0 || d > back + 3 * profile->days) {
            break;
        }
        if (profile->same_kind &&
            is_weekend(data->start_us + centre * data->step_us) != weekend) {
            continue;
        }
        n += gather_day(data, centre, width, most, out + n);
        used++;
    }
    if (n == 0) {
        out[n++] = data->y[data->n - 1];
    }
    return n;
}

/* Mean absolute error over the last days, at some steps of each. */
static double
try_choice(const Profile *profile, const FsnModelData *data)
{
    size_t day = MAX(data->day, 1);
    size_t stride = MAX(day / 12, 1);
    double values[VALUES_MAX];
    double sum = 0;
    size_t count = 0;

    for (size_t d = 1; d <= TRIED_DAYS && (d + 2) * day <= data->n; d++) {
        FsnModelData head = *data;

        head.n = data->n - d * day;
        for (size_t h = stride / 2; h < day; h += stride) {
            size_t n = gather(profile, &head, head.n + h, values);

            sum += fabs(data->y[head.n + h] - fsn_median(values, n));
            count++;
        }
    }
    return count ? sum / (double)count : 0;
}

static FsnModel *
new_profile(int64_t days, int64_t width_us, bool same_kind)
{
    Profile *profile = g_new0(Profile, 1);

    profile->model.class = &fsn_model_profile;
    profile->days = days;
    profile->width_us = width_us;
    profile->same_kind = same_kind;
    return &profile->model;
}

static FsnModel *
fit(const FsnModelData *data)
{
    double least = INFINITY;
    Profile best = { .days = 1 };

    if (data->day == 0) {
        return NULL;
    }
    for (size_t kind = 0; kind < (data->week ? 2 : 1); kind++) {
        for (size_t d = 0; d < G_N_ELEMENTS(tried_days); d++) {
            for (size_t w = 0; w < G_N_ELEMENTS(tried_width_min); w++) {
                Profile tried = { .days = tried_days[d],
                                  .width_us = tried_width_min[w] * 60 * G_USEC_PER_SEC,
                                  .same_kind = kind };
                double error = INFINITY;

                /* Different from a shorter one? */
                if (d == 0 || (size_t)tried_days[d - 1] * data->day < data->n) {
                    error = try_choice(&tried, data);
                }
                if (error < least * .995) {
                    least = error;
                    best = tried;
                }
            }
        }
    }
    return new_profile(best.days, best.width_us, best.same_kind);
}

/* Medians of wide windows that overlap are computed for some steps only. */
static void
forecast(const FsnModel *model,
         const FsnModelData *data,
         size_t horizon,
         double *out_centre)
{
    const Profile *profile = (const Profile *)model;
    size_t width = (size_t)(profile->width_us / data->step_us);
    size_t stride = CLAMP(width / 3, 1, MAX(data->hour / 2, 1));
    double values[VALUES_MAX];

    for (size_t h = 0; h < horizon; h += stride) {
        size_t n =
            gather(profile, data, data->n + MIN(h + stride / 2, horizon - 1), values);
        double median = fsn_median(values, n);

        for (size_t k = h; k < MIN(h + stride, horizon); k++) {
            out_centre[k] = median;
        }
    }
}

/* Quantiles need more values than the median: more days and a wider window. */
static Profile
for_quantiles(const Profile *profile)
{
    Profile wide = *profile;

    wide.days = MAX(wide.days, 15);
    wide.width_us = MAX(wide.width_us, G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC);
    return wide;
}

static void
quantiles(const FsnModel *model,
          const FsnModelData *data,
          size_t horizon,
          double *const *out_quantiles)
{
    Profile wide = for_quantiles((const Profile *)model);
    size_t stride = MAX(data->hour / 2, 1);
    double values[VALUES_MAX];

    for (size_t h = 0; h < horizon; h += stride) {
        size_t n =
            gather(&wide, data, data->n + MIN(h + stride / 2, horizon - 1), values);

        (void)fsn_quantile(values, n, .5); /* sorts */
        for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
            double q = fsn_quantile_sorted(values, n, fsn_forecast_levels[l]);

            for (size_t k = h; k < MIN(h + stride, horizon); k++) {
                out_quantiles[l][k] = q;
            }
        }
    }
}

static void
to_json(const FsnModel *model, JsonObject *object)
{
    const Profile *profile = (const Profile *)model;

    json_object_set_int_member(object, "days", profile->days);
    json_object_set_int_member(object, "width_us", profile->width_us);
    json_object_set_boolean_member(object, "same_kind_of_day", profile->same_kind);
}

static FsnModel *
from_json(JsonObject *object, GError **error)
{
    int64_t days;
    int64_t width_us;

    if (!fsn_json_get_int(object, "days", 1, 64, &days, error) ||
        !fsn_json_get_int(object, "width_us", 0,
                          G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC, &width_us, error)) {
        return NULL;
    }
    return new_profile(days, width_us,
                       fsn_json_peek_bool(object, "same_kind_of_day", false));
}

static char *
explain(const FsnModel *model)
{
    const Profile *profile = (const Profile *)model;

    return g_strdup_printf("median of the last %" G_GINT64_FORMAT " %s within %d min",
                           profile->days,
                           profile->same_kind ? "days of the kind" : "days",
                           (int)(profile->width_us / G_USEC_PER_SEC / 60));
}

static void
free_profile(FsnModel *model)
{
    g_free(model);
}

const FsnModelClass fsn_model_profile = {
    .name = "profile",
    .summary = "median of the last days around the time of day",
    .fit = fit,
    .forecast = forecast,
    .quantiles = quantiles,
    .to_json = to_json,
    .from_json = from_json,
    .explain = explain,
    .free = free_profile,
};
