/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values out of a file of comma-separated values. */
#include "history/csv.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GArray) values = NULL;

    if (fsn_history_csv_parse((const char *)data, size, &values, NULL)) {
        for (guint i = 0; i < values->len; i++) {
            const FsnCsvValue *v = &g_array_index(values, FsnCsvValue, i);

            g_assert(isfinite(v->value.value) && v->time_us >= 0 &&
                     fsn_metric_name_is_valid(v->value.name));
        }
    }
    return 0;
}
