/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/series.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* A picture of one quantity over time: a line, and perhaps an upper one (a 95th percentile) and a
 * lower one. All series have the same times; NAN is a gap. */
typedef char *(*FsnPlotText)(double value); /* the caller frees */

typedef struct {
    char *title;
    const char *line_name;  /* "mean" */
    const char *upper_name; /* "p95"; NULL = none */
    FsnSeries *line;
    FsnSeries *upper; /* or NULL */
    FsnSeries *lower; /* or NULL: what lies between it and @upper is shaded */
    int64_t now_us;   /* a mark there, if it lies inside; 0 = none */
    FsnPlotText text; /* of a value at the axis */
} FsnPlot;

/* @title is copied, the series are taken over (upper and lower may be NULL). */
FsnPlot *fsn_plot_new(const char *title,
                      FsnSeries *line,
                      FsnSeries *upper,
                      FsnSeries *lower,
                      FsnPlotText text);
void fsn_plot_free(FsnPlot *plot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnPlot, fsn_plot_free)

/* Lines of text, at most @columns wide: bars for the line, marks for the upper one. With
 * @plain in ASCII. The caller frees. */
char *fsn_plot_terminal(const FsnPlot *plot, unsigned columns, unsigned rows, bool plain);

/* Writes plots (FsnPlot), one below the other, into @path, which ends in .svg or .png
 * (FSN_ERROR_USAGE otherwise) and is replaced as a whole. */
bool fsn_plot_write(GPtrArray *plots, const char *path, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
