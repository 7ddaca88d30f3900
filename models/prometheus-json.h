/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/series.h"

G_BEGIN_DECLS

#define FSN_PROMETHEUS_JSON_MAX (16U << 20)

/* Reads the answer of Prometheus to a range query (HTTP API v1: a matrix of one series) into
 * @series, whose times the query asked for; a value of another time is ignored, one that is not
 * finite is not known. *@out_found tells whether there was a series. Several are FSN_ERROR_USAGE;
 * an error that Prometheus reports is FSN_ERROR_FAILED with its words; else FSN_ERROR_FORMAT. */
bool fsn_prometheus_parse(const char *text,
                          size_t len,
                          FsnSeries *series,
                          bool *out_found,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
