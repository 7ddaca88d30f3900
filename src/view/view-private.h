/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/fill.h"
#include "history/store.h"
#include "view/view.h"

G_BEGIN_DECLS

/* An empty one, with one reference. */
FsnView *fsn_view_new(int64_t made_us);
void fsn_view_domain_free(FsnViewDomain *domain);

/* What is kept of a domain from one view to the next. */
typedef struct {
    int64_t described_us; /* monotonic; 0: not yet, as for the next two */
    int64_t used_us;
    int64_t foretold_us;
    FsnViewDomain known; /* texts are its own */
} FsnViewKept;

/* Asks the history for what @domain has used, and for what is expected. */
void fsn_view_usage(FsnHistory *history, FsnViewDomain *domain, int64_t now_us);
void fsn_view_foretell(const char *history_path, FsnViewDomain *domain, int64_t now_us);

/* Adds snapshots to domains: counts, the newest, the state that can be resumed; domains that only
 * snapshots know are added. Pure. */
void fsn_view_add_snapshots(FsnView *view);

G_END_DECLS
