/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Logistic regression towards prior weights: what is known from elsewhere holds until the data
 * say otherwise. The maximum of the posterior with Gaussian priors, found by Newton's method
 * (iteratively re-weighted least squares: McCullagh and Nelder, Generalized Linear Models,
 * 1989, with the prior of le Cessie and van Houwelingen 1992 moved from zero). */

#define FSN_LOGISTIC_COLUMNS_MAX 128

typedef struct {
    size_t rows, columns;  /* an intercept is a column of ones */
    const float *x;        /* rows × columns, row by row, finite */
    const float *weights;  /* of the rows, >= 0 */
    const uint8_t *labels; /* 0 or 1 */
} FsnLogisticData;

/* @prior: mean weights; @precision: how much each is believed (> 0). Deterministic.
 * @weights holds where to begin, and then the result; the prior mean if the data are
 * empty. */
void fsn_logistic_fit(const FsnLogisticData *data,
                      const double *prior,
                      const double *precision,
                      double *weights);

/* The linear score of one row, and the probability that belongs to a score. */
double fsn_logistic_score(const double *weights, const float *row, size_t columns);
double fsn_logistic(double score);

G_END_DECLS
