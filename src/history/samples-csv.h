/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "history/store.h"

G_BEGIN_DECLS

/* The samples of a domain after @since_us as text, as carry.h says: as many of the newest as fit
 * into @max_bytes. NULL without error if there are none. */
GBytes *fsn_history_samples_csv(FsnHistory *history,
                                const char *uuid,
                                int64_t since_us,
                                size_t max_bytes,
                                GError **error);

G_END_DECLS
