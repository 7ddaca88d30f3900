/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/data.h"

G_BEGIN_DECLS

/* Waves of the day and the week as regressors: harmonics of one day, and those of a week that
 * are none of a day. Phases count from the epoch, so that a row depends on the time alone. */

#define FSN_WAVES_DAY  6
#define FSN_WAVES_WEEK 5
#define FSN_WAVES      (2 * (FSN_WAVES_DAY + FSN_WAVES_WEEK))

/* How many columns rows have for @data: none for a season that it is too short for. */
size_t fsn_waves_count(const FsnModelData *data);
/* The row of index @i, which may be beyond the end; @count as above or less. */
void fsn_waves_row(const FsnModelData *data, size_t i, size_t count, double *out);

G_END_DECLS
