/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing disks so that an interruption at any point can be undone or completed. A file is
 * written beside its place and renamed; a block device can only be written over, so it comes
 * when all files are durable, and an interrupted write of it is repeated as a whole.
 */
#include "config.h"

#include "cycle/restore-files.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cycle/disk-out.h"
#include "cycle/instant.h"
#include "disk/nbd-server.h"
#include "disk/qemu-img.h"
#include "repo/manifests.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LABEL     "security.selinux"
#define MAX_LABEL 4096

JsonArray *
fsn_restore_files_of(const FsnRestorePlan *plan, bool is_new)
{
    JsonArray *files = json_array_new();

    for (guint i = 0; i < plan->disks->len; i++) {
        const FsnRestoreDisk *disk = g_ptr_array_index(plan->disks, i);
        JsonObject *file = json_object_new();

        json_object_set_string_member(file, "target", disk->stored->target);
        json_object_set_string_member(file, "format", disk->format);
        json_object_set_string_member(file, "path", disk->place);
        json_object_set_boolean_member(file, "new", is_new);
        if (disk->temporary) {
            json_object_set_string_member(file, "temporary", disk->temporary);
        }
        if (disk->socket) {
            json_object_set_string_member(file, "source", disk->path);
            json_object_set_string_member(file, "socket", disk->socket);
            json_object_set_boolean_member(file, "own_policy", disk->own_policy);
            json_object_set_int_member(file, "bandwidth", (int64_t)disk->bandwidth);
        }
        json_array_add_object_element(files, file);
    }
    return files;
}

/* What a file that takes another's place has to look like. */
static bool
copy_attributes(int fd, const char *from, const char *path, GError **error)
{
    char label[MAX_LABEL];
    struct stat st;
    ssize_t len;

    if (stat(from, &st) != 0) {
        /* Lost, and put back: libvirt gives it to QEMU when it starts. */
        return errno == ENOENT ||
               fsn_set_errno(error, errno, "cannot look at '%s'", from);
    }
    if (fchown(fd, st.st_uid, st.st_gid) != 0 || fchmod(fd, st.st_mode & 07777) != 0) {
        return fsn_set_errno(error, errno, "cannot give '%s' the owner and mode of '%s'",
                             path, from);
    }
    len = getxattr(from, LABEL, label, sizeof label);
    if (len > 0 && fsetxattr(fd, LABEL, label, (size_t)len, 0) != 0 &&
        errno != EOPNOTSUPP) {
        return fsn_set_errno(error, errno, "cannot label '%s' as '%s'", path, from);
    }
    return true;
}

bool
fsn_restore_files_make(const char *temporary, const char *place, GError **error)
{
    int fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok;

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot make '%s'", temporary);
    }
    ok = copy_attributes(fd, place, temporary, error);
    close(fd);
    return ok;
}

static void
add_written(JsonArray *written,
            const FsnStoredDisk *disk,
            const char *path,
            const char *format,
            uint64_t bytes)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "target", disk->target);
    json_object_set_string_member(o, "path", path);
    json_object_set_string_member(o, "format", format);
    json_object_set_int_member(o, "size", (int64_t)disk->size);
    json_object_set_int_member(o, "bytes_written", (int64_t)bytes);
    json_array_add_object_element(written, o);
}

static bool
write_disk(FsnCycle *cycle,
           const char *snapshot,
           const FsnStoredDisk *disk,
           const char *format,
           const char *path,
           GCancellable *cancellable,
           uint64_t *out_bytes,
           GError **error)
{
    FsnRepo *repo = fsn_cycle_repo(cycle, error);
    g_autofree char *repo_id = repo ? fsn_repo_id(repo) : NULL;
    /* The next snapshot of the disk is incremental to this one: what is written from now on
     * is recorded. */
    g_autofree char *bitmap = repo ? fsn_instant_bitmap(repo_id, snapshot) : NULL;
    const FsnDiskOut out = { .snapshot = snapshot,
                             .disk = disk,
                             .format = format,
                             .path = path,
                             .bitmap = bitmap,
                             .phase = "restoring" };

    return repo && fsn_disk_out_write(cycle, &out, cancellable, out_bytes, error);
}

