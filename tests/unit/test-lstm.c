/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared network: its gradient beside differences, what it learns and is not told, JSON. */
#include "models/forecaster.h"
#include "models/json-values.h"
#include "models/lstm-private.h"
#include "models/model.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

#define HOUR_US (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)
#define DAYS    21

/* Sum of squared outputs: its slopes are twice the outputs. */
static double
loss_of(const FsnLstmNet *net, const double *x, size_t steps, size_t first, double *out)
{
    g_autoptr(FsnLstmTrace) trace = fsn_lstm_trace_new(net, steps);
    double loss = 0;

    fsn_lstm_net_run(net, x, first, trace, out);
    for (size_t i = 0; i < (steps - first) * net->outputs; i++) {
        loss += out[i] * out[i];
    }
    return loss;
}

static void
test_gradient(void)
{
    enum { STEPS = 6, FIRST = 2, INPUTS = 3, HIDDEN = 4, OUTPUTS = 2 };

    g_autoptr(GRand) random = g_rand_new_with_seed(3);
    g_autoptr(FsnLstmNet) net = fsn_lstm_net_new(INPUTS, HIDDEN, OUTPUTS, random);
    g_autoptr(FsnLstmTrace) trace = fsn_lstm_trace_new(net, STEPS);
    size_t n = fsn_lstm_net_size(INPUTS, HIDDEN, OUTPUTS);
    g_autofree double *gradient = g_new0(double, n);
    double x[STEPS * INPUTS];
    double out[(STEPS - FIRST) * OUTPUTS];

    g_assert_cmpuint(n, ==, 4 * 4 * 8 + 2 * 5);
    for (size_t i = 0; i < G_N_ELEMENTS(x); i++) {
        x[i] = g_rand_double_range(random, -2, 2);
    }
    fsn_lstm_net_run(net, x, FIRST, trace, out);
    for (size_t i = 0; i < G_N_ELEMENTS(out); i++) {
        out[i] *= 2;
    }
    fsn_lstm_net_back(net, x, FIRST, trace, out, gradient);
    for (size_t i = 0; i < n; i++) {
        double w = net->w[i];

        net->w[i] = w + 1e-5;
        double more = loss_of(net, x, STEPS, FIRST, out);
        net->w[i] = w - 1e-5;
        double less = loss_of(net, x, STEPS, FIRST, out);
        net->w[i] = w;
        g_assert_cmpfloat_with_epsilon(gradient[i], (more - less) / 2e-5,
                                       1e-6 * (1 + fabs(gradient[i])));
    }
}

/* Busy every other day: the medians of the days before know nothing of it. */
static FsnSeries *
every_other_day(guint32 seed, size_t days)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    FsnSeries *series = fsn_series_new(0, HOUR_US, days * 24);
    size_t phase = seed % 2;

    for (size_t i = 0; i < series->n; i++) {
        bool busy = (i / 24 + phase) % 2;

        series->values[i] = (busy ? 60 : 10) + g_rand_double(random);
    }
    return series;
}

static GPtrArray *
school(size_t days)
{
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)fsn_series_free);

    for (guint32 i = 0; i < 4; i++) {
        g_ptr_array_add(all, every_other_day(i, days));
    }
    return all;
}

static FsnLstm *
train(uint64_t seed, size_t samples, int64_t until_us)
{
    g_autoptr(GPtrArray) all = school(DAYS);
    FsnLstmOptions options = { .seed = seed, .samples = samples, .until_us = until_us };
    g_autoptr(GError) error = NULL;
    FsnLstm *lstm = fsn_lstm_train(all, &options, &error);

    g_assert_no_error(error);
    return lstm;
}

/* One for all tests that only need some network. */
static FsnLstm *
some_network(void)
{
    static FsnLstm *network;

    if (!network) {
        network = train(1, 400, G_MININT64);
    }
    return network;
}

static char *
text_of(const FsnLstm *lstm)
{
    g_autoptr(JsonObject) object = json_object_new();

    fsn_lstm_to_json(lstm, object);
    return fsn_json_to_text(object, false);
}

static void
test_deterministic(void)
{
    g_autoptr(FsnLstm) a = train(5, 400, G_MININT64);
    g_autoptr(FsnLstm) b = train(5, 400, G_MININT64);
    g_autoptr(FsnLstm) c = train(6, 400, G_MININT64);
    g_autofree char *text_a = text_of(a);
    g_autofree char *text_b = text_of(b);
    g_autofree char *text_c = text_of(c);

    g_assert_cmpstr(text_a, ==, text_b);
    g_assert_cmpstr(text_a, !=, text_c);
}

/* Of a series that it has not seen. */
static void
test_learns(void)
{
    g_autoptr(FsnLstm) lstm = train(1, 1200, G_MININT64);
    g_autoptr(FsnSeries) series = every_other_day(77, 40);
    double own = 0;
    double usual = 0;

    for (size_t d = 20; d < 35; d++) {
        FsnModelData data = fsn_model_data(series, series->values, d * 24);
        double out[12];

        data.lstm = lstm;
        g_autoptr(FsnModel) model = fsn_model_lstm.fit(&data);
        g_autoptr(FsnModel) profile = fsn_model_profile.fit(&data);
        g_assert_nonnull(model);
        fsn_model_lstm.forecast(model, &data, 12, out);
        for (size_t h = 0; h < 12; h++) {
            own += fabs(out[h] - series->values[data.n + h]);
        }
        fsn_model_profile.forecast(profile, &data, 12, out);
        for (size_t h = 0; h < 12; h++) {
            usual += fabs(out[h] - series->values[data.n + h]);
        }
    }
    g_assert_cmpfloat(own, <, .5 * usual);
}

/* The network has not seen what its backtest looks at: that ends before the data of a fit
 * does. */
