/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "memory/pager-plan.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What the pager knows of a resume; monotonic microseconds, 0 = not yet. */
typedef struct {
    int64_t now_us;
    int64_t started_us;      /* the guest's state is written */
    int64_t running_us;      /* its CPUs run */
    int64_t last_request_us; /* of a page */
} FsnPagerTimes;

/* May the rest of RAM, beyond the working set, be sent? Without a list this waits until page
 * requests calm down, since a page that was pushed cannot be learned any more. */
bool fsn_policy_background_may_start(FsnPagerMode mode, const FsnPagerTimes *t);

/* May the probes, the part of the working set that was held back, be sent? */
bool fsn_policy_probes_may_go(const FsnPagerTimes *t);

/* How long to wait before a worker is started again that ended @n_failures times without a
 * page of progress: at once, then from 0.1 s to 30 s. */
int64_t fsn_policy_restart_delay_us(unsigned n_failures);

G_END_DECLS
