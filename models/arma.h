/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

G_BEGIN_DECLS

/* ARMA(p, q) without a mean: y[t] = sum ar[i] y[t-1-i] + e[t] + sum ma[j] e[t-1-j]. */

#define FSN_ARMA_MAX 3

typedef struct {
    size_t p, q;
    double ar[FSN_ARMA_MAX];
    double ma[FSN_ARMA_MAX];
} FsnArma;

/* The order up to p + q = 4 with the least BIC, and its parameters, for @n values whose mean
 * is 0; stationary and invertible. */
void fsn_arma_fit(FsnArma *arma, const double *y, size_t n);
/* Parameters of the order that @arma has; returns the mean square of the errors. */
double fsn_arma_fit_order(FsnArma *arma, const double *y, size_t n);
/* The @horizon values expected after the @n values @y. */
void fsn_arma_forecast(
    const FsnArma *arma, const double *y, size_t n, size_t horizon, double *out);
/* Shrinks parameters until the process is stationary and invertible. */
void fsn_arma_make_stable(FsnArma *arma);

G_END_DECLS
