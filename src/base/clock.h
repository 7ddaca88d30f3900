/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Microseconds: monotonic since some fixed instant, and real time since 1970 (UTC). */
int64_t fsn_monotonic_us(void);
int64_t fsn_realtime_us(void);

/* RFC 3339 in UTC with seconds and "Z"; the caller frees. */
char *fsn_rfc3339(int64_t realtime_us);

/* The kernel's id of this boot: two equal ones, and no power was lost between. NULL if it
 * cannot be told; the caller frees. */
char *fsn_boot_id(void);

G_END_DECLS
