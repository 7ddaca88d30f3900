/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* A heat map of one disk: columns are places, rows are times. Values are rates; negative = not
 * known. Shades go by the logarithm. */
typedef struct {
    char *title;
    unsigned columns;
    GArray *values;    /* of double, row by row */
    GPtrArray *labels; /* of char *, one a row */
} FsnHeatPlot;

FsnHeatPlot *fsn_heat_plot_new(const char *title, unsigned columns);
void fsn_heat_plot_free(FsnHeatPlot *plot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnHeatPlot, fsn_heat_plot_free)

/* Copies @label and as many values as the plot has columns. */
void fsn_heat_plot_add(FsnHeatPlot *plot, const char *label, const double *values);

/* From 0 (nothing) to @steps of a value among those up to @most. */
unsigned fsn_heat_shade(double value, double most, unsigned steps);

/* Lines of text, with @plain in ASCII; the caller frees. */
char *fsn_heat_plot_terminal(const FsnHeatPlot *plot, bool plain);
/* Writes plots (FsnHeatPlot) as SVG or PNG, as fsn_plot_write(). */
bool fsn_heat_plot_write(GPtrArray *plots, const char *path, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
