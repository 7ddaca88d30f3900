/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What the pager has reported of a resume. Instants are monotonic (0: not yet). */
typedef struct {
    int64_t started_us; /* when the waiting began */
    int64_t created_us; /* since then */
    int64_t ready_us;
    int64_t running_us;
    int64_t done_us;
    uint64_t working_set_pages;
    uint64_t requests;
    uint64_t pages_total;
    uint64_t pages_sent;
} FsnPagerReports;

void fsn_pager_reports_clear(FsnPagerReports *reports);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnPagerReports, fsn_pager_reports_clear)

typedef enum {
    FSN_PAGER_READY,   /* the guest may be let go: its state is marked as run */
    FSN_PAGER_RUNNING, /* the guest runs */
    FSN_PAGER_DONE,    /* all memory is loaded */
} FsnPagerMilestone;

/* Reads reports from @fd until @until is reached. What the pager reports
 * as failed, or its end before that, is an error. Progress goes to @cycle. */
bool fsn_pager_reports_wait(FsnPagerReports *reports,
                            FsnCycle *cycle,
                            int fd,
                            FsnPagerMilestone until,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
