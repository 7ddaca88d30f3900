/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Called with the key of each object that is needed and its length, where that is known
 * (otherwise UINT64_MAX). False, with the error set, ends the walk. */
typedef bool (*FsnNeedFunc)(gpointer user,
                            const char *key,
                            uint64_t size,
                            GError **error);

/* Everything that reference @folder ("roots" or "objects") / @hex needs, itself included. A
 * root must be readable for this; the objects it names are not looked at. */
bool fsn_repo_needs_of(FsnRepo *repo,
                       const char *folder,
                       const char *hex,
                       FsnNeedFunc each,
                       gpointer user,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for all references of @manifest. */
bool fsn_repo_needs_of_manifest(FsnRepo *repo,
                                JsonObject *manifest,
                                FsnNeedFunc each,
                                gpointer user,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
