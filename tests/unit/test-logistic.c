/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logistic regression: known solutions, and what happens where there is none. */
#include "models/logistic.h"

#include <math.h>
#include <string.h>

#define ROWS 4000

/* Numbers in [-1, 1) that are the same in each run. */
static double
noise(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return (double)(*state >> 8) / (1 << 23) - 1;
}

static FsnLogisticData
simulated(const double *truth, size_t columns, float *x, float *weights, uint8_t *labels)
{
    uint32_t state = 7;

    for (size_t i = 0; i < ROWS; i++) {
        float *row = x + i * columns;

        for (size_t j = 0; j + 1 < columns; j++) {
            row[j] = (float)(2 * noise(&state));
        }
        row[columns - 1] = 1;
        weights[i] = 1;
        labels[i] = fsn_logistic(fsn_logistic_score(truth, row, columns)) >
                    (noise(&state) + 1) / 2;
    }
    return (FsnLogisticData){ ROWS, columns, x, weights, labels };
}

static void
test_recovers(void)
{
    static const double truth[] = { 1.5, -2, 0, -.5 };
    static const double prior[4] = { 0 };
    static const double precision[] = { 1e-3, 1e-3, 1e-3, 1e-3 };
    g_autofree float *x = g_new(float, ROWS * 4);
    g_autofree float *weights = g_new(float, ROWS);
    g_autofree uint8_t *labels = g_new(uint8_t, ROWS);
    FsnLogisticData data = simulated(truth, 4, x, weights, labels);
    double found[4] = { 0 };

    fsn_logistic_fit(&data, prior, precision, found);
    for (size_t j = 0; j < 4; j++) {
        g_assert_cmpfloat_with_epsilon(found[j], truth[j], .15);
    }
}

/* With an intercept alone the solution is the logarithm of the odds, of weighted rows. */
static void
test_closed_form(void)
{
    static const float x[] = { 1, 1, 1, 1 };
    static const float weights[] = { 1, 1, 1, 5 };
    static const uint8_t labels[] = { 1, 0, 1, 0 };
    static const double prior[] = { 9 };
    static const double precision[] = { 1e-9 };
    FsnLogisticData data = { 4, 1, x, weights, labels };
    double found[] = { 0 };

    fsn_logistic_fit(&data, prior, precision, found);
    g_assert_cmpfloat_with_epsilon(found[0], log(2. / 6), 1e-4);
}

static void
test_prior(void)
{
    static const double truth[] = { 3, 0 };
    static const double prior[] = { .25, -1 };
    static const double weak[] = { 100, 100 }, strong[] = { 1e9, 1e9 };
    g_autofree float *x = g_new(float, ROWS * 2);
    g_autofree float *weights = g_new(float, ROWS);
    g_autofree uint8_t *labels = g_new(uint8_t, ROWS);
    FsnLogisticData data = simulated(truth, 2, x, weights, labels);
    FsnLogisticData none = { 0, 2, x, weights, labels };
    double some[] = { 0, 0 }, held[] = { 0, 0 }, empty[] = { 0, 0 };

    fsn_logistic_fit(&data, prior, weak, some);
    fsn_logistic_fit(&data, prior, strong, held);
    fsn_logistic_fit(&none, prior, weak, empty);
    g_assert_cmpfloat(some[0], >, 1);
    g_assert_cmpfloat(some[0], <, 3);
    g_assert_cmpfloat_with_epsilon(held[0], .25, 1e-3);
    g_assert_cmpfloat_with_epsilon(empty[0], .25, 1e-9);
    g_assert_cmpfloat_with_epsilon(empty[1], -1, 1e-9);
}

/* Labels that a line separates have no finite solution but for the prior. */
static void
test_separable(void)
{
    static const double prior[] = { 0, 0 }, precision[] = { 1, 1 };
    float x[200], weights[100];
    uint8_t labels[100];
    double found[] = { 0, 0 }, again[] = { 0, 0 };

    for (size_t i = 0; i < 100; i++) {
        x[2 * i] = i < 50 ? -6 : 6;
        x[2 * i + 1] = 1;
        weights[i] = 1;
        labels[i] = i >= 50;
    }
    FsnLogisticData data = { 100, 2, x, weights, labels };

    fsn_logistic_fit(&data, prior, precision, found);
    fsn_logistic_fit(&data, prior, precision, again);
    g_assert_true(isfinite(found[0]) && isfinite(found[1]));
    g_assert_cmpfloat(fsn_logistic(fsn_logistic_score(found, x + 198, 2)), >, .98);
    g_assert_cmpmem(found, sizeof found, again, sizeof again);
}

static void
test_extremes(void)
{
    g_assert_cmpfloat(fsn_logistic(-1e6), ==, 0);
    g_assert_cmpfloat(fsn_logistic(1e6), ==, 1);
    g_assert_cmpfloat(fsn_logistic(0), ==, .5);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/logistic/recovers", test_recovers);
    g_test_add_func("/logistic/closed-form", test_closed_form);
    g_test_add_func("/logistic/prior", test_prior);
    g_test_add_func("/logistic/separable", test_separable);
    g_test_add_func("/logistic/extremes", test_extremes);
    return g_test_run();
}