/* Nothing is in it yet: it shows what is served. */
static bool
write_overlay(FsnCycle *cycle,
              const char *snapshot,
              const FsnRestoreDisk *disk,
              GError **error)
{
    FsnRepo *repo = fsn_cycle_repo(cycle, error);
    g_autofree char *repo_id = repo ? fsn_repo_id(repo) : NULL;
    g_autofree char *bitmap = repo ? fsn_instant_bitmap(repo_id, snapshot) : NULL;
    g_autofree char *uri = fsn_nbd_uri(disk->socket);

    return repo &&
           fsn_qemu_img_overlay(disk->temporary, disk->stored->size, bitmap, uri, error);
}

bool
fsn_restore_files_write(FsnCycle *cycle,
                        const char *snapshot,
                        const FsnRestorePlan *plan,
                        JsonArray *written,
                        GCancellable *cancellable,
                        GError **error)
{
    for (guint i = 0; i < plan->disks->len; i++) {
        const FsnRestoreDisk *disk = g_ptr_array_index(plan->disks, i);
        g_autofree char *folder = g_path_get_dirname(disk->place);
        uint64_t bytes = 0;

        if (!disk->temporary) {
            continue;
        }
        if (!fsn_restore_files_make(disk->temporary, disk->place, error) ||
            !(disk->socket ? write_overlay(cycle, snapshot, disk, error)
                           : write_disk(cycle, snapshot, disk->stored, disk->format,
                                        disk->temporary, cancellable, &bytes, error)) ||
            !fsn_dir_sync(folder, error)) {
            return false;
        }
        add_written(written, disk->stored, disk->place, disk->format, bytes);
    }
    return true;
}

static bool
rename_file(JsonObject *file, const char *temporary, GError **error)
{
    const char *path = fsn_json_peek_string(file, "path", "");
    g_autofree char *folder = g_path_get_dirname(path);
    unsigned flags = fsn_json_peek_bool(file, "new", true) ? RENAME_NOREPLACE : 0;

    /* Not there: it has taken its place already. */
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, flags) != 0 && errno != ENOENT) {
        return fsn_set_errno(error, errno, "cannot put '%s' in its place", path);
    }
    return fsn_dir_sync(folder, error);
}

static bool
rewrite_device(FsnCycle *cycle,
               const char *snapshot,
               GPtrArray *stored,
               JsonObject *file,
               JsonArray *written,
               GError **error)
{
    const char *path = fsn_json_peek_string(file, "path", "");
    const char *format = fsn_json_peek_string(file, "format", "raw");
    const FsnStoredDisk *disk;
    uint64_t bytes;

    if (!fsn_stored_disks_find(stored, fsn_json_peek_string(file, "target", ""), &disk,
                               error) ||
        !write_disk(cycle, snapshot, disk, format, path, NULL, &bytes, error)) {
        return false;
    }
    if (written) {
        add_written(written, disk, path, format, bytes);
    }
    return true;
}

bool
fsn_restore_files_replace(FsnCycle *cycle,
                          const char *snapshot,
                          JsonArray *files,
                          JsonArray *written,
                          GError **error)
{
    FsnRepo *repo = fsn_cycle_repo(cycle, error);
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(GPtrArray) stored = NULL;

    if (!repo || !fsn_repo_load_manifest(repo, snapshot, &manifest, error) ||
        !fsn_stored_disks_read(manifest, &stored, error)) {
        return false;
    }
    for (guint i = 0; i < json_array_get_length(files); i++) {
        const char *temporary;
        JsonObject *file;

        if (!fsn_json_get_element(files, i, &file, error)) {
            return false;
        }
        temporary = fsn_json_peek_string(file, "temporary", NULL);
        if (!(fsn_json_peek_bool(file, "gone", false)
                  ? fsn_file_remove_durable(fsn_json_peek_string(file, "path", ""), error)
              : temporary
                  ? rename_file(file, temporary, error)
                  : rewrite_device(cycle, snapshot, stored, file, written, error))) {
            return false;
        }
    }
    return true;
}

bool
fsn_restore_files_remove(JsonArray *files, GError **error)
{
    for (guint i = 0; i < json_array_get_length(files); i++) {
        const char *temporary;
        JsonObject *file;

        if (!fsn_json_get_element(files, i, &file, error)) {
            return false;
        }
        temporary = fsn_json_peek_string(file, "temporary", NULL);
        if (temporary && !fsn_file_remove_durable(temporary, error)) {
            return false;
        }
    }
    return true;
}
