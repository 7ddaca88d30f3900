/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as CSV: an error, or a series with finite values and steps that are as many as
 * the times allow.
 */
#include "models/series-csv.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t periods[] = { 0, 1, 300 * G_USEC_PER_SEC };

    for (size_t p = 0; p < G_N_ELEMENTS(periods); p++) {
        g_autoptr(GError) error = NULL;
        FsnCsvFacts facts = { 0 };
        g_autoptr(FsnSeries) series =
            fsn_series_from_csv((const char *)data, size, periods[p], &facts, &error);

        if (!series != (error != NULL)) {
            abort();
        }
        for (size_t i = 0; series && i < series->n; i++) {
            if (isinf(series->values[i]) || fabs(series->values[i]) > FSN_CSV_VALUE_MAX) {
                abort();
            }
        }
        if (series && facts.rows == 0) {
            abort();
        }
    }
    return 0;
}
