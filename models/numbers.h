/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

G_BEGIN_DECLS

/* Order statistics, and the two small solvers that the models share. Nothing here calls
 * BLAS: systems have at most some sixty unknowns, and a result that depends on how many
 * threads a library starts could not be repeated elsewhere. */

/* The @p quantile (0 to 1) of @n values, interpolated (Hyndman and Fan 1996, type 7);
 * @values is put into ascending order. NAN if there are none. */
double fsn_quantile(double *values, size_t n, double p);
/* The same for values that ascend already. */
double fsn_quantile_sorted(const double *values, size_t n, double p);
/* The median; @values is reordered, not sorted: faster than the above. */
double fsn_median(double *values, size_t n);
/* The smallest value that at least @p of the total weight does not exceed; @values and
 * @weights are sorted together. */
double fsn_weighted_quantile(double *values, double *weights, size_t n, double p);
double fsn_mean(const double *values, size_t n);

/* Solves @a x = @b for a symmetric positive definite matrix (row by row, only the lower half
 * is read, both are overwritten; @b gets x) by Cholesky's method. False if it is not
 * positive definite. */
bool fsn_solve_spd(double *a, double *b, size_t n);

typedef struct {
    const double *x;       /* rows × cols, row by row */
    const double *y;       /* rows */
    const double *weights; /* rows, or NULL */
    const double *prior;   /* cols, what the coefficients are shrunk to; NULL: 0 */
    size_t rows, cols;     /* at most 64 columns */
    double ridge; /* strength of the shrinkage, as a part of each column's own power */
} FsnRegression;

/* Coefficients of the @tau quantile given the columns (Koenker and Bassett 1978; for .5 least
 * absolute deviations) by iteratively re-weighted least squares (Schlossmacher 1973), with
 * ridge shrinkage (Hoerl and Kennard 1970). @beta is the start and gets the result.
 * @iterations of them are made. */
void fsn_regress_quantile(const FsnRegression *regression,
                          double tau,
                          unsigned iterations,
                          double *beta);

G_END_DECLS
