/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The forecaster as a whole: what it says of series whose future is known, whatever is wrong
 * with them, and after it was stored and read. */
#include "base/error.h"
#include "models/anomalies.h"
#include "models/backtest.h"
#include "models/forecaster.h"
#include "models/lstm.h"
#include "models/model.h"

#include <math.h>
#include <string.h>

#define HOUR_US (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)

/* A day's wave with noise that repeats with @seed. */
static FsnSeries *
wave(size_t n, guint32 seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    FsnSeries *series = fsn_series_new(0, HOUR_US, n);

    for (size_t i = 0; i < n; i++) {
        series->values[i] =
            50 + 30 * sin(2 * G_PI * (double)i / 24) + g_rand_double_range(rand, -4, 4);
    }
    return series;
}

static FsnForecaster *
fit(const FsnSeries *series)
{
    FsnForecasterOptions options = FSN_FORECASTER_OPTIONS_INIT;
    g_autoptr(GError) error = NULL;
    FsnForecaster *forecaster = fsn_forecaster_fit(series, &options, &error);

    g_assert_no_error(error);
    return forecaster;
}

static void
assert_sane(const FsnForecast *forecast)
{
    for (size_t h = 0; h < forecast->n; h++) {
        g_assert_true(isfinite(forecast->mean[h]));
        for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
            g_assert_true(isfinite(forecast->q[l][h]));
            g_assert_true(l == 0 || forecast->q[l - 1][h] <= forecast->q[l][h]);
        }
    }
}

static void
assert_same(const FsnForecaster *a, const FsnForecaster *b)
{
    g_autoptr(FsnForecast) x = fsn_forecaster_predict(a, 60);
    g_autoptr(FsnForecast) y = fsn_forecaster_predict(b, 60);

    g_assert_cmpint(x->start_us, ==, y->start_us);
    g_assert_cmpmem(x->mean, 60 * sizeof(double), y->mean, 60 * sizeof(double));
    for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
        g_assert_cmpmem(x->q[l], 60 * sizeof(double), y->q[l], 60 * sizeof(double));
    }
}

static void
test_wave(void)
{
    g_autoptr(FsnSeries) series = wave(24 * 35, 1);
    g_autoptr(FsnForecaster) forecaster = fit(series);
    g_autoptr(FsnForecast) forecast = fsn_forecaster_predict(forecaster, 48);
    g_autoptr(FsnSeries) longer = wave(24 * 37, 1);
    g_autofree char *words = fsn_forecaster_explain(forecaster);
    size_t inside = 0;
    double error = 0;

    assert_sane(forecast);
    g_assert_cmpint(forecast->start_us, ==, 24 * 35 * HOUR_US);
    for (size_t h = 0; h < 48; h++) {
        double value = longer->values[series->n + h];

        error += fabs(value - forecast->mean[h]) / 48;
        inside += value >= forecast->q[FSN_Q025][h] && value <= forecast->q[FSN_Q975][h];
    }
    /* The noise alone has a mean size of 2. */
    g_assert_cmpfloat(error, <, 2.6);
    g_assert_cmpuint(inside, >=, 43);
    g_assert_cmpfloat(fsn_forecaster_error(forecaster), <, .06);
    g_assert_nonnull(strstr(words, "backtest error"));
}

static void
test_same_seed(void)
{
    g_autoptr(FsnSeries) series = wave(24 * 20, 2);
    g_autoptr(FsnForecaster) a = fit(series);
    g_autoptr(FsnForecaster) b = fit(series);

    assert_same(a, b);
}

static void
test_json(void)
{
    static const size_t lengths[] = { 1, 5, 30, 24 * 6, 24 * 40 };

    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(FsnSeries) series = wave(lengths[i], 3);
        g_autoptr(GError) error = NULL;
        g_autoptr(FsnForecaster) a = fit(series);
        g_autoptr(JsonNode) node = fsn_forecaster_to_json(a);
        g_autofree char *text = json_to_string(node, FALSE);
        g_autoptr(JsonNode) again = json_from_string(text, NULL);
        g_autoptr(FsnForecaster) b = fsn_forecaster_from_json(again, &error);

        g_assert_no_error(error);
        assert_same(a, b);
    }
}

