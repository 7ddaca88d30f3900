/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "history/store-private.h"

G_BEGIN_DECLS

/* merge.c: what was collected becomes windows, where nothing better known is. */
bool fsn_merge_accumulated(FsnHistory *h,
                           FsnAccumulator *a,
                           int64_t now_us,
                           GError **error);

G_END_DECLS
