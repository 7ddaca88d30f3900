/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "disk/extent-plan.h"

G_BEGIN_DECLS

/* What is done with some parts of a disk whatever its maps say: arrays of FsnPlanRange that
 * ascend and do not overlap. Pure. */

/* Adds the granules that lie wholly inside the bytes, or all that have one of them. Ranges that
 * are empty are not added. */
void fsn_extent_add_inside(GArray *overrides,
                           uint64_t offset,
                           uint64_t length,
                           FsnPlanAction action);
void fsn_extent_add_around(GArray *overrides,
                           uint64_t offset,
                           uint64_t length,
                           FsnPlanAction action);

/* Sorts ranges and takes out what one has in common with the one before it. */
void fsn_extent_order(GArray *overrides);

/* Changes @ranges, what is planned of the granules from @from up to @to, to what @overrides
 * say where they say something. KEEP is left out, as in plans. */
void fsn_extent_overlay(GArray *ranges,
                        uint64_t from,
                        uint64_t to,
                        const GArray *overrides);

G_END_DECLS
