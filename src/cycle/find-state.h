/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* The newest suspend state of domain @uuid that has not been used; the caller frees its id.
 * FSN_ERROR_STATE "is not suspended" if there is none. */
bool fsn_find_suspend_state(FsnRepo *repo,
                            const char *uuid,
                            char **out_id,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
