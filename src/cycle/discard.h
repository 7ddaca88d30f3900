/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"

#include <stdbool.h>

G_BEGIN_DECLS

/* Gives the suspend state of @domain up on purpose: its snapshot is deleted and the guard
 * removed, so that the next start boots it. FSN_ERROR_STATE if it is not suspended. */
bool fsn_cycle_discard(FsnCycle *cycle, const char *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
