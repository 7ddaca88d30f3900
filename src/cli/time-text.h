/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Microseconds from "90", "90s", "5m", "12h", "7d", "4w": whole numbers above 0.
 * FSN_ERROR_USAGE for anything else. */
bool fsn_cli_parse_duration(const char *text, int64_t *out_us, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* An instant (microseconds since 1970, UTC) from "now", RFC 3339, "2026-11-28",
 * "2026-11-28 09:30" (local time), "@1700000000", or a duration, which is so long before
 * @now_us. FSN_ERROR_USAGE for anything else. */
bool fsn_cli_parse_time(const char *text, int64_t now_us, int64_t *out_us, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
