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
#include "cycle/manifest.h"
#include "memory/precopy-out.h"
#include "repo/manifests.h"
#include "stream/save-image.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define MAGIC_UNFINISHED "LibvirtQemudPart"
#define MAGIC_SIZE       16u
#define MAX_TEXT         (16u << 20)
#define MAX_DEVICE_STATE (64u << 20)

/* What is read from the repository before the file is begun. */
typedef struct {
    FsnManifestMemory memory;
    FsnImage *image;
    GBytes *head;
    GBytes *device_state;
    GBytes *description;
    GBytes *prefix; /* libvirt's header and XML */
} Parts;

static void
parts_clear(Parts *parts)
{
    fsn_manifest_memory_clear(&parts->memory);
    fsn_image_free(parts->image);
    g_clear_pointer(&parts->head, g_bytes_unref);
    g_clear_pointer(&parts->device_state, g_bytes_unref);
    g_clear_pointer(&parts->description, g_bytes_unref);
    g_clear_pointer(&parts->prefix, g_bytes_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Parts, parts_clear)

void
fsn_export_result_clear(FsnExportResult *result)
{
    g_clear_pointer(&result->domain, g_free);
}

static bool
read_text(FsnRepo *repo, const char *object, char **out_text, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;

    if (!fsn_repo_get_object(repo, object, MAX_TEXT, &bytes, error)) {
        return false;
    }
    *out_text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    return true;
}

/* The CPU that the guest really had goes into the cookie: another host, or a newer libvirt,
 * must not make it another one. */
static bool
build_prefix(FsnRepo *repo, Parts *parts, GError **error)
{
    g_autofree char *xml = NULL;
    g_autofree char *cpu = NULL;
    g_autofree char *cookie = NULL;

    if (!read_text(repo, parts->memory.xml_live, &xml, error) ||
        (parts->memory.cpu_xml && !read_text(repo, parts->memory.cpu_xml, &cpu, error))) {
        return false;
    }
    if (cpu) {
        cookie = g_strdup_printf("<cookie>\n%s\n</cookie>\n", cpu);
    }
    return fsn_save_image_build(xml, cookie, true, &parts->prefix, error);
}

static bool
read_parts(FsnRepo *repo, JsonObject *manifest, Parts *parts, GError **error)
{
    FsnManifestMemory *m = &parts->memory;

    if (!g_str_equal(fsn_json_peek_string(manifest, "kind", ""), "suspend")) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "its memory fits only to the disks of the same instant, which "
                    "'virsh restore' would not put back: 'foresnap restore' does");
        return false;
    }
    if (!fsn_manifest_read_memory(manifest, m, error) ||
        !fsn_arm_check_usable(repo, m->id, m->disks, error) ||
        !fsn_repo_get_object(repo, m->head, MAX_TEXT, &parts->head, error) ||
        !fsn_repo_get_object(repo, m->device_state, MAX_DEVICE_STATE,
                             &parts->device_state, error) ||
        (m->description && !fsn_repo_get_object(repo, m->description, MAX_TEXT,
                                                &parts->description, error)) ||
        !build_prefix(repo, parts, error)) {
        return false;
    }
    parts->image = fsn_image_open(repo, m->root, error);
    return parts->image != NULL;
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
           const Parts *parts,
           int fd,
           const char *path,
           uint64_t *out_bytes,
           GError **error)
{
    const FsnPrecopySource source = { parts->image, parts->memory.layout, parts->head,
                                      parts->device_state, parts->description };
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
          const Parts *parts,
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
    g_auto(Parts) parts = { 0 };
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
