/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"
#include "repo/repo.h"

G_BEGIN_DECLS

/* What delete and prune share. */

/* Looks at snapshot @text (an id or the beginning of one) as it is in the repository now, and
 * refuses if it is the memory of a suspended domain, unless @force. *out_id and *out_domain
 * are its whole id and the name of its domain; the caller frees both. */
bool fsn_cli_may_delete(FsnRepo *repo,
                        const char *text,
                        bool force,
                        char **out_id,
                        char **out_domain,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
