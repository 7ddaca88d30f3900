/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decomposition in the manner of Prophet (Taylor and Letham, Forecasting at scale, The American
 * Statistician 72, 2018): a trend of straight pieces, waves of the day and the week, weekends,
 * and the effects of known events. Different from there it is fitted by least absolute
 * deviations, and after the end the trend stays where it is: a slope of a few days says
 * nothing about a VM's next ones. What the last day was off on the median is kept.
 */
#include "models/calendar.h"
#include "models/json-values.h"
#include "models/model.h"
#include "models/numbers.h"

#include <math.h>
#include <string.h>

#define PIECES    9 /* of the trend */
#define KINDS_MAX 8 /* of events */
#define ROWS      900
#define RUN_DAYS  42
#define COLUMNS   (1 + PIECES + 1 + FSN_WAVES + KINDS_MAX)

typedef struct {
    FsnModel model;
    int64_t from_us, to_us; /* what the trend was fitted to */
    size_t waves;
    GPtrArray *kinds; /* char * */
    size_t columns;
    double beta[COLUMNS];
} Decompose;

static size_t
count_columns(const Decompose *d)
{
    return 1 + PIECES + 1 + d->waves + d->kinds->len;
}

/* One row: constant, hinges of the trend, weekend, waves, events. */
static void
make_row(const Decompose *d, const FsnModelData *data, size_t i, double *x)
{
    int64_t time_us = data->start_us + (int64_t)i * data->step_us;
    double at = (double)(time_us - d->from_us) / (double)MAX(d->to_us - d->from_us, 1);
    int64_t day = time_us / (G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC);

    at = CLAMP(at, 0, 1);
    *x++ = 1;
    for (size_t k = 0; k < PIECES; k++) {
        *x++ = MAX(at - (double)k / PIECES, 0);
    }
    *x++ = d->waves > 2 * FSN_WAVES_DAY && ((day + 3) % 7 + 7) % 7 >= 5;
    fsn_waves_row(data, i, d->waves, x);
    x += d->waves;
    for (guint k = 0; k < d->kinds->len; k++) {
        *x++ = data->events ? fsn_events_coverage(data->events, d->kinds->pdata[k],
                                                  time_us, time_us + data->step_us)
                            : 0;
    }
}

static double
value_at(const Decompose *d, const FsnModelData *data, size_t i)
{
    double x[COLUMNS];
    double value = 0;

    make_row(d, data, i, x);
    for (size_t j = 0; j < d->columns; j++) {
        value += x[j] * d->beta[j];
    }
    return value;
}

static void
take_kinds(Decompose *d, const FsnModelData *data)
{
    g_auto(GStrv) all = data->events ? fsn_events_kinds(data->events) : NULL;

    for (guint i = 0; all && all[i] && i < KINDS_MAX; i++) {
        g_ptr_array_add(d->kinds, g_strdup(all[i]));
    }
}

static Decompose *
new_decompose(void)
{
    Decompose *d = g_new0(Decompose, 1);

    d->model.class = &fsn_model_decompose;
    d->kinds = g_ptr_array_new_with_free_func(g_free);
    return d;
}

static FsnModel *
fit(const FsnModelData *data)
{
    size_t n = MIN(data->n, RUN_DAYS * data->day);
    size_t first = data->n - n;
    size_t stride = n / ROWS + 1;
    Decompose *d;

    if (data->day == 0 || data->n < 3 * data->day) {
        return NULL;
    }
    /* No stride that meets the same times of day only. */
    while (stride > 1 && data->day % stride == 0) {
        stride++;
    }
    d = new_decompose();
    d->waves = fsn_waves_count(data);
    d->from_us = data->start_us + (int64_t)first * data->step_us;
    d->to_us = data->start_us + (int64_t)data->n * data->step_us;
    take_kinds(d, data);
    d->columns = count_columns(d);
    size_t rows = n / stride;
    g_autofree double *x = g_new(double, rows * d->columns);
    g_autofree double *y = g_new(double, rows);
    for (size_t k = 0; k < rows; k++) {
        make_row(d, data, first + k * stride, x + k * d->columns);
        y[k] = data->y[first + k * stride];
    }
    FsnRegression system = {
        .x = x, .y = y, .rows = rows, .cols = d->columns, .ridge = .01
    };
    fsn_regress_quantile(&system, .5, 6, d->beta);
    return &d->model;
}

