/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap restore: a snapshot put back, over its domain or as a new one.
 */
#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "cli/around.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/size.h"
#include "cli/sizing.h"
#include "cli/units.h"
#include "cycle/restore.h"

static char *opt_as;
static char *opt_bandwidth;
static gboolean opt_clone_tpm;
static char *opt_dir;
static char **opt_disks;
static gboolean opt_disks_only;
static gboolean opt_lazy;
static gboolean opt_links_up;
static gboolean opt_no_keep;
static gboolean opt_no_resize;
static gboolean opt_paused;
static char *opt_pool;
static gboolean opt_start;
static gboolean opt_with_config;

static GOptionEntry options[] = {
    { "as", 0, 0, G_OPTION_ARG_STRING, &opt_as, "make a new domain called NAME", "NAME" },
    { "bandwidth", 0, 0, G_OPTION_ARG_STRING, &opt_bandwidth,
      "with --lazy: fill at most so many bytes a second of each disk (K, M, G)",
      "BYTES" },
    { "clone-tpm", 0, 0, G_OPTION_ARG_NONE, &opt_clone_tpm,
      "let the new domain have a copy of the TPM, with its secrets", NULL },
    { "dir", 0, 0, G_OPTION_ARG_FILENAME, &opt_dir, "its disks are files in FOLDER",
      "FOLDER" },
    { "disk", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_disks,
      "restore only this disk; may be given again", "TARGET" },
    { "disks-only", 0, 0, G_OPTION_ARG_NONE, &opt_disks_only, "leave the memory out",
      NULL },
    { "lazy", 0, 0, G_OPTION_ARG_NONE, &opt_lazy,
      "let the guest run at once, and fill its disks meanwhile", NULL },
    { "links-up", 0, 0, G_OPTION_ARG_NONE, &opt_links_up,
      "connect the new domain's network cards at once", NULL },
    { "no-keep", 0, 0, G_OPTION_ARG_NONE, &opt_no_keep,
      "do not keep what is there now as a snapshot", NULL },
    { "no-resize", 0, 0, G_OPTION_ARG_NONE, &opt_no_resize,
      "leave its vCPUs and memory as they are", NULL },
    { "paused", 0, 0, G_OPTION_ARG_NONE, &opt_paused,
      "with memory: leave the guest stopped", NULL },
    { "pool", 0, 0, G_OPTION_ARG_STRING, &opt_pool,
      "its disks are files in libvirt's storage pool POOL", "POOL" },
    { "start", 0, 0, G_OPTION_ARG_NONE, &opt_start, "boot it, where there is no memory",
      NULL },
    { "with-config", 0, 0, G_OPTION_ARG_NONE, &opt_with_config,
      "first make missing networks, pools, filters and the domain again", NULL },
    G_OPTION_ENTRY_NULL,
};

static void
show_disks(FsnCliContext *context, const FsnRestoreResult *result)
{
    for (guint i = 0; i < json_array_get_length(result->disks); i++) {
        JsonObject *disk = json_array_get_object_element(result->disks, i);
        g_autofree char *size =
            fsn_cli_size_text((uint64_t)fsn_json_peek_int(disk, "bytes_written", 0));
        g_autofree char *data = g_strconcat(size, " of data", NULL);

        fsn_cli_say(context, "restored disk %s to '%s', %s",
                    fsn_json_peek_string(disk, "target", "?"),
                    fsn_json_peek_string(disk, "path", "?"),
                    result->lazy ? "which is filled while the guest runs" : data);
    }
}

static bool
is(JsonObject *entry, const char *action)
{
    return g_str_equal(fsn_json_peek_string(entry, "action", ""), action);
}

/* What differs or has failed is among the warnings. */
static void
show_config(FsnCliContext *context, const FsnRestoreResult *result)
{
    for (guint i = 0; result->config && i < json_array_get_length(result->config); i++) {
        JsonObject *entry = json_array_get_object_element(result->config, i);
        const char *kind = fsn_json_peek_string(entry, "kind", "?");
        const char *name = fsn_json_peek_string(entry, "name", "?");

        if (is(entry, "made") || is(entry, "started")) {
            fsn_cli_say(context, "%s %s '%s' again",
                        is(entry, "made") ? "made" : "started", kind, name);
        }
    }
}

static void
show(FsnCliContext *context, const FsnRestoreResult *result)
{
    g_autoptr(JsonObject) object = fsn_restore_result_to_json(result);
    g_autofree char *running = fsn_cli_duration_text(result->running_us);

    fsn_cli_add_result(context, object);
    for (guint i = 0; i < result->warnings->len; i++) {
        fsn_cli_warn(context, "%s", (const char *)g_ptr_array_index(result->warnings, i));
    }
    show_config(context, result);
    if (result->kept) {
        fsn_cli_say(context, "kept the state from before as %.8s", result->kept);
    }
    show_disks(context, result);
    if (result->memory && result->running_us == 0) {
        fsn_cli_say(context, "domain '%s' is as at the instant, and paused",
                    result->domain);
    } else if (result->running_us > 0) {
        fsn_cli_say(context, "domain '%s' %s after %s", result->domain,
                    result->memory ? "goes on from the instant" : "boots", running);
    } else {
        fsn_cli_say(context, "domain '%s' can be started", result->domain);
    }
}

static void
on_defined(FsnVirtDomain *domain, const char *source_uuid, gpointer user)
{
    fsn_cli_size_restored(user, domain, source_uuid);
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnCliProgress) progress = fsn_cli_progress_new(context);
    g_autoptr(FsnCycle) cycle = NULL;
    FsnCliAround *around;
    bool done;
    g_auto(FsnRestoreResult) result = { 0 };
    FsnRestoreOptions chosen = { .as = opt_as,
                                 .folder = opt_dir,
                                 .pool = opt_pool,
                                 .targets = (const char *const *)opt_disks,
                                 .disks_only = opt_disks_only,
                                 .start = opt_start,
                                 .paused = opt_paused,
                                 .links_up = opt_links_up,
                                 .clone_tpm = opt_clone_tpm,
                                 .lazy = opt_lazy,
                                 .no_keep = opt_no_keep,
                                 .with_config = opt_with_config,
                                 .defined = opt_no_resize ? NULL : on_defined,
                                 .user = context };

    if (opt_bandwidth && !opt_lazy) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "--bandwidth goes with --lazy");
        return false;
    }
    if (opt_bandwidth && !fsn_cli_parse_size(opt_bandwidth, &chosen.bandwidth, error)) {
        return false;
    }
    cycle = fsn_cli_open_cycle(context, progress, error);
    around =
        cycle ? fsn_cli_around_begin(context, cycle, "restore", args[0], error) : NULL;
    if (!around) {
        return fsn_cli_fail(error, "restore", args[0]);
    }
    done =
        fsn_cycle_restore(cycle, args[0], &chosen, context->cancellable, &result, error);
    fsn_cli_around_end(around, result.domain, result.snapshot, done ? NULL : *error);
    if (!done) {
        return fsn_cli_fail(error, "restore", args[0]);
    }
    fsn_cli_progress_wipe(progress);
    show(context, &result);
    if (!opt_no_resize && result.memory) {
        fsn_cli_size_resumed(context, cycle, result.domain);
    }
    return true;
}

const FsnCliCommand fsn_cmd_restore = {
    .name = "restore",
    .arguments = "SNAPSHOT",
    .summary = "put a snapshot back: its disks, and the guest's memory",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .interruptible = true,
    .run = run,
    .detachable = true,
};
