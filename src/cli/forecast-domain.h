/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"
#include "models/forecast.h"
#include "models/series.h"

G_BEGIN_DECLS

/* What is known of @metric of @domain (UUID or name) in the history at @path (NULL: the usual one):
 * means of 5 minutes of the last 28 days, from the first known value on. A domain or metric of
 * which nothing is known is FSN_ERROR_NOT_FOUND. The caller frees *@out_uuid too. */
FsnSeries *fsn_cli_domain_series(const char *domain,
                                 const char *metric,
                                 const char *path,
                                 int64_t now_us,
                                 char **out_uuid,
                                 GError **error);

/* Draws @series, its last days, and @forecast after it: into @output (SVG or PNG), or if that is
 * NULL in the terminal. */
bool fsn_cli_plot_forecast(FsnCliContext *context,
                           const char *title,
                           const char *metric,
                           const FsnSeries *series,
                           const FsnForecast *forecast,
                           const char *output,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
