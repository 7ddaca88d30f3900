/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"
#include "cli/snapshot-view.h"
#include "repo/repo.h"

G_BEGIN_DECLS

/* What the commands on snapshots share. */

/* The repository of this run; one that is not there is an error that says how it comes to
 * be. */
FsnRepo *fsn_cli_open_repo(FsnCliContext *context, FsnRepoFlags flags, GError **error);

/* The catalogue (FsnCatalogueEntry) of @domain (all domains if NULL), newest first; the caller
 * unrefs. Damaged ones are warned about and counted in *@out_damaged. */
bool fsn_cli_load_snapshots(FsnCliContext *context,
                            FsnRepo *repo,
                            const char *domain,
                            GPtrArray **out_entries,
                            guint *out_damaged,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* By the marks of snapshot @id, looked at now, or in a list of all marks. */
FsnSnapshotState fsn_cli_snapshot_state(FsnRepo *repo, const char *id);
FsnSnapshotState fsn_cli_listed_state(GHashTable *marks, const char *id);

/* Is this the memory of a domain that has not run since? It must not be lost by mistake. */
bool fsn_cli_is_suspended(const char *kind, FsnSnapshotState state);

G_END_DECLS
