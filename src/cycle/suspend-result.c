/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The results of a suspend and a prepare, and their documented JSON form. Pure. */
#include "config.h"

#include "cycle/prepare.h"
#include "cycle/suspend.h"

#include "base/json.h"

#include <string.h>

void
fsn_suspend_result_clear(FsnSuspendResult *result)
{
    g_clear_pointer(&result->domain, g_free);
    g_clear_pointer(&result->warning, g_free);
}

void
fsn_prepare_result_clear(FsnPrepareResult *result)
{
    g_clear_pointer(&result->domain, g_free);
}

JsonObject *
fsn_suspend_result_to_json(const FsnSuspendResult *r)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "snapshot", r->snapshot);
    json_object_set_string_member(o, "domain", r->domain);
    json_object_set_string_member(o, "kind", "suspend");
    fsn_json_set_string(o, "parent", r->parent[0] ? r->parent : NULL);
    if (r->warning) {
        json_object_set_string_member(o, "warning", r->warning);
    }
    json_object_set_boolean_member(o, "prepared", r->prepared);
    json_object_set_int_member(o, "pause_us", r->pause_us);
    json_object_set_int_member(o, "total_us", r->total_us);
    json_object_set_int_member(o, "bytes_read", (int64_t)r->bytes_read);
    json_object_set_int_member(o, "bytes_changed", (int64_t)r->bytes_changed);
    json_object_set_int_member(o, "bytes_stored", (int64_t)r->bytes_stored);
    return o;
}

static bool
get_bytes(JsonObject *o, const char *name, uint64_t *out, GError **error)
{
    int64_t value;

    if (!fsn_json_get_int(o, name, 0, G_MAXINT64, &value, error)) {
        return false;
    }
    *out = (uint64_t)value;
    return true;
}

bool
fsn_suspend_result_from_json(JsonObject *o, FsnSuspendResult *out_result, GError **error)
{
    FsnSuspendResult r = { 0 };
    const char *snapshot;
    const char *domain;

    if (!fsn_json_get_string(o, "snapshot", &snapshot, error) ||
        !fsn_json_get_string(o, "domain", &domain, error) ||
        !fsn_json_get_int(o, "pause_us", 0, G_MAXINT64, &r.pause_us, error) ||
        !fsn_json_get_int(o, "total_us", 0, G_MAXINT64, &r.total_us, error) ||
        !get_bytes(o, "bytes_read", &r.bytes_read, error) ||
        !get_bytes(o, "bytes_changed", &r.bytes_changed, error) ||
        !get_bytes(o, "bytes_stored", &r.bytes_stored, error)) {
        return false;
    }
    g_strlcpy(r.snapshot, snapshot, sizeof(r.snapshot));
    g_strlcpy(r.parent, fsn_json_peek_string(o, "parent", ""), sizeof(r.parent));
    r.prepared = fsn_json_peek_bool(o, "prepared", false);
    r.domain = g_strdup(domain);
    r.warning = g_strdup(fsn_json_peek_string(o, "warning", NULL));
    *out_result = r;
    return true;
}