static void
test_until(void)
{
    int64_t until_us = DAYS * 24 * HOUR_US;
    g_autoptr(FsnLstm) lstm = train(1, 400, until_us);
    g_autoptr(FsnSeries) series = every_other_day(9, 40);
    FsnModelData data = fsn_model_data(series, series->values, DAYS * 24 - 1);

    g_assert_cmpint(fsn_lstm_until_us(lstm), ==, until_us);
    g_assert_null(fsn_model_lstm.fit(&data)); /* no network */
    data.lstm = lstm;
    g_assert_null(fsn_model_lstm.fit(&data));
    FsnModelData later = fsn_model_data(series, series->values, DAYS * 24);
    later.lstm = lstm;
    g_autoptr(FsnModel) model = fsn_model_lstm.fit(&later);
    g_assert_nonnull(model);
}

/* What follows the origin changes nothing, to the bit. */
static void
test_future(void)
{
    FsnLstm *lstm = some_network();
    g_autoptr(FsnSeries) series = every_other_day(9, 40);
    FsnModelData data = fsn_model_data(series, series->values, 30 * 24);
    double before[60];
    double after[60];

    data.lstm = lstm;
    g_autoptr(FsnModel) model = fsn_model_lstm.fit(&data);
    fsn_model_lstm.forecast(model, &data, 60, before);
    for (size_t i = data.n; i < series->n; i++) {
        series->values[i] = -1e9;
    }
    fsn_model_lstm.forecast(model, &data, 60, after);
    g_assert_cmpmem(before, sizeof before, after, sizeof after);
}

/* Whole forecaster: a member only where there is a network, and the same after JSON. */
static void
test_forecaster(void)
{
    FsnLstm *lstm = some_network();
    g_autoptr(FsnSeries) series = every_other_day(9, 40);
    FsnForecasterOptions how = FSN_FORECASTER_OPTIONS_INIT;
    g_autoptr(GError) error = NULL;

    how.model = "lstm";
    g_assert_null(fsn_forecaster_fit(series, &how, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
    g_clear_error(&error);
    how.lstm = lstm;
    how.model = NULL;
    g_autoptr(FsnForecaster) forecaster = fsn_forecaster_fit(series, &how, &error);
    g_assert_no_error(error);
    g_autoptr(JsonNode) node = fsn_forecaster_to_json(forecaster);
    g_autoptr(FsnForecaster) again = fsn_forecaster_from_json(node, &error);
    g_assert_no_error(error);
    g_autoptr(FsnForecast) a = fsn_forecaster_predict(forecaster, 30);
    g_autoptr(FsnForecast) b = fsn_forecaster_predict(again, 30);
    g_assert_cmpmem(a->mean, 30 * sizeof(double), b->mean, 30 * sizeof(double));
    JsonObject *members =
        json_object_get_object_member(json_node_get_object(node), "members");
    g_assert_true(json_object_has_member(members, "lstm"));
}

static void
refuse(JsonObject *object, int code)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(fsn_lstm_from_json(object, &error));
    g_assert_error(error, FSN_ERROR, code);
}

static void
test_hostile(void)
{
    FsnLstm *lstm = some_network();
    g_autoptr(JsonObject) object = json_object_new();
    g_autoptr(JsonObject) empty = json_object_new();
    double few[3] = { 1, 2, 3 };
    size_t n = fsn_lstm_net_size(FSN_LSTM_INPUTS, FSN_LSTM_HIDDEN, 1);
    g_autofree double *wild = g_new0(double, n + 1);

    fsn_lstm_to_json(lstm, object);
    g_autoptr(FsnLstm) again = fsn_lstm_from_json(object, NULL);
    g_autofree char *first = text_of(lstm);
    g_autofree char *second = text_of(again);
    g_assert_cmpstr(first, ==, second);

    refuse(empty, FSN_ERROR_FORMAT);
    fsn_json_set_floats(object, "weights", few, 3);
    refuse(object, FSN_ERROR_FORMAT);
    fsn_json_set_floats(object, "weights", wild, n + 1);
    refuse(object, FSN_ERROR_FORMAT);
    wild[7] = NAN;
    fsn_json_set_floats(object, "weights", wild, n);
    refuse(object, FSN_ERROR_FORMAT);
    wild[7] = 1e30;
    fsn_json_set_floats(object, "weights", wild, n);
    refuse(object, FSN_ERROR_FORMAT);
    json_object_set_int_member(object, "format", 2);
    refuse(object, FSN_ERROR_UNSUPPORTED);
}

static void
test_too_short(void)
{
    g_autoptr(GPtrArray) all = school(3);
    g_autoptr(FsnSeries) constant = fsn_series_new(0, HOUR_US, 30 * 24);
    FsnLstmOptions options = { .seed = 1, .until_us = G_MININT64 };
    g_autoptr(GError) error = NULL;

    g_assert_null(fsn_lstm_train(all, &options, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
    g_clear_error(&error);
    for (size_t i = 0; i < constant->n; i++) {
        constant->values[i] = 7;
    }
    g_ptr_array_set_size(all, 0);
    g_ptr_array_add(all, g_steal_pointer(&constant));
    g_assert_null(fsn_lstm_train(all, &options, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lstm/gradient", test_gradient);
    g_test_add_func("/lstm/deterministic", test_deterministic);
    g_test_add_func("/lstm/learns", test_learns);
    g_test_add_func("/lstm/until", test_until);
    g_test_add_func("/lstm/future", test_future);
    g_test_add_func("/lstm/forecaster", test_forecaster);
    g_test_add_func("/lstm/hostile", test_hostile);
    g_test_add_func("/lstm/too-short", test_too_short);
    int status = g_test_run();

    fsn_lstm_unref(some_network());
    return status;
}
