/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "history/store.h"
#include "models/events.h"
#include "scale/resize.h"
#include "scale/sizing.h"
#include "virt/domain.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* What size a domain should have, from its history. */
#define FSN_N_LIMITS 4

/* A limit that would leave room for what is expected; nothing is limited by itself. */
typedef struct {
    const char *metric; /* "disk.read.bytes", … */
    double bytes_per_s; /* NAN: nothing is known */
} FsnLimitProposal;

typedef struct {
    const FsnSizingPolicy *policy;
    bool limits;              /* propose limits too */
    const FsnEvents *events;  /* known ones; NULL: none */
    const char *history_uuid; /* whose history; NULL: the domain's own */
    const char
        *history_path; /* beside which fitted models are kept; NULL: they are not */
    bool loading;      /* its memory is being loaded: libvirt answers no more than what
                              * it knows already, and the rest is taken from the history */
    int64_t now_us;    /* real time */
    int agent_s;       /* to wait for the guest's agent at most; 0: not asked */
} FsnAdviseOptions;

typedef struct {
    FsnSizing sizing;
    FsnSizeNow now;
    FsnResizePlan plan;
    FsnSizingDemand demand;
    FsnLimitProposal limits[FSN_N_LIMITS];
    unsigned cpu_shares; /* relative to 1024 for a core that is always busy; 0: unknown */
    char *models; /* what the forecasts were made by, lines for people; NULL: by none */
} FsnAdvice;

/* Fits forecasts to the last four weeks of CPU and memory use of @domain, which takes some
 * tenths of a second, and decides. @history may be NULL: nothing is known, and the size
 * stays. The caller clears. */
bool fsn_size_advise(FsnHistory *history,
                     FsnVirtDomain *domain,
                     const FsnAdviseOptions *options,
                     FsnAdvice *out_advice,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
void fsn_advice_clear(FsnAdvice *advice);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnAdvice, fsn_advice_clear)

G_END_DECLS
