/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the disks of a snapshot lack, for commands that hand them on. */
#include "config.h"

#include "cli/lacks-view.h"

#include "cli/output.h"
#include "cycle/lacks.h"
#include "repo/manifests.h"

void
fsn_cli_warn_left_out(FsnCliContext *context,
                      FsnRepo *repo,
                      const char *snapshot,
                      const char *target)
{
    const char *const only[] = { target, NULL };
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(GPtrArray) lacks = NULL;

    if (!fsn_repo_load_manifest(repo, snapshot, &manifest, NULL)) {
        return;
    }
    lacks = fsn_manifest_left_out(manifest, target ? only : NULL);
    for (guint i = 0; i < lacks->len; i++) {
        fsn_cli_warn(context, "snapshot %.8s: %s", snapshot, (char *)lacks->pdata[i]);
    }
}
