/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ARMA models by conditional least squares, for small orders. Sources are named in arima.c.
 */
#include "models/arma.h"

#include "models/numbers.h"

#include <math.h>
#include <string.h>

#define LONG_AR      12 /* Hannan and Rissanen's first step */
#define STEPS        4  /* of Gauss-Newton */
#define ORDER_SUM    4
#define COEFFICIENTS (2 * FSN_ARMA_MAX)

/* Whether 1 - c1 z - c2 z² - … has its roots outside of the unit circle: the step-down
 * recursion of Schur and Cohn. */
static bool
roots_outside(const double *c, size_t n)
{
    double a[FSN_ARMA_MAX];

    memcpy(a, c, n * sizeof(double));
    for (size_t k = n; k > 0; k--) {
        double last = a[k - 1];
        double lower[FSN_ARMA_MAX];

        if (!(fabs(last) < .9999)) {
            return false;
        }
        for (size_t i = 0; i + 1 < k; i++) {
            lower[i] = (a[i] + last * a[k - 2 - i]) / (1 - last * last);
        }
        memcpy(a, lower, (k - 1) * sizeof(double));
    }
    return true;
}

static void
shrink(double *c, size_t n, double sign)
{
    double signedc[FSN_ARMA_MAX];

    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < n; i++) {
            signedc[i] = sign * c[i];
        }
        if (roots_outside(signedc, n)) {
            return;
        }
        /* Moves the roots outwards by a factor. */
        for (size_t i = 0; i < n; i++) {
            c[i] *= pow(.98, (double)(i + 1));
        }
    }
    memset(c, 0, n * sizeof(double));
}

void
fsn_arma_make_stable(FsnArma *arma)
{
    shrink(arma->ar, arma->p, 1);
    shrink(arma->ma, arma->q, -1);
}

/* Errors conditional on none before the first p values; returns the sum of squares. */
static double
find_errors(const FsnArma *arma, const double *y, size_t n, double *e)
{
    double sum = 0;

    for (size_t t = 0; t < n; t++) {
        double expected = 0;

        for (size_t i = 0; i < arma->p && i < t; i++) {
            expected += arma->ar[i] * y[t - 1 - i];
        }
        for (size_t j = 0; j < arma->q && j < t; j++) {
            expected += arma->ma[j] * e[t - 1 - j];
        }
        e[t] = t < arma->p ? 0 : y[t] - expected;
        sum += e[t] * e[t];
    }
    return sum;
}

/* Least squares of @y on its own lags and those of @e, from @first; sets @arma. */
static void
regress_lags(FsnArma *arma, const double *y, const double *e, size_t first, size_t n)
{
    size_t cols = arma->p + arma->q;
    double a[COEFFICIENTS * COEFFICIENTS] = { 0 };
    double b[COEFFICIENTS] = { 0 };

    for (size_t t = first; t < n; t++) {
        double x[COEFFICIENTS];

        for (size_t i = 0; i < arma->p; i++) {
            x[i] = y[t - 1 - i];
        }
        for (size_t j = 0; j < arma->q; j++) {
            x[arma->p + j] = e[t - 1 - j];
        }
        for (size_t i = 0; i < cols; i++) {
            for (size_t k = 0; k <= i; k++) {
                a[i * cols + k] += x[i] * x[k];
            }
            b[i] += x[i] * y[t];
        }
    }
    for (size_t i = 0; i < cols; i++) {
        a[i * cols + i] *= 1 + 1e-6;
    }
    if (fsn_solve_spd(a, b, cols)) {
        memcpy(arma->ar, b, arma->p * sizeof(double));
        memcpy(arma->ma, b + arma->p, arma->q * sizeof(double));
    }
}

/* Errors of a long autoregression by the equations of Yule and Walker (Levinson and Durbin's
 * recursion). */
static void
long_errors(const double *y, size_t n, double *e)
{
    double r[LONG_AR + 1] = { 0 };
    double a[LONG_AR] = { 0 };
    double variance;

    for (size_t lag = 0; lag <= LONG_AR && lag < n; lag++) {
        for (size_t t = lag; t < n; t++) {
            r[lag] += y[t] * y[t - lag];
        }
    }
    variance = r[0];
    for (size_t k = 0; k < LONG_AR && variance > 0; k++) {
        double old[LONG_AR];
        double reflection = r[k + 1];

        for (size_t i = 0; i < k; i++) {
            reflection -= a[i] * r[k - i];
        }
        reflection /= variance;
        memcpy(old, a, sizeof old);
        a[k] = reflection;
        for (size_t i = 0; i < k; i++) {
            a[i] = old[i] - reflection * old[k - 1 - i];
        }
        variance *= 1 - reflection * reflection;
    }
    for (size_t t = 0; t < n; t++) {
        e[t] = y[t];
        for (size_t i = 0; i < LONG_AR && i < t; i++) {
            e[t] -= a[i] * y[t - 1 - i];
        }
    }
}

