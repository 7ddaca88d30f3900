/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* Brings every interrupted operation to a safe end. *@out_actions has one object each:
 * {"domain", "uuid", "operation", "step", "actions": […], "outcome"}; the caller unrefs.
 * One that cannot be recovered does not keep the others from it; the error is then
 * FSN_ERROR_PARTIAL and *@out_actions is set as well. */
bool fsn_cycle_recover(FsnCycle *cycle, JsonArray **out_actions, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same for the one domain with @uuid; nothing to do is no error, nor is an owner that
 * still lives after @wait_ms (a dying process lets go of its lock last). @out_report may be
 * NULL. Called by the guard and before each new operation on the domain. */
bool fsn_cycle_recover_domain(FsnCycle *cycle,
                              const char *uuid,
                              int wait_ms,
                              JsonObject **out_report,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
