/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each method beside results that are known: recursions computed by hand, processes whose
 * parameters were chosen, effects that were put in. */
#include "models/arma.h"
#include "models/calendar.h"
#include "models/model.h"
#include "models/numbers.h"

#include <math.h>

#define HOUR_US (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)

static FsnModelData
hourly(const double *y, size_t n)
{
    FsnSeries series = { .start_us = 4 * 24 * HOUR_US, .step_us = HOUR_US, .n = n };

    return fsn_model_data(&series, y, n);
}

/* Normal noise, by the sum of twelve. */
static double
noise(GRand *rand)
{
    double sum = -6;

    for (int i = 0; i < 12; i++) {
        sum += g_rand_double(rand);
    }
    return sum;
}

static void
test_naive(void)
{
    double y[72];
    double out[30];

    for (size_t i = 0; i < 72; i++) {
        y[i] = (double)i;
    }
    FsnModelData data = hourly(y, 72);
    g_autoptr(FsnModel) naive = fsn_model_naive.fit(&data);
    g_autoptr(FsnModel) seasonal = fsn_model_seasonal_naive.fit(&data);

    naive->class->forecast(naive, &data, 30, out);
    g_assert_cmpfloat(out[0], ==, 71);
    g_assert_cmpfloat(out[29], ==, 71);
    seasonal->class->forecast(seasonal, &data, 30, out);
    g_assert_cmpfloat(out[0], ==, 48);
    g_assert_cmpfloat(out[23], ==, 71);
    g_assert_cmpfloat(out[24], ==, 48);
}

/* Six values at alpha .5: the damped recursion written out. */
static void
test_ets_recursion(void)
{
    const double y[] = { 10, 12, 11, 13, 12, 14 };
    FsnModelData data = hourly(y, 6);
    g_autoptr(JsonObject) object = json_object_new();
    g_autoptr(JsonArray) parameters = json_array_new();
    double level = (10 + 12 + 11 + 13 + 12) / 5.0;
    double trend = 0;
    double out[2];

    json_array_add_double_element(parameters, .5);
    json_array_add_double_element(parameters, .1);
    json_array_add_double_element(parameters, 0);
    json_array_add_double_element(parameters, .9);
    json_object_set_array_member(object, "parameters", json_array_ref(parameters));
    json_object_set_double_member(object, "scale", 100); /* cuts nothing off */
    g_autoptr(FsnModel) model = fsn_model_ets.from_json(object, NULL);
    g_assert_nonnull(model);
    for (size_t i = 0; i < 6; i++) {
        double error = y[i] - (level + .9 * trend);

        level = level + .9 * trend + .5 * error;
        trend = .9 * trend + .05 * error;
    }
    model->class->forecast(model, &data, 2, out);
    g_assert_cmpfloat_with_epsilon(out[0], level + .9 * trend, 1e-9);
    g_assert_cmpfloat_with_epsilon(out[1], level + (.9 + .81) * trend, 1e-9);
}

/* A straight line is continued with half of its slope: the definition of Theta with a
 * smoothing that follows at once. */
static void
test_theta_line(void)
{
    double y[60];
    double out[3];

    for (size_t i = 0; i < 60; i++) {
        y[i] = 5 + 2 * (double)i;
    }
    FsnModelData data = hourly(y, 40);
    g_autoptr(FsnModel) model = fsn_model_theta.fit(&data);

    model->class->forecast(model, &data, 3, out);
    for (size_t h = 0; h < 3; h++) {
        /* line at 40 + h + the last value, halved */
        double expected = ((5 + 2 * (double)(40 + h)) + (5 + 2 * 39.)) / 2;

        g_assert_cmpfloat_with_epsilon(out[h], expected, 1e-3); /* .9999 is the most */
    }
}

/* A multiplicative season over a constant is found exactly. */
static void
test_theta_season(void)
{
    double y[24 * 8];
    double out[24];

    for (size_t i = 0; i < G_N_ELEMENTS(y); i++) {
        y[i] = 100 * (1 + .5 * sin(2 * G_PI * (double)i / 24));
    }
    FsnModelData data = hourly(y, G_N_ELEMENTS(y));
    g_autoptr(FsnModel) model = fsn_model_theta.fit(&data);

    model->class->forecast(model, &data, 24, out);
    for (size_t h = 0; h < 24; h++) {
        g_assert_cmpfloat_with_epsilon(out[h], y[h], .2);
    }
}