static void
forecast(const FsnModel *model,
         const FsnModelData *data,
         size_t horizon,
         double *out_centre)
{
    const Decompose *d = (const Decompose *)model;
    size_t n = MIN(data->n, MAX(data->day, 12));
    size_t stride = n / 96 + 1;
    double off[97];
    size_t count = 0;

    for (size_t i = data->n - n; i < data->n; i += stride) {
        off[count++] = data->y[i] - value_at(d, data, i);
    }
    double level = fsn_median(off, count);
    for (size_t h = 0; h < horizon; h++) {
        out_centre[h] = level + value_at(d, data, data->n + h);
    }
}

static void
to_json(const FsnModel *model, JsonObject *object)
{
    const Decompose *d = (const Decompose *)model;
    JsonArray *kinds = json_array_new();

    for (guint i = 0; i < d->kinds->len; i++) {
        json_array_add_string_element(kinds, d->kinds->pdata[i]);
    }
    json_object_set_array_member(object, "events", kinds);
    json_object_set_int_member(object, "from_us", d->from_us);
    json_object_set_int_member(object, "to_us", d->to_us);
    json_object_set_int_member(object, "waves", (int64_t)d->waves);
    fsn_json_set_numbers(object, "coefficients", d->beta, d->columns);
}

static bool
read_kinds(Decompose *d, JsonObject *object, GError **error)
{
    JsonArray *kinds;

    if (!fsn_json_get_array(object, "events", &kinds, error)) {
        return false;
    }
    for (guint i = 0; i < json_array_get_length(kinds) && i < KINDS_MAX; i++) {
        JsonNode *node = json_array_get_element(kinds, i);
        const char *kind =
            JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;

        g_ptr_array_add(d->kinds, g_strdup(kind ? kind : ""));
    }
    return true;
}

static FsnModel *
from_json(JsonObject *object, GError **error)
{
    g_autoptr(FsnModel) model = &new_decompose()->model;
    Decompose *d = (Decompose *)model;
    const int64_t most = G_GINT64_CONSTANT(1) << 53;
    int64_t waves;

    if (!read_kinds(d, object, error) ||
        !fsn_json_get_int(object, "from_us", -most, most, &d->from_us, error) ||
        !fsn_json_get_int(object, "to_us", d->from_us, most, &d->to_us, error) ||
        !fsn_json_get_int(object, "waves", 0, FSN_WAVES, &waves, error)) {
        return NULL;
    }
    d->waves = (size_t)waves & ~(size_t)1;
    d->columns = count_columns(d);
    if (!fsn_json_get_numbers(object, "coefficients", d->columns, d->beta, error)) {
        return NULL;
    }
    return g_steal_pointer(&model);
}

static char *
explain(const FsnModel *model)
{
    const Decompose *d = (const Decompose *)model;

    return g_strdup_printf("trend of %d pieces, %zu waves, %u kinds of events", PIECES,
                           d->waves / 2, d->kinds->len);
}

static void
free_decompose(FsnModel *model)
{
    Decompose *d = (Decompose *)model;

    g_ptr_array_unref(d->kinds);
    g_free(d);
}

const FsnModelClass fsn_model_decompose = {
    .name = "decompose",
    .summary = "trend of straight pieces, waves of day and week, known events",
    .fit = fit,
    .forecast = forecast,
    .to_json = to_json,
    .from_json = from_json,
    .explain = explain,
    .free = free_decompose,
};
