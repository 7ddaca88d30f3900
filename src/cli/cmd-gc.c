/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap gc: frees the space that no snapshot needs any more. Safe beside everything else
 * that uses the repository.
 */
#include "config.h"

#include "base/error.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/snapshots.h"
#include "cli/units.h"
#include "repo/gc.h"

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

static void
show(FsnCliContext *context, const FsnGcReport *report)
{
    JsonObject *document = context->document;
    g_autofree char *removed = fsn_cli_size_text(report->bytes_removed);
    g_autofree char *kept = fsn_cli_size_text(report->bytes_kept);
    g_autofree char *repacked = fsn_cli_size_text(report->bytes_repacked);

    json_object_set_boolean_member(document, "dry_run", opt_dry_run);
    json_object_set_int_member(document, "objects_removed",
                               (int64_t)report->objects_removed);
    json_object_set_int_member(document, "bytes_removed", (int64_t)report->bytes_removed);
    json_object_set_int_member(document, "objects_kept", (int64_t)report->objects_kept);
    json_object_set_int_member(document, "bytes_kept", (int64_t)report->bytes_kept);
    json_object_set_int_member(document, "packs_repacked",
                               (int64_t)report->packs_repacked);
    json_object_set_int_member(document, "bytes_repacked",
                               (int64_t)report->bytes_repacked);
    json_object_set_int_member(document, "objects_put_back", (int64_t)report->put_back);
    json_object_set_int_member(document, "writers", (int64_t)report->leases);
    fsn_cli_say(context, "%s %s in %" G_GUINT64_FORMAT " objects, %s %s",
                opt_dry_run ? "would free" : "freed", removed, report->objects_removed,
                opt_dry_run ? "would keep" : "kept", kept);
    if (report->packs_repacked > 0) {
        fsn_cli_say(
            context, "%s %s in %" G_GUINT64_FORMAT " packs that are mostly garbage",
            opt_dry_run ? "would free" : "freed", repacked, report->packs_repacked);
    }
}

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
    show(context, &report);
    return true;
}

const FsnCliCommand fsn_cmd_gc = {
    .name = "gc",
    .arguments = "",
    .summary = "free the space that no snapshot needs",
    .options = options,
    .run = run,
};
