/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk of a snapshot as a file of its own: written beside its place, then renamed. */
#include "config.h"

#include "cycle/export-disk.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cycle/disk-out.h"
#include "repo/manifests.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool
check_place(const char *path, bool force, GError **error)
{
    if (!force && g_file_test(path, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_EXISTS,
                    "'%s' is there; --force replaces it", path);
        return false;
    }
    if (g_file_test(path, G_FILE_TEST_EXISTS) &&
        !g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "'%s' is no regular file, and is not replaced", path);
        return false;
    }
    return true;
}

static bool
put_in_place(const char *temporary, const char *path, bool force, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    unsigned flags = force ? 0 : RENAME_NOREPLACE;

    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, flags) != 0) {
        return fsn_set_errno(error, errno, "cannot make '%s'", path);
    }
    return fsn_dir_sync(folder, error);
}

static bool
write_file(FsnCycle *cycle,
           const FsnDiskOut *out,
           const char *path,
           bool force,
           GCancellable *cancellable,
           uint64_t *out_bytes,
           GError **error)
{
    int fd = open(out->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot make '%s'", out->path);
    }
    close(fd);
    if (!fsn_disk_out_write(cycle, out, cancellable, out_bytes, error) ||
        !put_in_place(out->path, path, force, error)) {
        (void)g_unlink(out->path); /* the error is told already */
        return false;
    }
    return true;
}

static bool
write_disk(FsnCycle *cycle,
           const char *id,
           const FsnStoredDisk *disk,
           const FsnExportDiskOptions *options,
           const char *path,
           GCancellable *cancellable,
           uint64_t *out_bytes,
           GError **error)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    g_autofree char *temporary =
        g_strdup_printf("%s.foresnap-%d", absolute, (int)getpid());
    const FsnDiskOut out = { .snapshot = id,
                             .disk = disk,
                             .format = options->format ? options->format : disk->format,
                             .path = temporary,
                             .phase = "exporting" };

    return check_place(absolute, options->force, error) &&
           write_file(cycle, &out, absolute, options->force, cancellable, out_bytes,
                      error);
}

bool
fsn_cycle_export_disk(FsnCycle *cycle,
                      const char *snapshot,
                      const FsnExportDiskOptions *options,
                      const char *path,
                      GCancellable *cancellable,
                      FsnExportResult *out_result,
                      GError **error)
{
    FsnRepo *repo = fsn_cycle_repo(cycle, error);
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(GPtrArray) disks = NULL;
    const FsnStoredDisk *disk;
    JsonObject *domain;
    const char *name;
    const char *id;
    uint64_t bytes;

    if (!repo || !fsn_repo_load_manifest(repo, snapshot, &manifest, error) ||
        !fsn_json_get_string(manifest, "id", &id, error) ||
        !fsn_json_get_object(manifest, "domain", &domain, error) ||
        !fsn_json_get_string(domain, "name", &name, error) ||
        !fsn_stored_disks_read(manifest, &disks, error) ||
        !fsn_stored_disks_find(disks, options->target, &disk, error) ||
        !write_disk(cycle, id, disk, options, path, cancellable, &bytes, error)) {
        return false;
    }
    memset(out_result, 0, sizeof *out_result);
    g_strlcpy(out_result->snapshot, id, sizeof out_result->snapshot);
    out_result->domain = g_strdup(name);
    out_result->bytes_written = bytes;
    return true;
}
