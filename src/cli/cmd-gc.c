/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap gc: frees the space that no snapshot needs any more. Safe beside everything else
 * that uses the repository.
 */
#include "config.h"

#include "base/error.h"
#include "cli/commands.h"
#include "cli/gc-view.h"
#include "cli/snapshots.h"

static gboolean opt_dry_run;
static gboolean opt_no_repack;
static int opt_grace = (int)(FSN_GC_GRACE_US / G_USEC_PER_SEC);

static GOptionEntry options[] = {
    { "dry-run", 0, 0, G_OPTION_ARG_NONE, &opt_dry_run, "only say what would be freed",
      NULL },
    { "no-repack", 0, 0, G_OPTION_ARG_NONE, &opt_no_repack,
      "leave packs alone that are partly garbage", NULL },
    { "grace", 0, 0, G_OPTION_ARG_INT, &opt_grace,
      "wait so long for writers before freeing (30)", "SECONDS" },
    G_OPTION_ENTRY_NULL,
};

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = NULL;
    FsnGcFlags flags =
        (opt_dry_run ? FSN_GC_DRY_RUN : 0) | (opt_no_repack ? FSN_GC_NO_REPACK : 0);
    FsnGcReport report;

    if (opt_grace < 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "--grace takes seconds");
        return false;
    }
    repo = fsn_cli_open_repo(context, opt_dry_run ? FSN_REPO_READ_ONLY : 0, error);
    if (!repo || !fsn_repo_gc(repo, flags, opt_grace * G_USEC_PER_SEC, &report, error)) {
        g_prefix_error(error, "cannot free space: ");
        return false;
    }
    fsn_cli_show_gc(context, context->document, opt_dry_run, &report);
    return true;
}

const FsnCliCommand fsn_cmd_gc = {
    .name = "gc",
    .arguments = "",
    .summary = "free the space that no snapshot needs",
    .options = options,
    .run = run,
    .detachable = true,
};
