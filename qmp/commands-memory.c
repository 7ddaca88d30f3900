/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP commands about the guest's memory, typed. Nothing is cached and nothing is decided here.
 */
#include "config.h"

#include "qmp/commands-memory.h"

#include "base/json.h"

bool
fsn_qmp_query_memory_size(FsnQmp *qmp,
                          uint64_t *out_base,
                          uint64_t *out_plugged,
                          GError **error)
{
    g_autoptr(JsonObject) value = NULL;
    int64_t base, plugged = 0;

    if (!fsn_qmp_execute_object(qmp, "query-memory-size-summary", NULL, &value, error) ||
        !fsn_json_get_int(value, "base-memory", 0, INT64_MAX, &base, error) ||
        (json_object_has_member(value, "plugged-memory") &&
         !fsn_json_get_int(value, "plugged-memory", 0, INT64_MAX, &plugged, error))) {
        return false;
    }
    *out_base = (uint64_t)base;
    *out_plugged = (uint64_t)plugged;
    return true;
}
