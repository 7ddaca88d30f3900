/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "plot/plot.h"

G_BEGIN_DECLS

/* The values' range with a round upper end, which is above the lower one. */
void fsn_plot_range(const FsnPlot *plot, double *out_low, double *out_high);

/* Local time at the axis; shows the date where a plot is longer than a day. The caller frees. */
char *fsn_plot_time_text(const FsnPlot *plot, int64_t time_us);

G_END_DECLS
