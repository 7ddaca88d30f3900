/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/granularity.h"

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What a domain and its disks have done lately, from the history of its use. A history that is
 * not there or cannot be read makes nothing fail: what is done is not known then, and the
 * activity says why. Rates are whole numbers, as manifests keep them, so that a decision can be
 * made again from what a manifest says. */
typedef struct FsnActivitySource FsnActivitySource;

/* The mean of so much time counts. */
#define FSN_ACTIVITY_WINDOW_US ((int64_t)600 * G_USEC_PER_SEC)

/* @history: its path; @now_us: real time, where the window ends. */
FsnActivitySource *fsn_activity_source_new(const char *history,
                                           const char *uuid,
                                           int64_t now_us);
void fsn_activity_source_free(FsnActivitySource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnActivitySource, fsn_activity_source_free)

/* Of disk @target, or with NULL of all of them; processors are always the domain's. */
FsnActivity fsn_activity_of(FsnActivitySource *source,
                            const char *target,
                            int previous_step);

G_END_DECLS
