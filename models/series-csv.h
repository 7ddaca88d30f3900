/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/series.h"

G_BEGIN_DECLS

/* Series from CSV text, whatever shape the times are in. */

#define FSN_CSV_ROWS_MAX  2000000 /* that are read */
#define FSN_CSV_STEPS_MAX 4000000 /* that the times may span */
#define FSN_CSV_VALUE_MAX 1e30    /* larger ones are refused */

/* What was made regular. */
typedef struct {
    size_t rows;     /* with a value */
    size_t unsorted; /* that came after a later one */
    size_t merged;   /* that fell on the time of another one, and were averaged with it */
    size_t unknown;  /* steps without a value */
} FsnCsvFacts;

/* Lines of "time,value" or of values alone, with or without a heading; where the heading names
 * the columns, "timestamp", "time" or "date" and "value" are taken from any place. Times are
 * ISO 8601 (UTC where they name no offset) or seconds, milliseconds or microseconds since
 * 1970. Values that are empty, NA, NaN or null are unknown. @period_us is the step, or 0: the
 * most usual difference of the times; values alone need it. Rows may be in any order;
 * each goes to the nearest step, and those that meet are averaged. Anything else is
 * FSN_ERROR_FORMAT that names the line. @out_facts may be NULL. The caller frees. */
FsnSeries *fsn_series_from_csv(const char *text,
                               size_t len,
                               int64_t period_us,
                               FsnCsvFacts *out_facts,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