static void
test_json_refused(void)
{
    g_autoptr(FsnSeries) series = wave(24 * 10, 4);
    g_autoptr(FsnForecaster) forecaster = fit(series);
    g_autoptr(JsonNode) node = fsn_forecaster_to_json(forecaster);
    g_autoptr(GError) newer = NULL;
    JsonObject *object = json_node_get_object(node);
    g_autoptr(GList) names = NULL;

    json_object_set_int_member(object, "format", 2);
    g_assert_null(fsn_forecaster_from_json(node, &newer));
    g_assert_error(newer, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
    json_object_set_int_member(object, "format", 1);

    /* Only now: setting a member frees its former name, which the list borrows. */
    names = json_object_get_members(object);
    for (GList *l = names; l; l = l->next) {
        g_autoptr(GError) error = NULL;
        g_autoptr(JsonObject) damaged = json_object_new();
        g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);

        for (GList *k = names; k; k = k->next) {
            json_object_set_member(
                damaged, k->data,
                json_node_copy(json_object_get_member(object, k->data)));
        }
        if (strcmp(l->data, "seed") == 0) {
            continue; /* optional */
        }
        json_object_set_string_member(damaged, l->data, "?");
        json_node_set_object(root, damaged);
        g_assert_null(fsn_forecaster_from_json(root, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
}

static void
test_update(void)
{
    g_autoptr(FsnSeries) all = wave(24 * 30, 5);
    g_autoptr(FsnSeries) head = fsn_series_head(all, 24 * 28);
    g_autoptr(FsnForecaster) forecaster = fit(head);
    g_autoptr(FsnSeries) newer = fsn_series_new(24 * 28 * HOUR_US, HOUR_US, 48);
    g_autoptr(FsnSeries) odd = fsn_series_new(24 * 28 * HOUR_US + 1, HOUR_US, 48);
    g_autoptr(FsnSeries) gap = fsn_series_new(24 * 33 * HOUR_US, HOUR_US, 1);
    g_autoptr(GError) error = NULL;

    memcpy(newer->values, all->values + head->n, 48 * sizeof(double));
    g_assert_true(fsn_forecaster_update(forecaster, newer, &error));
    g_assert_no_error(error);
    g_autoptr(FsnForecast) forecast = fsn_forecaster_predict(forecaster, 24);
    g_assert_cmpint(forecast->start_us, ==, 24 * 30 * HOUR_US);
    for (size_t h = 0; h < 24; h++) {
        g_assert_cmpfloat_with_epsilon(forecast->mean[h],
                                       50 + 30 * sin(2 * G_PI * (double)h / 24), 8);
    }
    /* Not on the grid; then after a gap of days. */
    g_assert_false(fsn_forecaster_update(forecaster, odd, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_STATE);
    g_clear_error(&error);
    gap->values[0] = 50;
    g_assert_true(fsn_forecaster_update(forecaster, gap, &error));
    g_autoptr(FsnForecast) after = fsn_forecaster_predict(forecaster, 24);
    assert_sane(after);
    g_assert_cmpint(after->start_us, ==, 24 * 33 * HOUR_US + HOUR_US);
    /* What ends earlier does not continue. */
    g_assert_false(fsn_forecaster_update(forecaster, newer, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_STATE);
}

static void
test_odd_series(void)
{
    for (size_t n = 1; n < 24 * 16; n += n < 60 ? 1 : 37) {
        g_autoptr(FsnSeries) series = wave(n, 6);
        g_autoptr(FsnSeries) zero = fsn_series_new(0, HOUR_US, n);
        g_autoptr(FsnSeries) huge = fsn_series_new(0, HOUR_US, n);
        g_autoptr(FsnSeries) holes = wave(n, 7);

        for (size_t i = 0; i < n; i++) {
            zero->values[i] = 0;
            huge->values[i] = i % 3 ? -1e30 : 1e30;
            holes->values[i] = i % 5 && (i < 30 || i > 90) ? NAN : holes->values[i];
        }
        FsnSeries *each[] = { series, zero, huge, holes };
        for (size_t k = 0; k < G_N_ELEMENTS(each); k++) {
            g_autoptr(FsnForecaster) forecaster = fit(each[k]);
            g_autoptr(FsnForecast) forecast = fsn_forecaster_predict(forecaster, 100);

            assert_sane(forecast);
            g_assert_true(each[k] != zero ||
                          (forecast->mean[99] == 0 && forecast->q[FSN_Q975][99] == 0));
        }
    }
}

static void
test_bounds(void)
{
    g_autoptr(FsnSeries) series = wave(24 * 20, 8);
    FsnForecasterOptions options = { .low = 30, .high = 60 };
    g_autoptr(FsnForecaster) forecaster = fsn_forecaster_fit(series, &options, NULL);
    g_autoptr(FsnForecast) forecast = fsn_forecaster_predict(forecaster, 48);

    assert_sane(forecast);
    for (size_t h = 0; h < 48; h++) {
        g_assert_cmpfloat(forecast->q[FSN_Q025][h], >=, 30);
        g_assert_cmpfloat(forecast->q[FSN_Q975][h], <=, 60);
    }
}

static void
test_refused(void)
{
    g_autoptr(FsnSeries) empty = fsn_series_new(0, HOUR_US, 0);
    g_autoptr(FsnSeries) unknown = fsn_series_new(0, HOUR_US, 100);
    g_autoptr(FsnSeries) series = wave(20, 9);
    FsnForecasterOptions options = FSN_FORECASTER_OPTIONS_INIT;
    g_autoptr(GError) error = NULL;

    g_assert_null(fsn_forecaster_fit(empty, &options, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
    g_clear_error(&error);
    g_assert_null(fsn_forecaster_fit(unknown, &options, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
    g_clear_error(&error);
    options.model = "oracle";
    g_assert_null(fsn_forecaster_fit(series, &options, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
    g_clear_error(&error);
    options.model = "seasonal-naive";
    g_assert_null(fsn_forecaster_fit(series, &options, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
}

/* Each model alone, on what is long enough for all of them. */
static void
test_each_model(void)
{
    g_autoptr(FsnSeries) series = wave(24 * 30, 10);
    g_autoptr(GPtrArray) school = g_ptr_array_new();
    FsnLstmOptions training = { .samples = 400, .until_us = G_MININT64 };

    g_ptr_array_add(school, series);
    g_autoptr(FsnLstm) lstm = fsn_lstm_train(school, &training, NULL);
    for (size_t m = 0; fsn_model_classes[m]; m++) {
        FsnForecasterOptions options = FSN_FORECASTER_OPTIONS_INIT;
        g_autoptr(GError) error = NULL;

        options.lstm = lstm;
        options.model = fsn_model_classes[m]->name;
        g_autoptr(FsnForecaster) forecaster =
            fsn_forecaster_fit(series, &options, &error);
        g_assert_no_error(error);
        g_autoptr(FsnForecast) forecast = fsn_forecaster_predict(forecaster, 300);
        assert_sane(forecast);
        g_autoptr(JsonNode) node = fsn_forecaster_to_json(forecaster);
        g_autoptr(FsnForecaster) again = fsn_forecaster_from_json(node, &error);
        g_assert_no_error(error);
        assert_same(forecaster, again);
    }
}

/* A forecaster that has a prior of a wave. */
static FsnForecaster *
fit_with_prior(const FsnSeries *series)
{
    g_autoptr(FsnSeries) similar = wave(24 * 20, 11);
    g_autoptr(FsnForecaster) prior = fit(similar);
    FsnForecasterOptions options = FSN_FORECASTER_OPTIONS_INIT;
    g_autoptr(GError) error = NULL;

    options.prior = prior;
    FsnForecaster *forecaster = fsn_forecaster_fit(series, &options, &error);
    g_assert_no_error(error);
    return forecaster;
}

/* Without history what similar VMs do; with ten values twice as high, twice that; with many
 * days nothing of it. */
static void
test_prior(void)
{
    g_autoptr(FsnSeries) none = fsn_series_new(0, HOUR_US, 0);
    g_autoptr(FsnSeries) some = wave(24, 12);
    g_autoptr(FsnSeries) many = fsn_series_new(0, HOUR_US, 24 * 10);
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < 24; i++) {
        some->values[i] *= 2;
    }
    for (size_t i = 0; i < many->n; i++) {
        many->values[i] = 5;
    }
    g_autoptr(FsnForecaster) a = fit_with_prior(none);
    g_autoptr(FsnForecaster) b = fit_with_prior(some);
    g_autoptr(FsnForecaster) c = fit_with_prior(many);
    g_autoptr(FsnForecast) x = fsn_forecaster_predict(a, 48);
    g_autoptr(FsnForecast) y = fsn_forecaster_predict(b, 48);
    g_autoptr(FsnForecast) z = fsn_forecaster_predict(c, 48);

    g_assert_cmpfloat_with_epsilon(x->mean[6], 80, 5);
    g_assert_cmpfloat_with_epsilon(x->mean[18], 20, 5);
    g_assert_cmpfloat(y->mean[30] - y->mean[42], >, 40);
    g_assert_cmpfloat_with_epsilon(z->mean[6], 5, 1e-9);
    assert_sane(x);
    assert_sane(y);

    g_autoptr(JsonNode) node = fsn_forecaster_to_json(a);
    g_autoptr(FsnForecaster) again = fsn_forecaster_from_json(node, &error);
    g_assert_no_error(error);
    assert_same(a, again);
    g_assert_true(fsn_forecaster_update(again, some, &error));
    g_autoptr(FsnForecast) after = fsn_forecaster_predict(again, 24);
    g_assert_cmpint(after->start_us, ==, 24 * HOUR_US);
    assert_sane(after);
}

/* Outcomes after the end do not count, and what an origin sees ends there: garbage that comes
 * later changes nothing. */
static void
test_backtest_is_honest(void)
{
    g_autoptr(FsnSeries) series = wave(24 * 20, 13);
    g_autofree double *y = fsn_model_fill(series, -INFINITY, INFINITY);
    FsnModelData data = fsn_model_data(series, y, series->n);
    size_t cut = fsn_backtest_cut(&data);
    bool used[FSN_MODELS_MAX] = { true, true, true, true, true, true, true, true, true };
    g_autoptr(FsnBacktest) before = fsn_backtest_run(&data, series->values, cut, used);
    size_t k = before->n_origins / 2;
    size_t known = 0;

    for (size_t i = 0; i < before->n_origins; i++) {
        g_assert_cmpuint(before->origins[i], >=, cut);
        for (size_t h = 0; h < before->horizon; h++) {
            double actual = before->actual[i * before->horizon + h];

            g_assert_true(isnan(actual) == (before->origins[i] + h + 1 > series->n));
            known += !isnan(actual);
        }
    }
    g_assert_cmpuint(known, >, 24 * 20);
    for (size_t i = before->origins[k]; i < series->n; i++) {
        y[i] = 1e6;
    }
    g_autoptr(FsnBacktest) after = fsn_backtest_run(&data, series->values, cut, used);
    for (size_t m = 0; fsn_model_classes[m]; m++) {
        if (before->centre[m]) {
            g_assert_cmpmem(before->centre[m], (k + 1) * before->horizon * sizeof(double),
                            after->centre[m], (k + 1) * after->horizon * sizeof(double));
        }
    }
}

static void
test_anomalies(void)
{
    g_autoptr(FsnSeries) series = wave(24 * 20, 14);
    g_autoptr(FsnSeries) moved = wave(24 * 20, 14);
    g_autoptr(FsnSeries) calm = wave(24 * 20, 14);

    series->values[100] = series->values[101] = 5000;
    for (size_t i = 24 * 15; i < moved->n; i++) {
        moved->values[i] += 200;
    }
    g_autoptr(FsnForecaster) a = fit(series);
    g_autoptr(FsnForecaster) b = fit(moved);
    g_autoptr(FsnForecaster) c = fit(calm);
    g_autoptr(GArray) outliers = fsn_forecaster_anomalies(a);
    g_autoptr(GArray) shifts = fsn_forecaster_anomalies(b);
    g_autoptr(GArray) none = fsn_forecaster_anomalies(c);
    g_autofree char *words = fsn_forecaster_explain(b);

    g_assert_cmpuint(none->len, ==, 0);
    g_assert_cmpuint(outliers->len, ==, 1);
    const FsnAnomaly *outlier = &g_array_index(outliers, FsnAnomaly, 0);
    g_assert_cmpint(outlier->kind, ==, FSN_ANOMALY_OUTLIER);
    g_assert_cmpint(outlier->start_us, ==, 100 * HOUR_US);
    g_assert_cmpint(outlier->end_us, ==, 102 * HOUR_US);
    g_assert_cmpfloat(outlier->value, ==, 5000);
    const FsnAnomaly *shift = &g_array_index(shifts, FsnAnomaly, shifts->len - 1);
    g_assert_cmpint(shift->kind, ==, FSN_ANOMALY_LEVEL);
    g_assert_cmpint(shift->start_us, ==, 24 * 15 * HOUR_US);
    g_assert_nonnull(strstr(words, "the level moved"));
    /* It is followed. */
    g_autoptr(FsnForecast) forecast = fsn_forecaster_predict(b, 24);
    g_assert_cmpfloat_with_epsilon(forecast->mean[12], 250, 40);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/forecaster/wave", test_wave);
    g_test_add_func("/forecaster/same-seed", test_same_seed);
    g_test_add_func("/forecaster/json", test_json);
    g_test_add_func("/forecaster/json-refused", test_json_refused);
    g_test_add_func("/forecaster/update", test_update);
    g_test_add_func("/forecaster/odd-series", test_odd_series);
    g_test_add_func("/forecaster/bounds", test_bounds);
    g_test_add_func("/forecaster/refused", test_refused);
    g_test_add_func("/forecaster/each-model", test_each_model);
    g_test_add_func("/forecaster/prior", test_prior);
    g_test_add_func("/forecaster/honest", test_backtest_is_honest);
    g_test_add_func("/forecaster/anomalies", test_anomalies);
    return g_test_run();
}
