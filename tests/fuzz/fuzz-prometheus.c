/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as an answer of Prometheus: known values are finite, or an error. */
#include "config.h"

#include "models/prometheus-json.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(FsnSeries) series = fsn_series_new(0, (int64_t)60 * G_USEC_PER_SEC, 10);
    bool found;

    bool ok = fsn_prometheus_parse((const char *)data, size, series, &found, NULL);

    for (size_t i = 0; ok && i < series->n; i++) {
        if (isinf(series->values[i])) {
            g_error("an infinite value");
        }
    }
    return 0;
}
