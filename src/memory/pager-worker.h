/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "memory/page-source.h"
#include "memory/pager-arena.h"
#include "memory/pager-plan.h"
#include "memory/workingset.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

typedef struct {
    FsnPagerMode mode;
    FsnPageSource *source;      /* borrowed */
    FsnWorkingSet *working_set; /* borrowed; what earlier resumes taught */
    /* Stores the working set after this resume was merged into it; may be NULL. */
    bool (*save)(gpointer user, FsnWorkingSet *set, GError **error);
    gpointer user;
} FsnWorkerOptions;

/* Reads pages and puts them into the rings until the arena says that all is finished, then
 * learns. False: pages cannot be had, and why; all others were published. May be killed at
 * any moment; a successor goes on from what is not sent. */
bool fsn_worker_run(FsnArena *arena, const FsnWorkerOptions *options, GError **error);

/* What the page requests in the arena teach, merged into @set. */
void fsn_worker_learn(FsnArena *arena,
                      FsnPagerMode mode,
                      int64_t realtime_us,
                      FsnWorkingSet *set);

G_END_DECLS
