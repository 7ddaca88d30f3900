/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Takes out of the QEMU of domain @uuid what a change map that was killed has left: bitmaps that
 * record for nobody, and the server. Nothing to do, and an owner that lives, are no error. If
 * something was done *@out_report (may be NULL) is an object as fsn_cycle_recover() has them. */
bool fsn_map_recover(FsnCycle *cycle,
                     const char *uuid,
                     JsonObject **out_report,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
