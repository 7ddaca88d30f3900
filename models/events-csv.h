/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/events.h"

G_BEGIN_DECLS

/* Events out of comma-separated values. Columns: "start", and, if they are there, "end", "kind" and
 * "name". A start that is a day without a time means the whole day; an end that is a day
 * includes it. Without an end a day lasts a day and an instant an hour. Times without an
 * offset are in @zone. @kind (or NULL) is for rows that have none. Damage is FSN_ERROR_FORMAT
 * that names the line; nothing is added then. */
bool fsn_events_parse_csv(const char *text,
                          size_t len,
                          const char *kind,
                          GTimeZone *zone,
                          FsnEvents *events,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
