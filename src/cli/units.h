/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Text for people, three digits at most before the unit; the callers free. */

/* "17 B", "4.0 KiB", "1.9 GiB", "512 MiB". */
char *fsn_cli_size_text(uint64_t bytes);

/* "850 µs", "12.3 ms", "4.56 s", "3 min 20 s", "5 h 04 min". */
char *fsn_cli_duration_text(int64_t us);

/* Local date and time to the minute of an RFC 3339 instant; @instant itself if it is none. */
char *fsn_cli_instant_text(const char *instant);

G_END_DECLS
