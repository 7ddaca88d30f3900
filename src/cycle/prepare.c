/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preparing a suspend, and giving a prepared one up. */
#include "config.h"

#include "cycle/prepare.h"

#include "base/error.h"
#include "base/json.h"
#include "cycle/holder.h"
#include "virt/domain.h"

bool
fsn_cycle_prepare(FsnCycle *cycle,
                  const char *domain,
                  const FsnSuspendOptions *options,
                  FsnPrepareResult *out_result,
                  GError **error)
{
    g_autoptr(JsonObject) result = NULL;
    FsnSuspendOptions own = *options;
    FsnPrepareResult r = { 0 };

    if (own.max_hold_s <= 0) {
        own.max_hold_s = FSN_SUSPEND_DEFAULT_HOLD_S;
    }
    if (!fsn_holder_spawn(cycle, domain, &own, &result, error)) {
        return false;
    }
    r.domain = g_strdup(fsn_json_peek_string(result, "domain", domain));
    r.total_us = fsn_json_peek_int(result, "total_us", 0);
    r.bytes_read = (uint64_t)fsn_json_peek_int(result, "bytes_read", 0);
    r.bytes_stored = (uint64_t)fsn_json_peek_int(result, "bytes_stored", 0);
    r.hold_s = fsn_json_peek_int(result, "hold_s", 0);
    *out_result = r;
    return true;
}

bool
fsn_cycle_prepare_abort(FsnCycle *cycle, const char *domain, GError **error)
{
    FsnVirt *virt = fsn_cycle_virt(cycle, error);
    g_autoptr(FsnVirtDomain) d = NULL;
    g_autoptr(JsonObject) result = NULL;
    g_autoptr(GError) local = NULL;

    if (!virt || !fsn_virt_lookup(virt, domain, &d, error)) {
        return false;
    }
    if (fsn_holder_call(cycle, fsn_virt_domain_uuid(d), "abort", &result, &local)) {
        return true;
    }
    if (g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE, "domain '%s' is not prepared",
                    domain);
        return false;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}
