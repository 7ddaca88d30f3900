/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/series.h"

#include <gio/gio.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* A range query to Prometheus or to what speaks like it (HTTP API v1, query_range): @query is
 * PromQL whose result is one series. Values at @from_us, @from_us + @step_us, … before
 * @to_us; NAN where there is none. @base is the server's URL, without /api. No series at all is
 * FSN_ERROR_NOT_FOUND, several FSN_ERROR_USAGE, an answer that is none FSN_ERROR_FORMAT. */
bool fsn_prometheus_range(const char *base,
                          const char *query,
                          int64_t from_us,
                          int64_t to_us,
                          int64_t step_us,
                          GCancellable *cancellable,
                          FsnSeries **out_series,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
