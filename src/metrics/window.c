/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Windows of time: from values, and from shorter windows. Pure. */
#include "config.h"

#include "metrics/window.h"

#include <math.h>
#include <stdlib.h>

#define QUANTILE   .95
/* Halvings of the interval in which a quantile of a mixture lies: below a float's precision. */
#define BISECTIONS 40

static int
by_value(const void *a, const void *b)
{
    const FsnWeighted *x = a, *y = b;

    return (x->value > y->value) - (x->value < y->value);
}

static uint8_t
cover_of(double weight, double whole)
{
    return (uint8_t)CLAMP(lround(weight / whole * 255), 1, 255);
}

FsnWindow
fsn_window_of(FsnWeighted *values, size_t n, double whole)
{
    double weight = 0;
    double sum = 0;
    double below = 0;
    FsnWindow w = { 0 };
    size_t i;

    qsort(values, n, sizeof *values, by_value);
    for (i = 0; i < n; i++) {
        weight += values[i].weight;
        sum += values[i].value * values[i].weight;
    }
    for (i = 0; i + 1 < n; i++) {
        below += values[i].weight;
        /* A sum of tenths is a little less than it should be. */
        if (below >= QUANTILE * weight * (1 - 1e-12)) {
            break;
        }
    }
    w.min = values[0].value;
    w.max = values[n - 1].value;
    w.p95 = values[i].value;
    w.mean = CLAMP(sum / weight, w.min, w.max);
    w.cover = cover_of(weight, whole);
    return w;
}

/* The four points of a part's distribution, ascending. */
static void
knots_of(const FsnWindow *part, double x[4])
{
    x[2] = part->p95;
    x[1] = MIN(part->mean, part->p95);
    x[0] = isnan(part->min) ? x[1] : MIN(part->min, x[1]);
    x[3] = isnan(part->max) ? MAX(part->p95, part->mean) : MAX(part->max, x[2]);
}

/* The share of a part that is not above @x. */
static double
share_below(const double knots[4], double x)
{
    static const double shares[4] = { 0, .5, .95, 1 };

    if (x >= knots[3]) {
        return 1;
    }
    for (int i = 2; i >= 0; i--) {
        if (x >= knots[i]) {
            return shares[i] + (shares[i + 1] - shares[i]) * (x - knots[i]) /
                                   (knots[i + 1] - knots[i]);
        }
    }
    return 0;
}

static double
mixture_p95(const FsnWindow *parts, const double *weights, size_t n, double total)
{
    double low = INFINITY;
    double high = -INFINITY;
    double knots[4];

    for (size_t i = 0; i < n; i++) {
        knots_of(&parts[i], knots);
        low = MIN(low, knots[2]);
        high = MAX(high, knots[2]);
    }
    /* It lies between the smallest and the largest of the parts'. */
    for (int k = 0; k < BISECTIONS && high - low > fabs(high) * 1e-9; k++) {
        double middle = low + (high - low) / 2;
        double share = 0;

        for (size_t i = 0; i < n; i++) {
            knots_of(&parts[i], knots);
            share += weights[i] * share_below(knots, middle);
        }
        if (share >= QUANTILE * total) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return high;
}

FsnWindow
fsn_window_combine(const FsnWindow *parts, const double *weights, size_t n, double whole)
{
    FsnWindow w = parts[0];
    double least = w.mean;
    double most = w.mean;
    double total = 0;
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        total += weights[i];
        sum += weights[i] * parts[i].mean;
        least = MIN(least, parts[i].mean);
        most = MAX(most, parts[i].mean);
        /* The least and the most of parts of which that is not known: what is known. */
        w.min = fmin(w.min,
                     isnan(parts[i].min) && !isnan(w.min) ? parts[i].mean : parts[i].min);
        w.max = fmax(w.max,
                     isnan(parts[i].max) && !isnan(w.max) ? parts[i].p95 : parts[i].max);
    }
    w.mean = CLAMP(sum / total, least, most); /* of equals exactly that */
    w.p95 = n == 1 ? parts[0].p95 : mixture_p95(parts, weights, n, total);
    w.cover = cover_of(total, whole);
    return w;
}
