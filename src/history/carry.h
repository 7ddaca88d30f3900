/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "history/store.h"

G_BEGIN_DECLS

/* The history window that goes with a snapshot: the last 28 days, at most so many bytes. */
#define FSN_CARRY_DAYS      28
#define FSN_CARRY_MAX_BYTES ((size_t)256 << 10)

/* The small one: hours of the last 14 days. */
#define FSN_CARRY_SMALL_DAYS  14
#define FSN_CARRY_SMALL_BYTES ((size_t)16 << 10)

/* The window of domain @uuid out of the history at @path (char*), as it is now. NULL without
 * error where there is no history, or none of this domain. */
GBytes *fsn_history_carry(gpointer path, const char *uuid, GError **error);
/* The small one, in at most @max_bytes. */
GBytes *fsn_history_carry_small(const char *path,
                                const char *uuid,
                                size_t max_bytes,
                                GError **error);

/* Samples of the domain since @since_us as comma-separated values with the columns "time" (in
 * seconds since 1970), "span" (seconds before it for which it holds), "metric" and "value": as
 * many of the newest as fit into FSN_SAMPLES_MAX bytes. NULL without error if there are none. */
#define FSN_SAMPLES_MAX ((size_t)8 << 20)
GBytes *fsn_samples_carry(const char *path,
                          const char *uuid,
                          int64_t since_us,
                          GError **error);

/* Merges a window into the history at @path, which is made if it is not there; what is known
 * there already stays. Damaged bytes change nothing. */
bool fsn_history_absorb(gpointer path,
                        const char *uuid,
                        const char *name,
                        GBytes *bytes,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
