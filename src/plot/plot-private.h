/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "plot/plot.h"

#include <cairo.h>

G_BEGIN_DECLS

/* The values' range with a round upper end, which is above the lower one. */
void fsn_plot_range(const FsnPlot *plot, double *out_low, double *out_high);

/* Local time at the axis; shows the date where a plot is longer than a day. The caller frees. */
char *fsn_plot_time_text(const FsnPlot *plot, int64_t time_us);

/* Draws into @path, which ends in .svg or .png (FSN_ERROR_USAGE otherwise) and is replaced as a
 * whole, on white, with a font. */
typedef void (*FsnPlotDraw)(cairo_t *cr, gpointer user);
bool fsn_plot_picture(const char *path,
                      int width,
                      int height,
                      FsnPlotDraw draw,
                      gpointer user,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
