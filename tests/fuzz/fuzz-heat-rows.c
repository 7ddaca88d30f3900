/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The heat map of a disk that is kept: any JSON is one or an error; what is one is one again when
 * written, also after a round was added. */
#include "config.h"

#include "base/json.h"
#include "heat/heat.h"
#include "heat/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    double rates[FSN_HEAT_MAX_REGIONS] = { 5 };
    g_autoptr(JsonObject) object = NULL;
    g_autoptr(JsonObject) written = NULL;
    g_autoptr(FsnHeatRows) rows = NULL;
    g_autoptr(FsnHeatRows) again = NULL;

    if (!fsn_json_parse_object((const char *)data, size, 1 << 20, "rows", &object,
                               NULL) ||
        !(rows = fsn_heat_rows_from_json(object, NULL))) {
        return 0;
    }
    fsn_heat_rows_add(rows, INT64_C(1796000000000000), G_USEC_PER_SEC, rates);
    written = fsn_heat_rows_to_json(rows);
    again = fsn_heat_rows_from_json(written, NULL);
    if (!again || fsn_heat_rows_count(again) != fsn_heat_rows_count(rows)) {
        g_error("what was written cannot be read");
    }
    return 0;
}
