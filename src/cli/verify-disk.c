/* SPDX-License-Identifier: GPL-2.0-or-later */
/* foresnap verify --against-disk: a snapshot compared with the disks themselves. */
#include "config.h"

#include "cli/verify-disk.h"

#include "base/error.h"
#include "base/json.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/units.h"
#include "cycle/compare-disks.h"

/* More are in the JSON document. */
#define MAX_LINES 20

static void
print_ranges(FsnCliContext *context, const char *target, JsonObject *disk)
{
    JsonArray *ranges = json_object_get_array_member(disk, "ranges");
    int64_t n = fsn_json_peek_int(disk, "n_ranges", 0);
    guint shown = MIN(json_array_get_length(ranges), MAX_LINES);

    for (guint i = 0; i < shown; i++) {
        JsonObject *range = json_array_get_object_element(ranges, i);

        fsn_cli_print(context,
                      "disk %s differs at %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT
                      " bytes\n",
                      target, fsn_json_peek_int(range, "offset", 0),
                      fsn_json_peek_int(range, "length", 0));
    }
    if (n > shown) {
        fsn_cli_print(context, "disk %s differs in %" G_GINT64_FORMAT " more places\n",
                      target, n - shown);
    }
}

static void
show_disk(FsnCliContext *context, JsonObject *disk)
{
    const char *target = fsn_json_peek_string(disk, "target", "?");
    const char *skipped = fsn_json_peek_string(disk, "skipped", NULL);
    g_autofree char *compared = NULL;
    g_autofree char *passed = NULL;

    if (skipped) {
        fsn_cli_warn(context, "disk %s is not compared: %s", target, skipped);
        return;
    }
    compared = fsn_cli_size_text((uint64_t)fsn_json_peek_int(disk, "compared", 0));
    passed = fsn_cli_size_text((uint64_t)fsn_json_peek_int(disk, "passed_over", 0));
    print_ranges(context, target, disk);
    fsn_cli_say(context, "disk %s: %s compared, %s have changed since", target, compared,
                passed);
}

bool
fsn_cli_verify_against_disk(FsnCliContext *context, const char *id, GError **error)
{
    g_autoptr(FsnCliProgress) progress = fsn_cli_progress_new(context);
    g_autoptr(FsnCycle) cycle = fsn_cli_open_cycle(context, progress, error);
    g_auto(FsnCompareResult) result = { 0 };

    /* A signal shall not leave the instant to the guard. */
    if (!cycle || !fsn_cli_interrupt_watch(context->cancellable, error) ||
        !fsn_cycle_compare_disks(cycle, id, context->cancellable, &result, error)) {
        return fsn_cli_fail(error, "verify", id);
    }
    fsn_cli_progress_wipe(progress);
    json_object_set_string_member(context->document, "snapshot", result.snapshot);
    json_object_set_string_member(context->document, "domain", result.domain);
    json_object_set_array_member(context->document, "disks",
                                 json_array_ref(result.disks));
    for (guint i = 0; i < json_array_get_length(result.disks); i++) {
        show_disk(context, json_array_get_object_element(result.disks, i));
    }
    if (result.n_differing > 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT,
                    "%" G_GUINT64_FORMAT
                    " bytes of %u disk%s are not as in snapshot %.8s",
                    result.differing, result.n_differing,
                    result.n_differing == 1 ? "" : "s", result.snapshot);
        return false;
    }
    return true;
}
