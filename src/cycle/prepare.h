/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/suspend.h"

G_BEGIN_DECLS

typedef struct {
    char *domain;
    int64_t total_us;
    uint64_t bytes_read;
    uint64_t bytes_stored;
    int64_t hold_s; /* after so many seconds the holder gives up by itself */
} FsnPrepareResult;

void fsn_prepare_result_clear(FsnPrepareResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnPrepareResult, fsn_prepare_result_clear)

/* Transfers the bulk of @domain's memory while it runs and leaves a holder process that
 * keeps the migration just before its end. Only codec, level and max_hold_s of @options
 * count. The caller clears @out_result. */
bool fsn_cycle_prepare(FsnCycle *cycle,
                       const char *domain,
                       const FsnSuspendOptions *options,
                       FsnPrepareResult *out_result,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends the hold without harm. FSN_ERROR_STATE if nothing is prepared. */
bool fsn_cycle_prepare_abort(FsnCycle *cycle, const char *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
