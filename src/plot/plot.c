/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is drawn, and on which scale; how, stand terminal.c and image.c. */
#include "config.h"

#include "plot/plot-private.h"

#include <math.h>

#define DAY_US ((int64_t)86400 * G_USEC_PER_SEC)

FsnPlot *
fsn_plot_new(const char *title,
             FsnSeries *line,
             FsnSeries *upper,
             FsnSeries *lower,
             FsnPlotText text)
{
    FsnPlot *plot = g_new0(FsnPlot, 1);

    g_assert(!upper || upper->n == line->n);
    g_assert(!lower || lower->n == line->n);
    plot->title = g_strdup(title);
    plot->line_name = "mean";
    plot->upper_name = upper ? "p95" : NULL;
    plot->line = line;
    plot->upper = upper;
    plot->lower = lower;
    plot->text = text;
    return plot;
}

void
fsn_plot_free(FsnPlot *plot)
{
    if (plot) {
        g_free(plot->title);
        fsn_series_free(plot->line);
        fsn_series_free(plot->upper);
        fsn_series_free(plot->lower);
        g_free(plot);
    }
}

static void
extend(const FsnSeries *series, double *low, double *high)
{
    for (size_t i = 0; series && i < series->n; i++) {
        *low = fmin(*low, series->values[i]); /* ignores NAN */
        *high = fmax(*high, series->values[i]);
    }
}

/* The least of 1, 2, 2.5, 5, 10 times a power of ten that is not below @value > 0. */
static double
round_up(double value)
{
    static const double steps[] = { 1, 2, 2.5, 5, 10 };
    double power = pow(10, floor(log10(value)));

    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (steps[i] * power >= value * (1 - 1e-12)) {
            return steps[i] * power;
        }
    }
    return value;
}

void
fsn_plot_range(const FsnPlot *plot, double *out_low, double *out_high)
{
    double low = 0; /* use is read against nothing */
    double high = 0;

    extend(plot->line, &low, &high);
    extend(plot->upper, &low, &high);
    extend(plot->lower, &low, &high);
    *out_low = low < 0 ? -round_up(-low) : 0;
    *out_high = high > 0 ? round_up(high) : low < 0 ? 0 : 1;
}

char *
fsn_plot_time_text(const FsnPlot *plot, int64_t time_us)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(time_us / G_USEC_PER_SEC);
    bool dates = (int64_t)plot->line->n * plot->line->step_us > DAY_US;

    return time ? g_date_time_format(time, dates ? "%Y-%m-%d %H:%M" : "%H:%M")
                : g_strdup("?");
}
