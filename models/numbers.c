/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Order statistics and small solvers, deterministic to the bit on one machine. No pivoting,
 * no blocking: what is solved here is small and made positive definite by a ridge.
 */
#include "models/numbers.h"

#include <math.h>
#include <string.h>

#define COLS_MAX 64
#define RUN      8 /* sorted by insertion */

typedef struct {
    double value, weight;
} Weighted;

double
fsn_quantile_sorted(const double *values, size_t n, double p)
{
    if (n == 0) {
        return NAN;
    }
    double at = p * (double)(n - 1);
    size_t i = MIN((size_t)at, n - 1);
    size_t next = MIN(i + 1, n - 1);

    return values[i] + (at - (double)i) * (values[next] - values[i]);
}

static void
sort_small(double *values, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        double v = values[i];
        size_t k = i;

        for (; k > 0 && values[k - 1] > v; k--) {
            values[k] = values[k - 1];
        }
        values[k] = v;
    }
}

static void
sort_few(Weighted *pairs, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        Weighted pair = pairs[i];
        size_t k = i;

        for (; k > 0 && pairs[k - 1].value > pair.value; k--) {
            pairs[k] = pairs[k - 1];
        }
        pairs[k] = pair;
    }
}

/* Merges the first @half of @n pairs with the rest of them, each in order, into @out. */
static void
merge(const Weighted *pairs, size_t half, size_t n, Weighted *out)
{
    const Weighted *a = pairs;
    const Weighted *b = pairs + half;

    while (a < pairs + half && b < pairs + n) {
        bool second = b->value < a->value;

        *out++ = *(second ? b : a);
        a += !second;
        b += second;
    }
    memcpy(out, a, (size_t)(pairs + half - a) * sizeof *a);
    memcpy(out + (pairs + half - a), b, (size_t)(pairs + n - b) * sizeof *b);
}

/* Keeps the order of equal values, and takes no time where all is in order already. qsort()
 * does the same with a call for each comparison, which was a fifth of a forecast. */
static void
sort_pairs(Weighted *pairs, size_t n)
{
    g_autofree Weighted *room = g_new(Weighted, MAX(n, 1));

    for (size_t i = 0; i < n; i += RUN) {
        sort_few(pairs + i, MIN(RUN, n - i));
    }
    for (size_t run = RUN; run < n; run *= 2) {
        for (size_t i = 0; i + run < n; i += 2 * run) {
            size_t both = MIN(2 * run, n - i);

            if (pairs[i + run].value < pairs[i + run - 1].value) {
                merge(pairs + i, run, both, room);
                memcpy(pairs + i, room, both * sizeof *pairs);
            }
        }
    }
}

double
fsn_quantile(double *values, size_t n, double p)
{
    if (n <= 24) {
        sort_small(values, n);
        return fsn_quantile_sorted(values, n, p);
    }
    g_autofree Weighted *pairs = g_new(Weighted, n);

    for (size_t i = 0; i < n; i++) {
        pairs[i] = (Weighted){ values[i], 0 };
    }
    sort_pairs(pairs, n);
    for (size_t i = 0; i < n; i++) {
        values[i] = pairs[i].value;
    }
    return fsn_quantile_sorted(values, n, p);
}

/* Hoare's selection: puts the element of rank @k where it belongs. */
static double
select_rank(double *values, size_t n, size_t k)
{
    size_t low = 0;
    size_t high = n - 1;

    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        size_t i = low;
        size_t j = high;

        while (true) {
            while (values[i] < pivot) {
                i++;
            }
            while (values[j] > pivot) {
                j--;
            }
            if (i >= j) {
                break;
            }
            double v = values[i];
            values[i++] = values[j];
            values[j--] = v;
        }
        if (k <= j) {
            high = j;
        } else {
            low = j + 1;
        }
    }
    return values[k];
}

double
fsn_median(double *values, size_t n)
{
    if (n == 0) {
        return NAN;
    }
    if (n <= 24) {
        sort_small(values, n);
        return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
    }
    double upper = select_rank(values, n, n / 2);

    if (n % 2) {
        return upper;
    }
    double lower = -INFINITY;
    for (size_t i = 0; i < n / 2; i++) {
        lower = MAX(lower, values[i]);
    }
    return (lower + upper) / 2;
}