static void
test_arma_recovers(void)
{
    static const double ar[] = { 1.2, -.4 };
    static const double ma = .5;

    enum { N = 4000 };

    g_autoptr(GRand) rand = g_rand_new_with_seed(11);
    g_autofree double *y = g_new0(double, N);
    FsnArma arma = { .p = 2, .q = 1 };
    double before = 0;

    for (size_t t = 2; t < N; t++) {
        double e = noise(rand);

        y[t] = ar[0] * y[t - 1] + ar[1] * y[t - 2] + e + ma * before;
        before = e;
    }
    double variance = fsn_arma_fit_order(&arma, y, N);
    g_assert_cmpfloat_with_epsilon(arma.ar[0], ar[0], .06);
    g_assert_cmpfloat_with_epsilon(arma.ar[1], ar[1], .06);
    g_assert_cmpfloat_with_epsilon(arma.ma[0], ma, .08);
    g_assert_cmpfloat_with_epsilon(variance, 1, .06);

    FsnArma chosen;
    fsn_arma_fit(&chosen, y, N);
    g_assert_cmpuint(chosen.p + chosen.q, >=, 2);
    g_assert_cmpuint(chosen.p + chosen.q, <=, 4);
}

static void
test_arma_forecast(void)
{
    const double y[] = { 0, 0, 4, 2 };
    FsnArma arma = { .p = 1, .q = 1, .ar = { .5 }, .ma = { .25 } };
    double out[3];
    /* errors: 0, 0, 4, 2 - .5 * 4 - .25 * 4 = -1 */
    fsn_arma_forecast(&arma, y, 4, 3, out);
    g_assert_cmpfloat_with_epsilon(out[0], .5 * 2 + .25 * -1, 1e-12);
    g_assert_cmpfloat_with_epsilon(out[1], .5 * out[0], 1e-12);
    g_assert_cmpfloat_with_epsilon(out[2], .25 * out[0], 1e-12);
}

