/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The outcome of a collection of garbage, for the commands that run one. */
#include "config.h"

#include "cli/gc-view.h"

#include "cli/output.h"
#include "cli/units.h"

void
fsn_cli_show_gc(FsnCliContext *context,
                JsonObject *object,
                bool dry_run,
                const FsnGcReport *report)
{
    g_autofree char *removed = fsn_cli_size_text(report->bytes_removed);
    g_autofree char *kept = fsn_cli_size_text(report->bytes_kept);
    g_autofree char *repacked = fsn_cli_size_text(report->bytes_repacked);

    json_object_set_boolean_member(object, "dry_run", dry_run);
    json_object_set_int_member(object, "objects_removed",
                               (int64_t)report->objects_removed);
    json_object_set_int_member(object, "bytes_removed", (int64_t)report->bytes_removed);
    json_object_set_int_member(object, "objects_kept", (int64_t)report->objects_kept);
    json_object_set_int_member(object, "bytes_kept", (int64_t)report->bytes_kept);
    json_object_set_int_member(object, "packs_repacked", (int64_t)report->packs_repacked);
    json_object_set_int_member(object, "bytes_repacked", (int64_t)report->bytes_repacked);
    json_object_set_int_member(object, "objects_put_back", (int64_t)report->put_back);
    json_object_set_int_member(object, "writers", (int64_t)report->leases);
    fsn_cli_say(context, "%s %s in %" G_GUINT64_FORMAT " objects, %s %s",
                dry_run ? "would free" : "freed", removed, report->objects_removed,
                dry_run ? "would keep" : "kept", kept);
    if (report->packs_repacked > 0) {
        fsn_cli_say(context,
                    "%s %s in %" G_GUINT64_FORMAT " packs that are mostly garbage",
                    dry_run ? "would free" : "freed", repacked, report->packs_repacked);
    }
}
