/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The suspend as the command line knows it: finish a prepared one, or do it all in one go. */
#include "config.h"

#include "cycle/suspend.h"

#include "base/clock.h"
#include "base/error.h"
#include "cycle/holder.h"
#include "cycle/prepare.h"
#include "cycle/suspend-run.h"
#include "virt/domain.h"

/* True if a holder was found and the outcome is its own. */
static bool
finish_prepared(FsnCycle *cycle,
                const char *domain,
                bool *out_done,
                FsnSuspendResult *out_result,
                GError **error)
{
    FsnVirt *virt = fsn_cycle_virt(cycle, error);
    g_autoptr(FsnVirtDomain) d = NULL;
    g_autoptr(JsonObject) result = NULL;
    g_autoptr(GError) local = NULL;

    if (!virt || !fsn_virt_lookup(virt, domain, &d, error)) {
        return false;
    }
    *out_done =
        fsn_holder_call(cycle, fsn_virt_domain_uuid(d), "finish", &result, &local);
    if (*out_done) {
        return fsn_suspend_result_from_json(result, out_result, error);
    }
    if (g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

/* Prepares in this process and holds until the time has come. */
static bool
hold_ahead(FsnCycle *cycle, FsnSuspendRun *run, int64_t ahead_s, GError **error)
{
    g_auto(FsnPrepareResult) prepared = { 0 };
    int64_t start = fsn_monotonic_us();
    int64_t deadline = start + ahead_s * G_USEC_PER_SEC;

    if (!fsn_suspend_run_prepare(run, &prepared, error)) {
        return false;
    }
    while (fsn_monotonic_us() < deadline) {
        int64_t left_ms = (deadline - fsn_monotonic_us()) / 1000;

        fsn_cycle_progress(cycle, "holding",
                           (uint64_t)((fsn_monotonic_us() - start) / G_USEC_PER_SEC),
                           (uint64_t)ahead_s);
        if (!fsn_suspend_run_idle(run, (int)CLAMP(left_ms, 1, 200), error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_cycle_suspend(FsnCycle *cycle,
                  const char *domain,
                  const FsnSuspendOptions *options,
                  FsnSuspendResult *out_result,
                  GError **error)
{
    g_autoptr(FsnSuspendRun) run = NULL;
    FsnSuspendOptions own = *options;
    bool done;

    if (options->paused && options->ahead_s >= 0) {
        g_set_error(
            error, FSN_ERROR, FSN_ERROR_USAGE,
            "a guest that is to be stopped first cannot be suspended ahead of time");
        return false;
    }
    if (!finish_prepared(cycle, domain, &done, out_result, error)) {
        return false;
    }
    if (done) {
        return true;
    }
    if (own.ahead_s >= 0) {
        own.max_hold_s = own.ahead_s + 60;
    }
    run = fsn_suspend_run_new(cycle, domain, &own, error);
    return run && (own.ahead_s < 0 || hold_ahead(cycle, run, own.ahead_s, error)) &&
           fsn_suspend_run_finish(run, out_result, error);
}
