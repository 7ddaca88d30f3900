/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/series.h"

G_BEGIN_DECLS

/* The longest series out of a file, in steps: gaps count too. */
#define FSN_IDLE_CSV_MAX 1000000

/* A series out of comma-separated values: the column "timestamp", "time" or "start" (RFC 3339, UTC
 * where there is no offset, or seconds since 1970) and "value" or "mean", or the one column beside
 * it. Rows may be in any order; those of one step are averaged; of two of the same instant
 * the last counts; an empty value, "nan" and a step without rows are not known. A value
 * that is not finite or above 1e15 in size is FSN_ERROR_FORMAT, as is a file without values;
 * rows that are further apart than @step_us, typically, are FSN_ERROR_UNSUPPORTED. */
FsnSeries *fsn_idle_parse_csv(const char *text,
                              size_t len,
                              int64_t step_us,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