static void
test_arma_stable(void)
{
    FsnArma arma = { .p = 2, .q = 1, .ar = { 1.9, .4 }, .ma = { -7 } };
    double y[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    double out[2000];

    fsn_arma_make_stable(&arma);
    fsn_arma_forecast(&arma, y, 8, G_N_ELEMENTS(out), out);
    g_assert_cmpfloat(fabs(out[1999]), <, 1e3);
}

/* A known event adds what it added before; a weekend too. */
static void
test_decompose_events(void)
{
    enum { N = 24 * 28 };

    g_autoptr(GRand) rand = g_rand_new_with_seed(12);
    g_autoptr(FsnEvents) events = fsn_events_new();
    g_autofree double *y = g_new(double, N);
    double out[48];
    FsnModelData data = hourly(y, N);

    for (int64_t day = 3; day < 30; day += 5) {
        int64_t at = data.start_us + (24 * day + 2) * HOUR_US;

        g_assert_true(
            fsn_events_add(events, at, at + 3 * HOUR_US, "backup", "nightly", NULL));
    }
    data.events = events;
    for (size_t i = 0; i < N; i++) {
        int64_t time = data.start_us + (int64_t)i * HOUR_US;

        y[i] = 20 + 5 * sin(2 * G_PI * (double)i / 24) + .3 * noise(rand) +
               40 * fsn_events_coverage(events, "backup", time, time + HOUR_US);
    }
    g_autoptr(FsnModel) model = fsn_model_decompose.fit(&data);
    model->class->forecast(model, &data, 48, out);
    g_assert_cmpfloat(out[3], >, 50); /* day 28 has one from 02:00 to 05:00 */
    g_assert_cmpfloat(out[24 + 3], <, 30);
    g_assert_cmpfloat_with_epsilon(out[12], 20 + 5 * sin(G_PI), 1.5);
}

static void
test_profile_ignores_bursts(void)
{
    enum { N = 24 * 15 };

    g_autofree double *y = g_new(double, N);
    double out[24];

    for (size_t i = 0; i < N; i++) {
        y[i] = i % 24 < 8 ? 2 : 10;
        y[i] = i % 101 == 0 ? 500 : y[i];
    }
    FsnModelData data = hourly(y, N);
    g_autoptr(FsnModel) model = fsn_model_profile.fit(&data);
    model->class->forecast(model, &data, 24, out);
    g_assert_cmpfloat(out[3], ==, 2);
    g_assert_cmpfloat(out[15], ==, 10);
}

/* The level moved four days ago: a regression on lags follows. */
static void
test_regression_follows(void)
{
    enum { N = 24 * 28 };

    g_autoptr(GRand) rand = g_rand_new_with_seed(13);
    g_autofree double *y = g_new(double, N);
    double out[24];
    double mean = 0;

    for (size_t i = 0; i < N; i++) {
        y[i] = (i / (24 * 6) % 2 ? 30 : 10) + .5 * noise(rand);
    }
    FsnModelData data = hourly(y, 24 * 28);
    g_autoptr(FsnModel) model = fsn_model_regression.fit(&data);
    model->class->forecast(model, &data, 24, out);
    for (size_t h = 0; h < 24; h++) {
        mean += out[h] / 24;
    }
    g_assert_cmpfloat_with_epsilon(mean, y[N - 1], 3);
}

static void
test_numbers(void)
{
    double odd[] = { 5, 1, 4, 2, 3 };
    double many[101];
    double a[] = { 4, 0, 2, 3 };
    double b[] = { 8, 7 };
    double values[] = { 1, 2, 3 };
    double weights[] = { 1, 1, 8 };

    g_assert_cmpfloat(fsn_median(odd, 5), ==, 3);
    g_assert_cmpfloat(fsn_quantile(odd, 5, .25), ==, 2);
    g_assert_true(isnan(fsn_median(odd, 0)));
    for (size_t i = 0; i < 101; i++) {
        many[i] = (double)(i * 37 % 101);
    }
    g_assert_cmpfloat(fsn_median(many, 101), ==, 50);
    g_assert_cmpfloat(fsn_median(many, 100), >=, 49);
    g_assert_cmpfloat(fsn_quantile(many, 101, .95), ==, 95);
    /* 4x + 2y = 8, 2x + 3y = 7 */
    g_assert_true(fsn_solve_spd(a, b, 2));
    g_assert_cmpfloat_with_epsilon(b[0], 1.25, 1e-12);
    g_assert_cmpfloat_with_epsilon(b[1], 1.5, 1e-12);
    double negative[] = { -1 };
    g_assert_false(fsn_solve_spd(negative, b, 1));
    g_assert_cmpfloat(fsn_weighted_quantile(values, weights, 3, .5), ==, 3);
    g_assert_cmpfloat(fsn_weighted_quantile(values, weights, 3, .1), ==, 1);
}

/* Quantile regression on a constant is the quantile. */
static void
test_regress_quantile(void)
{
    static const double levels[] = { .05, .5, .95 };

    enum { N = 1001 };

    g_autofree double *x = g_new(double, N);
    g_autofree double *y = g_new(double, N);

    for (size_t i = 0; i < N; i++) {
        x[i] = 1;
        y[i] = (double)(i * 377 % N);
    }
    for (size_t l = 0; l < G_N_ELEMENTS(levels); l++) {
        FsnRegression system = { .x = x, .y = y, .rows = N, .cols = 1 };
        double beta = 500;

        fsn_regress_quantile(&system, levels[l], 60, &beta);
        g_assert_cmpfloat_with_epsilon(beta, levels[l] * 1000, 12);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/models/naive", test_naive);
    g_test_add_func("/models/ets/recursion", test_ets_recursion);
    g_test_add_func("/models/theta/line", test_theta_line);
    g_test_add_func("/models/theta/season", test_theta_season);
    g_test_add_func("/models/arma/recovers", test_arma_recovers);
    g_test_add_func("/models/arma/forecast", test_arma_forecast);
    g_test_add_func("/models/arma/stable", test_arma_stable);
    g_test_add_func("/models/decompose/events", test_decompose_events);
    g_test_add_func("/models/profile/bursts", test_profile_ignores_bursts);
    g_test_add_func("/models/regression/follows", test_regression_follows);
    g_test_add_func("/models/numbers", test_numbers);
    g_test_add_func("/models/regress-quantile", test_regress_quantile);
    return g_test_run();
}
