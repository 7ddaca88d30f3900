/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* How many vCPUs and how much memory a domain shall have. Pure: facts, policy and demand in,
 * sizes and reasons out. Cores are those of the guest, memory is in bytes. */

typedef struct {
    double quantile;    /* of the forecast that is to be covered, .5 … .975 */
    double headroom;    /* on top of it, .2 for 20 % */
    int64_t horizon_us; /* for how long the size is to be enough */
    unsigned vcpus_min; /* 0: no limit of its own, in all four */
    unsigned vcpus_max;
    uint64_t memory_min;
    uint64_t memory_max;
    bool shrink; /* false: only ever grows */
} FsnSizingPolicy;

/* p95, 20 %, 4 h, no limits, may shrink. */
extern const FsnSizingPolicy fsn_sizing_policy_default;

typedef struct {
    unsigned vcpus_now; /* usable by the guest */
    unsigned vcpus_max; /* that it can have */
    uint64_t memory_now;
    uint64_t memory_max;
    uint64_t memory_step; /* of which its size is a multiple */
    uint64_t memory_used; /* by the guest's programs at this moment; 0: not known */
    uint64_t
        memory_kept; /* by its kernel and firmware, which no program gets and which is
                           * not in what it uses */
    double cpu_now;  /* cores in use at this moment; NAN: not known */
    bool running;
} FsnSizingFacts;

/* What is expected to be needed: the quantile of the policy, at its highest within the
 * horizon. NAN where nothing is known. */
typedef struct {
    double cpu_cores;
    double memory_bytes;
    double error;      /* of the forecasts in backtests, relative; NAN: not known */
    const char *model; /* "ensemble", or NULL */
} FsnSizingDemand;

typedef struct {
    unsigned vcpus;
    uint64_t memory;
    unsigned vcpus_was;
    uint64_t memory_was;
    GPtrArray *notes; /* char*: what limits apply, why something stays as it is */
    char *summary;    /* one sentence: sizes, demand, model, former sizes */
} FsnSizing;

/* Checks a policy that comes from a user; FSN_ERROR_USAGE names the value. */
bool fsn_sizing_policy_check(const FsnSizingPolicy *policy, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Never below what the guest uses now, never smaller because of a forecast alone while it is
 * busy, never outside the limits of the domain; a demand that is not known changes nothing.
 * A guest whose demand reaches what it has may want more than could be measured: it gets half
 * as much again. (AWS predictive scaling never scales in on a forecast: the same idea.)
 * The caller clears @out_sizing. */
void fsn_sizing_decide(const FsnSizingPolicy *policy,
                       const FsnSizingFacts *facts,
                       const FsnSizingDemand *demand,
                       FsnSizing *out_sizing);
void fsn_sizing_clear(FsnSizing *sizing);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnSizing, fsn_sizing_clear)

G_END_DECLS
