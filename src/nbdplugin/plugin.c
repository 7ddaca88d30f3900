/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plugin of nbdkit that serves one disk of one snapshot, read-only. Parameters:
 *
 *   repo=FOLDER       the repository
 *   snapshot=ID       or the beginning of it
 *   disk=TARGET       its name in the snapshot
 *   ready-fd=N        written to and closed when it can be read; optional
 *   record-fd=N       a pipe that gets a record for each read, as far as there is room:
 *                     offset and monotonic time in us (8 bytes each), length, zero (4 each),
 *                     in the order of bytes of the host; optional
 *
 * Only calls are translated here; what is read comes from export.c. A read of something
 * damaged is EIO and named on standard error; others go on.
 */
#include "config.h"

#define NBDKIT_API_VERSION 2

#include "base/error.h"
#include "disk/stored-disk.h"
#include "nbdplugin/export.h"
#include "repo/manifests.h"
#include "repo/repo.h"

#include <errno.h>
#include <nbdkit-plugin.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define THREAD_MODEL   NBDKIT_THREAD_MODEL_PARALLEL
/* Of these up to two per processor are used at once. */
#define MAX_READERS    16u
#define PREFERRED_SIZE (128u << 10)

static char *repo_path;
static char *snapshot_id;
static char *disk_target;
static int ready_fd = -1;
static int record_fd = -1;

static FsnRepo *repo;
static FsnImage *image;
static FsnExport *export;

static int
report(GError *error)
{
    nbdkit_error("%s", error->message);
    nbdkit_set_error(EIO);
    g_error_free(error);
    return -1;
}

static void
plugin_unload(void)
{
    fsn_export_free(export);
    fsn_image_free(image);
    fsn_repo_free(repo);
    g_free(repo_path);
    g_free(snapshot_id);
    g_free(disk_target);
}

static int
plugin_config(const char *key, const char *value)
{
    if (strcmp(key, "repo") == 0) {
        g_free(repo_path);
        repo_path = nbdkit_absolute_path(value);
        return repo_path ? 0 : -1;
    }
    if (strcmp(key, "snapshot") == 0) {
        g_free(snapshot_id);
        snapshot_id = g_strdup(value);
        return 0;
    }
    if (strcmp(key, "disk") == 0) {
        g_free(disk_target);
        disk_target = g_strdup(value);
        return 0;
    }
    if (strcmp(key, "ready-fd") == 0) {
        return nbdkit_parse_int("ready-fd", value, &ready_fd);
    }
    if (strcmp(key, "record-fd") == 0) {
        return nbdkit_parse_int("record-fd", value, &record_fd);
    }
    nbdkit_error("there is no parameter '%s'", key);
    return -1;
}

static int
plugin_config_complete(void)
{
    if (!repo_path || !snapshot_id || !disk_target) {
        nbdkit_error("the parameters repo, snapshot and disk are needed");
        return -1;
    }
    return 0;
}

static bool
open_disk(GError **error)
{
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(GPtrArray) disks = NULL;
    const FsnStoredDisk *disk;
    unsigned readers = MIN(2 * g_get_num_processors(), MAX_READERS);

    repo = fsn_repo_open(repo_path, FSN_REPO_READ_ONLY, error);
    if (!repo || !fsn_repo_load_manifest(repo, snapshot_id, &manifest, error) ||
        !fsn_stored_disks_read(manifest, &disks, error) ||
        !fsn_stored_disks_find(disks, disk_target, &disk, error)) {
        return false;
    }
    image = fsn_image_open(repo, disk->image, error);
    export = image ? fsn_export_new(image, disk->size, readers, error) : NULL;
    return export != NULL;
}

/* Not earlier: the repository must not be opened before a fork. */
static int
plugin_after_fork(void)
{
    GError *error = NULL;

    if (!open_disk(&error)) {
        return report(error);
    }
    if (ready_fd >= 0) {
        /* nbdkit has asked for SIGTERM at its parent's death. While it ends by that it answers
         * with errors, which a guest would see; a connection that is cut is made again. */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (write(ready_fd, "R", 1) != 1) {
            nbdkit_error("nobody reads ready-fd: %m");
            return -1;
        }
        close(ready_fd);
    }
    return 0;
}

static void *
plugin_open(int readonly)
{
    return NBDKIT_HANDLE_NOT_NEEDED;
}

static int64_t
plugin_get_size(void *handle)
{
    return (int64_t)fsn_export_size(export);
}

static int
plugin_block_size(void *handle, uint32_t *minimum, uint32_t *preferred, uint32_t *maximum)
{
    *minimum = 1;
    *preferred = PREFERRED_SIZE;
    *maximum = 0xffffffff;
    return 0;
}

static int
plugin_can_multi_conn(void *handle)
{
    return 1; /* nothing ever changes */
}

static int
plugin_can_cache(void *handle)
{
    return NBDKIT_CACHE_EMULATE;
}

/* A record is shorter than what a pipe takes as one, so none is ever torn; one for which
 * there is no room is lost. */
static void
record(uint64_t offset, uint32_t count)
{
    const struct {
        uint64_t offset;
        uint64_t at_us;
        uint32_t len;
        uint32_t zero;
    } entry = { offset, (uint64_t)g_get_monotonic_time(), count, 0 };

    if (record_fd >= 0 && write(record_fd, &entry, sizeof entry) < 0) {
        return;
    }
}

static int
plugin_pread(void *handle, void *buffer, uint32_t count, uint64_t offset, uint32_t flags)
{
    GError *error = NULL;

    record(offset, count);
    return fsn_export_pread(export, buffer, count, offset, &error) ? 0 : report(error);
}

typedef struct {
    struct nbdkit_extents *extents;
    bool one;
    bool failed;
} Extents;

static bool
add_extent(gpointer user, uint64_t offset, uint64_t len, bool data, bool hole)
{
    Extents *e = user;
    uint32_t type =
        data ? 0 : NBDKIT_EXTENT_ZERO | (hole ? (uint32_t)NBDKIT_EXTENT_HOLE : 0);

    if (nbdkit_add_extent(e->extents, offset, len, type) == -1) {
        e->failed = true;
        return false;
    }
    return !e->one;
}

static int
plugin_extents(void *handle,
               uint32_t count,
               uint64_t offset,
               uint32_t flags,
               struct nbdkit_extents *extents)
{
    Extents e = { .extents = extents, .one = (flags & NBDKIT_FLAG_REQ_ONE) != 0 };
    GError *error = NULL;

    if (!fsn_export_extents(export, offset, count, add_extent, &e, &error)) {
        return report(error);
    }
    return e.failed ? -1 : 0;
}

static struct nbdkit_plugin plugin = {
    .name = "foresnap",
    .longname = "foresnap",
    .version = PACKAGE_VERSION,
    .description = "serves one disk of a snapshot, read-only",
    .config_help = "repo=FOLDER (required)  the repository\n"
                   "snapshot=ID (required)  the snapshot\n"
                   "disk=TARGET (required)  the disk, as 'foresnap show' names it",
    .unload = plugin_unload,
    .config = plugin_config,
    .config_complete = plugin_config_complete,
    .after_fork = plugin_after_fork,
    .open = plugin_open,
    .get_size = plugin_get_size,
    .block_size = plugin_block_size,
    .can_multi_conn = plugin_can_multi_conn,
    .can_cache = plugin_can_cache,
    .pread = plugin_pread,
    .extents = plugin_extents,
};

NBDKIT_REGISTER_PLUGIN(plugin)
