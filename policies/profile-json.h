/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/profile-set.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* "settings" of foresnap-json(5): every key with its value and where that comes from. The caller
 * unrefs. */
JsonArray *fsn_profile_settings_json(const FsnProfile *profile);

/* A profile as lists show it: "name", "description", "source", "inherit", "sound". The caller unrefs. */
JsonObject *fsn_profile_file_json(const FsnProfileSet *set, const FsnProfileFile *file);

G_END_DECLS
