/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap serve: a disk of a snapshot by NBD, as long as the command runs.
 */
#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/lacks-view.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/snapshots.h"
#include "cycle/context.h"
#include "disk/nbd-server.h"
#include "disk/stored-disk.h"
#include "repo/manifests.h"

static char *opt_disk;
static char *opt_socket;

static GOptionEntry options[] = {
    { "disk", 0, 0, G_OPTION_ARG_STRING, &opt_disk, "the disk, as 'show' names it",
      "TARGET" },
    { "socket", 0, 0, G_OPTION_ARG_FILENAME, &opt_socket, "make Unix socket PATH",
      "PATH" },
    G_OPTION_ENTRY_NULL,
};

/* Before anything is started: what is wrong with the request is an error of ours. */
static bool
find_disk(FsnCliContext *context, const char *snapshot, char **out_id, GError **error)
{
    g_autoptr(FsnRepo) repo = fsn_cli_open_repo(context, FSN_REPO_READ_ONLY, error);
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(GPtrArray) disks = NULL;
    const FsnStoredDisk *disk;
    const char *id;

    if (!repo || !fsn_repo_load_manifest(repo, snapshot, &manifest, error) ||
        !fsn_json_get_string(manifest, "id", &id, error) ||
        !fsn_stored_disks_read(manifest, &disks, error) ||
        !fsn_stored_disks_find(disks, opt_disk, &disk, error)) {
        return false;
    }
    json_object_set_string_member(context->document, "snapshot", id);
    json_object_set_string_member(context->document, "disk", disk->target);
    json_object_set_int_member(context->document, "size", (int64_t)disk->size);
    fsn_cli_warn_left_out(context, repo, id, opt_disk);
    *out_id = g_strdup(id);
    return true;
}

static bool
serve(FsnCliContext *context, const char *id, GError **error)
{
    g_autofree char *plugin = fsn_cycle_helper_path("nbdkit-foresnap-plugin.so");
    g_autofree char *socket = g_canonicalize_filename(opt_socket, NULL);
    g_autofree char *uri = fsn_nbd_uri(socket);
    g_autofree char *repo = g_canonicalize_filename(context->repo_location, NULL);
    const FsnNbdServerOptions chosen = { .plugin = plugin,
                                         .repo = repo,
                                         .snapshot = id,
                                         .target = opt_disk,
                                         .socket = socket };
    g_autoptr(FsnNbdServer) server = fsn_nbd_server_start(&chosen, error);

    if (!server) {
        return false;
    }
    json_object_set_string_member(context->document, "uri", uri);
    fsn_cli_say(context, "serving disk %s of %.8s, read-only, until interrupted: %s",
                opt_disk, id, uri);
    return fsn_nbd_server_wait(server, context->cancellable, error);
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autofree char *id = NULL;

    if (!opt_disk || !opt_socket) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "say which disk and where: --disk TARGET --socket PATH");
        return false;
    }
    if (!find_disk(context, args[0], &id, error) || !serve(context, id, error)) {
        return fsn_cli_fail(error, "serve", args[0]);
    }
    return true;
}

const FsnCliCommand fsn_cmd_serve = {
    .name = "serve",
    .arguments = "SNAPSHOT",
    .summary = "let others read a disk of a snapshot, by NBD",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .interruptible = true,
    .run = run,
};
