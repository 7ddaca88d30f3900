/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A suspend state as a file that libvirt restores without foresnap. As libvirt does, the file
 * is marked unfinished until all of it is durable. It does not use the state up: the caller
 * has to say that only one of the two may ever run.
 */
#include "config.h"

#include "cycle/export.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cycle/arm.h"
#include "cycle/save-parts.h"
#include "memory/precopy-out.h"
#include "repo/manifests.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define MAGIC_UNFINISHED "LibvirtQemudPart"
#define MAGIC_SIZE       16u

void
fsn_export_result_clear(FsnExportResult *result)
{
    g_clear_pointer(&result->domain, g_free);
}

static bool
read_parts(FsnRepo *repo, JsonObject *manifest, FsnSaveParts *parts, GError **error)
{
    if (!g_str_equal(fsn_json_peek_string(manifest, "kind", ""), "suspend")) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "its memory fits only to the disks of the same instant, which "
                    "'virsh restore' would not put back: 'foresnap restore' does");
        return false;
    }
    return fsn_save_parts_read(repo, manifest, parts, error) &&
           fsn_arm_check_usable(repo, parts->memory.id, parts->memory.disks, error);
}

static void
on_progress(uint64_t done, uint64_t total, gpointer user)
{
    fsn_cycle_progress(user, "exporting", done * FSN_PAGE_SIZE, total * FSN_PAGE_SIZE);
}

static bool
sync_file(int fd, const char *path, GError **error)
{
    return fsync(fd) == 0 || fsn_set_errno(error, errno, "cannot write '%s'", path);
}

static bool
write_file(FsnCycle *cycle,
           const FsnSaveParts *parts,
           int fd,
           const char *path,
           uint64_t *out_bytes,
           GError **error)
{
    const FsnPrecopySource source = fsn_save_parts_source(parts);
    size_t len;
    const uint8_t *prefix = g_bytes_get_data(parts->prefix, &len);
    uint64_t stream = 0;

    if (!fsn_write_all(fd, MAGIC_UNFINISHED, MAGIC_SIZE, path, error) ||
        !fsn_write_all(fd, prefix + MAGIC_SIZE, len - MAGIC_SIZE, path, error) ||
        !fsn_precopy_write(&source, fd, path, on_progress, cycle, &stream, error) ||
        !sync_file(fd, path, error) ||
        !fsn_pwrite_all(fd, prefix, MAGIC_SIZE, 0, path, error) ||
        !sync_file(fd, path, error)) {
        return false;
    }
    *out_bytes = len + stream;
    return true;
}

static bool
make_file(FsnCycle *cycle,
          const FsnSaveParts *parts,
          const char *path,
          uint64_t *out_bytes,
          GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool written;

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot make '%s'", path);
    }
    written = write_file(cycle, parts, fd, path, out_bytes, error);
    close(fd);
    if (!written) {
        (void)g_unlink(path); /* it is marked unfinished in any case */
        return false;
    }
    return fsn_dir_sync(folder, error);
}

bool
fsn_cycle_export_save_image(FsnCycle *cycle,
                            const char *snapshot,
                            const char *path,
                            FsnExportResult *out_result,
                            GError **error)
{
    FsnRepo *repo = fsn_cycle_repo(cycle, error);
    g_autoptr(JsonObject) manifest = NULL;
    g_auto(FsnSaveParts) parts = { 0 };
    uint64_t bytes = 0;

    if (!repo || !fsn_repo_load_manifest(repo, snapshot, &manifest, error) ||
        !read_parts(repo, manifest, &parts, error) ||
        !make_file(cycle, &parts, path, &bytes, error)) {
        return false;
    }
    memset(out_result, 0, sizeof(*out_result));
    g_strlcpy(out_result->snapshot, parts.memory.id, sizeof(out_result->snapshot));
    out_result->domain = g_strdup(parts.memory.domain);
    out_result->bytes_written = bytes;
    return true;
}
