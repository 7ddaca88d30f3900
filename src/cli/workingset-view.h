/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "memory/workingset.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* How a working set is shown, at the instant @now_us (real time). Pure. */

/* "pages", "bytes", "resumes", "age_us", "hit_rate" and "history", newest first, as in
 * foresnap-json(5). The caller unrefs. */
JsonObject *fsn_working_set_json(const FsnWorkingSet *set, int64_t now_us);

/* Lines for people, with the last resumes as a table. The caller frees. */
char *fsn_working_set_text(const FsnWorkingSet *set, int64_t now_us);

G_END_DECLS
