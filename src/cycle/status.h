/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* One object per domain with an operation under way or interrupted, or that is suspended:
 * {"domain", "uuid", "state": "preparing"|"prepared"|"suspending"|"suspended"|"resuming"|
 * "loading"|"interrupted", "snapshot", "operation", "step", …}; the caller unrefs. */
bool fsn_cycle_status(FsnCycle *cycle, JsonArray **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