/* Derivatives of the errors by the parameters follow the same recursion; one step solves
 * the least squares of the errors on them. @g has cols × n places. */
static void
newton_step(const FsnArma *arma,
            const double *y,
            const double *e,
            size_t n,
            double *g,
            double *step)
{
    size_t cols = arma->p + arma->q;
    double a[COEFFICIENTS * COEFFICIENTS] = { 0 };

    memset(step, 0, cols * sizeof(double));
    for (size_t t = 0; t < n; t++) {
        double *row = g + t * cols;

        for (size_t i = 0; i < cols; i++) {
            size_t lag = i < arma->p ? i + 1 : i - arma->p + 1;

            row[i] = t < lag || t < arma->p ? 0 : i < arma->p ? -y[t - lag] : -e[t - lag];
            for (size_t j = 0; j < arma->q && j < t; j++) {
                row[i] -= t < arma->p ? 0 : arma->ma[j] * g[(t - 1 - j) * cols + i];
            }
        }
        for (size_t i = 0; i < cols; i++) {
            for (size_t k = 0; k <= i; k++) {
                a[i * cols + k] += row[i] * row[k];
            }
            step[i] -= row[i] * e[t];
        }
    }
    for (size_t i = 0; i < cols; i++) {
        a[i * cols + i] *= 1 + 1e-4;
    }
    if (!fsn_solve_spd(a, step, cols)) {
        memset(step, 0, cols * sizeof(double));
    }
}

static void
move(FsnArma *arma, const double *step, double part)
{
    for (size_t i = 0; i < arma->p; i++) {
        arma->ar[i] += part * step[i];
    }
    for (size_t j = 0; j < arma->q; j++) {
        arma->ma[j] += part * step[arma->p + j];
    }
    fsn_arma_make_stable(arma);
}

double
fsn_arma_fit_order(FsnArma *arma, const double *y, size_t n)
{
    size_t cols = arma->p + arma->q;
    g_autofree double *e = g_new(double, n);
    g_autofree double *g = g_new(double, n *MAX(cols, 1));
    double step[COEFFICIENTS];
    double least;

    if (cols > 0 && n > LONG_AR + 10) {
        long_errors(y, n, e);
        regress_lags(arma, y, e, LONG_AR, n);
        fsn_arma_make_stable(arma);
    }
    least = find_errors(arma, y, n, e);
    for (int round = 0; round < STEPS && cols > 0; round++) {
        FsnArma moved = *arma;

        newton_step(arma, y, e, n, g, step);
        move(&moved, step, 1);
        double sum = find_errors(&moved, y, n, e);
        if (!(sum < least)) {
            moved = *arma;
            move(&moved, step, .3);
            sum = find_errors(&moved, y, n, e);
        }
        if (!(sum < least)) {
            break;
        }
        bool enough = sum > least * (1 - 1e-6);
        *arma = moved;
        least = sum;
        if (enough) {
            break;
        }
    }
    return least / (double)MAX(n - arma->p, 1);
}

void
fsn_arma_fit(FsnArma *arma, const double *y, size_t n)
{
    double least = INFINITY;

    memset(arma, 0, sizeof *arma);
    for (size_t p = 0; p <= FSN_ARMA_MAX; p++) {
        for (size_t q = 0; q <= FSN_ARMA_MAX && p + q <= ORDER_SUM; q++) {
            FsnArma tried = { .p = p, .q = q };
            double variance = fsn_arma_fit_order(&tried, y, n);
            double bic = (double)n * log(MAX(variance, 1e-300)) +
                         log((double)n) * (double)(p + q + 1);

            if (bic < least) {
                least = bic;
                *arma = tried;
            }
        }
    }
}

void
fsn_arma_forecast(
    const FsnArma *arma, const double *y, size_t n, size_t horizon, double *out)
{
    g_autofree double *e = g_new(double, n);

    (void)find_errors(arma, y, n, e);
    for (size_t h = 0; h < horizon; h++) {
        out[h] = 0;
        for (size_t i = 0; i < arma->p; i++) {
            if (i < h) {
                out[h] += arma->ar[i] * out[h - 1 - i];
            } else if (i - h < n) {
                out[h] += arma->ar[i] * y[n - 1 - (i - h)];
            }
        }
        for (size_t j = h; j < arma->q; j++) {
            out[h] += j - h < n ? arma->ma[j] * e[n - 1 - (j - h)] : 0;
        }
    }
}