double
fsn_weighted_quantile(double *values, double *weights, size_t n, double p)
{
    g_autofree Weighted *pairs = g_new(Weighted, MAX(n, 1));
    double total = 0;
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        pairs[i] = (Weighted){ values[i], weights[i] };
        total += weights[i];
    }
    sort_pairs(pairs, n);
    for (size_t i = 0; i < n; i++) {
        values[i] = pairs[i].value;
        weights[i] = pairs[i].weight;
    }
    for (size_t i = 0; i < n; i++) {
        sum += weights[i];
        if (sum >= p * total) {
            return values[i];
        }
    }
    return n ? values[n - 1] : NAN;
}

double
fsn_mean(const double *values, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        sum += values[i];
    }
    return n ? sum / (double)n : NAN;
}

bool
fsn_solve_spd(double *a, double *b, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        for (size_t i = j; i < n; i++) {
            double sum = a[i * n + j];

            for (size_t k = 0; k < j; k++) {
                sum -= a[i * n + k] * a[j * n + k];
            }
            if (i > j) {
                a[i * n + j] = sum / a[j * n + j];
            } else if (!(sum > 0)) {
                return false;
            } else {
                a[j * n + j] = sqrt(sum);
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            b[i] -= a[i * n + k] * b[k];
        }
        b[i] /= a[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++) {
            b[i] -= a[k * n + i] * b[k];
        }
        b[i] /= a[i * n + i];
    }
    return true;
}

/* Lower half of X'WX into @a and X'Wz into @b. */
static void
accumulate(const FsnRegression *r, const double *w, const double *z, double *a, double *b)
{
    size_t cols = r->cols;

    memset(a, 0, cols * cols * sizeof(double));
    memset(b, 0, cols * sizeof(double));
    for (size_t i = 0; i < r->rows; i++) {
        const double *x = r->x + i * cols;

        for (size_t j = 0; j < cols; j++) {
            double wx = w[i] * x[j];

            for (size_t k = 0; k <= j; k++) {
                a[j * cols + k] += wx * x[k];
            }
            b[j] += wx * z[i];
        }
    }
}

/* The residuals of @beta, and their mean size. */
static double
residuals(const FsnRegression *r, const double *beta, double *out)
{
    double sum = 0;

    for (size_t i = 0; i < r->rows; i++) {
        double fit = 0;

        for (size_t j = 0; j < r->cols; j++) {
            fit += r->x[i * r->cols + j] * beta[j];
        }
        out[i] = r->y[i] - fit;
        sum += fabs(out[i]);
    }
    return sum / (double)MAX(r->rows, 1);
}

void
fsn_regress_quantile(const FsnRegression *r,
                     double tau,
                     unsigned iterations,
                     double *beta)
{
    g_return_if_fail(r->cols <= COLS_MAX);
    g_autofree double *a = g_new(double, r->cols * r->cols);
    g_autofree double *w = g_new(double, MAX(r->rows, 1));
    g_autofree double *e = g_new(double, MAX(r->rows, 1));
    double b[COLS_MAX];

    for (unsigned round = 0; round < iterations; round++) {
        double size = residuals(r, beta, e);
        double floor = MAX(size * 1e-2, 1e-12);

        if (size < 1e-12) {
            return;
        }
        for (size_t i = 0; i < r->rows; i++) {
            w[i] = (e[i] < 0 ? 1 - tau : tau) / MAX(fabs(e[i]), floor) *
                   (r->weights ? r->weights[i] : 1);
        }
        accumulate(r, w, r->y, a, b);
        for (size_t j = 0; j < r->cols; j++) {
            double strength = r->ridge * a[j * r->cols + j] + 1e-9;

            a[j * r->cols + j] += strength;
            b[j] += r->prior ? strength * r->prior[j] : 0;
        }
        if (!fsn_solve_spd(a, b, r->cols)) {
            return;
        }
        memcpy(beta, b, r->cols * sizeof(double));
    }
}
