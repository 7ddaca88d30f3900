/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Heat maps as lines of text. */
#include "config.h"

#include "plot/heat.h"

#include <math.h>
#include <string.h>

/* A value that much below the greatest is nothing. */
#define DECADES 4.0

FsnHeatPlot *
fsn_heat_plot_new(const char *title, unsigned columns)
{
    FsnHeatPlot *plot = g_new0(FsnHeatPlot, 1);

    plot->title = g_strdup(title);
    plot->columns = columns;
    plot->values = g_array_new(FALSE, FALSE, sizeof(double));
    plot->labels = g_ptr_array_new_with_free_func(g_free);
    return plot;
}

void
fsn_heat_plot_free(FsnHeatPlot *plot)
{
    if (plot) {
        g_array_unref(plot->values);
        g_ptr_array_unref(plot->labels);
        g_free(plot->title);
        g_free(plot);
    }
}

void
fsn_heat_plot_add(FsnHeatPlot *plot, const char *label, const double *values)
{
    g_array_append_vals(plot->values, values, plot->columns);
    g_ptr_array_add(plot->labels, g_strdup(label));
}

unsigned
fsn_heat_shade(double value, double most, unsigned steps)
{
    double share;

    if (!(value > 0) || !(most > 0)) {
        return 0;
    }
    share = 1 + log10(MIN(value / most, 1)) / DECADES;
    return share <= 0 ? 1 : CLAMP((unsigned)ceil(share * steps), 1, steps);
}

static double
greatest(const FsnHeatPlot *plot)
{
    double most = 0;

    for (guint i = 0; i < plot->values->len; i++) {
        most = MAX(most, g_array_index(plot->values, double, i));
    }
    return most;
}

char *
fsn_heat_plot_terminal(const FsnHeatPlot *plot, bool plain)
{
    static const char *const fine[] = { "\xc2\xb7", "\xe2\x96\x91", "\xe2\x96\x92",
                                        "\xe2\x96\x93", "\xe2\x96\x88" };
    static const char *const ascii[] = { ".", ":", "+", "*", "#" };
    GString *text = g_string_new(NULL);
    double most = greatest(plot);

    g_string_append_printf(text, "%s\n", plot->title);
    for (guint row = 0; row < plot->labels->len; row++) {
        g_string_append_printf(text, "%9s ", (const char *)plot->labels->pdata[row]);
        for (unsigned i = 0; i < plot->columns; i++) {
            double value = g_array_index(plot->values, double, row * plot->columns + i);
            unsigned shade = fsn_heat_shade(value, most, 4);

            g_string_append(text, value < 0 ? " " : plain ? ascii[shade] : fine[shade]);
        }
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}
