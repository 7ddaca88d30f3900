/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/diff-plan.h"
#include "repo/repo.h"

G_BEGIN_DECLS

/* Compares snapshots @a and @b (ids or prefixes of ids) by their indexes; no data is read.
 * With @ranges the changed ranges of each disk are listed. *out_a and *out_b are their full
 * ids; the caller frees them. */
FsnDiff *fsn_diff_snapshots(FsnRepo *repo,
                            const char *a,
                            const char *b,
                            bool ranges,
                            char **out_a,
                            char **out_b,
                            GError **error);

G_END_DECLS
