/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "history/store.h"

G_BEGIN_DECLS

/* A value out of a file. */
typedef struct {
    int64_t time_us;
    FsnMetricValue value;
} FsnCsvValue;

/* Longest file. */
#define FSN_CSV_MAX ((size_t)256 << 20)

/* Reads lines of comma-separated values (RFC 4180). The first one names the columns: "time" (RFC
 * 3339 with a zone, or seconds since 1970), and either "metric" and "value" (or "mean"), as 'foresnap history
 * --csv' prints them, or one column per metric, named by it. Empty fields are not known. Any bytes
 * lead to values (FsnCsvValue), ascending in time, or to FSN_ERROR_FORMAT that names the line. */
bool fsn_history_csv_parse(const char *text,
                           size_t len,
                           GArray **out_values,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Inserts values (FsnCsvValue, ascending in time) as fsn_history_insert() does, all or none. Of two
 * of the same time and metric the last counts. */
bool fsn_history_insert_values(FsnHistory *history,
                               const char *uuid,
                               const char *name,
                               GArray *values,
                               int64_t now_us,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
