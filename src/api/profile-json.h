/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/profile-set.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* What the API tells of profiles beside policies/profile-json. Pure; the caller unrefs or frees. */

/* {"line", "key", "message"}: "key" is what stands in that line of @text, null if nothing does. */
JsonArray *fsn_api_problems_json(const GPtrArray *problems, const char *text);
/* {"keys": [{"key", "group", "fallback", "doc"}]} */
JsonObject *fsn_api_profile_keys_json(void);
/* Of its text: 64 hex digits. */
char *fsn_api_profile_etag(const char *text);

G_END_DECLS
