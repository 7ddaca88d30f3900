/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logistic regression. The curvature costs columns times as much as the gradient, so it is
 * renewed only in the first two rounds; the rounds after that use it again (chord method)
 * and are cheap. Each step is halved until the posterior rises: the result is never worse
 * than where it began. A Cholesky of its own keeps it deterministic, which a threaded BLAS
 * is not, and is no slower at these sizes.
 */
#include "models/logistic.h"

#include <math.h>
#include <string.h>

#define ROUNDS         12
#define CURVED_ROUNDS  2
#define HALVINGS       6
#define STEP_TOLERANCE 1e-3

typedef struct {
    const FsnLogisticData *data;
    const double *prior;
    const double *precision;
    double *factor;   /* columns × columns: curvature, then its lower Cholesky factor */
    double *gradient; /* of the logarithm of the posterior */
} Fit;

double
fsn_logistic(double score)
{
    return score >= 0 ? 1 / (1 + exp(-score)) : exp(score) / (1 + exp(score));
}

double
fsn_logistic_score(const double *weights, const float *row, size_t columns)
{
    double sum = 0;

    for (size_t j = 0; j < columns; j++) {
        sum += weights[j] * (double)row[j];
    }
    return sum;
}

/* log(1 + exp(score)), without overflow. */
static double
softplus(double score)
{
    return MAX(score, 0) + log1p(exp(-fabs(score)));
}

static double
log_posterior(const Fit *fit, const double *weights)
{
    const FsnLogisticData *data = fit->data;
    double sum = 0;

    for (size_t i = 0; i < data->rows; i++) {
        double score =
            fsn_logistic_score(weights, data->x + i * data->columns, data->columns);

        sum +=
            (double)data->weights[i] * ((data->labels[i] ? score : 0) - softplus(score));
    }
    for (size_t j = 0; j < data->columns; j++) {
        double off = weights[j] - fit->prior[j];

        sum -= .5 * fit->precision[j] * off * off;
    }
    return sum;
}

/* Adds @scale times the outer product of @row with itself to the lower triangle. */
static void
add_outer(double *matrix, const float *row, double scale, size_t columns)
{
    for (size_t j = 0; j < columns; j++) {
        double factor = scale * (double)row[j];
        double *line = matrix + j * columns;

        for (size_t k = 0; k <= j; k++) {
            line[k] += factor * (double)row[k];
        }
    }
}

static void
differentiate(Fit *fit, const double *weights, bool with_curvature)
{
    const FsnLogisticData *data = fit->data;
    size_t columns = data->columns;

    if (with_curvature) {
        memset(fit->factor, 0, columns * columns * sizeof(double));
    }
    for (size_t j = 0; j < columns; j++) {
        fit->gradient[j] = -fit->precision[j] * (weights[j] - fit->prior[j]);
        if (with_curvature) {
            fit->factor[j * columns + j] = fit->precision[j];
        }
    }
    for (size_t i = 0; i < data->rows; i++) {
        const float *row = data->x + i * columns;
        double p = fsn_logistic(fsn_logistic_score(weights, row, columns));
        double pull = (double)data->weights[i] * (data->labels[i] - p);

        for (size_t j = 0; j < columns; j++) {
            fit->gradient[j] += pull * (double)row[j];
        }
        if (with_curvature) {
            add_outer(fit->factor, row, (double)data->weights[i] * p * (1 - p), columns);
        }
    }
}

/* Lower Cholesky factor in place. The precision makes the matrix positive definite; what
 * rounding takes away is put back. */
static void
factorise(double *matrix, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        double *line = matrix + j * n;

        for (size_t k = 0; k <= j; k++) {
            const double *other = matrix + k * n;
            double sum = line[k];

            for (size_t m = 0; m < k; m++) {
                sum -= line[m] * other[m];
            }
            line[k] = k == j ? sqrt(MAX(sum, 1e-12)) : sum / other[k];
        }
    }
}

/* Solves factor × factorᵀ × x = x. */
static void
solve(const double *factor, double *x, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        for (size_t k = 0; k < j; k++) {
            x[j] -= factor[j * n + k] * x[k];
        }
        x[j] /= factor[j * n + j];
    }
    for (size_t j = n; j-- > 0;) {
        for (size_t k = j + 1; k < n; k++) {
            x[j] -= factor[k * n + j] * x[k];
        }
        x[j] /= factor[j * n + j];
    }
}

/* Moves @weights along the step in fit->gradient as far as that helps; returns by how much the
 * weight that moved most did. */
static double
advance(Fit *fit, double *weights, double *trial, double *value)
{
    double scale = 1;

    for (int halving = 0; halving < HALVINGS; halving++, scale /= 2) {
        double moved = 0;

        for (size_t j = 0; j < fit->data->columns; j++) {
            trial[j] = weights[j] + scale * fit->gradient[j];
            moved = MAX(moved, fabs(scale * fit->gradient[j]));
        }
        double there = log_posterior(fit, trial);

        if (there >= *value) {
            memcpy(weights, trial, fit->data->columns * sizeof(double));
            *value = there;
            return moved;
        }
    }
    return 0;
}

void
fsn_logistic_fit(const FsnLogisticData *data,
                 const double *prior,
                 const double *precision,
                 double *weights)
{
    g_return_if_fail(data->columns > 0 && data->columns <= FSN_LOGISTIC_COLUMNS_MAX);
    g_autofree double *factor = g_new(double, data->columns * data->columns);
    g_autofree double *gradient = g_new(double, data->columns);
    g_autofree double *trial = g_new(double, data->columns);
    Fit fit = { data, prior, precision, factor, gradient };

    double value = log_posterior(&fit, weights);

    for (int round = 0; round < ROUNDS; round++) {
        bool curved = round < CURVED_ROUNDS;

        differentiate(&fit, weights, curved);
        if (curved) {
            factorise(factor, data->columns);
        }
        solve(factor, gradient, data->columns);
        if (advance(&fit, weights, trial, &value) < STEP_TOLERANCE) {
            break;
        }
    }
}
