/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"
#include "repo/gc.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* What a collection of garbage has done, or would do, as the documented members of @object and
 * as lines for people. */
void fsn_cli_show_gc(FsnCliContext *context,
                     JsonObject *object,
                     bool dry_run,
                     const FsnGcReport *report);

G_END_DECLS
