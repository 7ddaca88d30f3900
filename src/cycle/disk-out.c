/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stored disk as an image file or on a device, for export and restore. Raw is written here;
 * qcow2 is QEMU's own, so qemu-img writes it from a server that nobody else can reach.
 */
#include "config.h"

#include "cycle/disk-out.h"

#include "base/error.h"
#include "disk/nameless-socket.h"
#include "disk/nbd-server.h"
#include "disk/qemu-img.h"
#include "disk/write-image.h"
#include "repo/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 16

typedef struct {
    FsnCycle *cycle;
    const char *phase;
    uint64_t size;
} Progress;

static void
on_bytes(uint64_t done, uint64_t total, gpointer user)
{
    const Progress *p = user;

    fsn_cycle_progress(p->cycle, p->phase, done, total);
}

/* qemu-img counts parts. */
static void
on_parts(uint64_t done, uint64_t total, gpointer user)
{
    const Progress *p = user;

    fsn_cycle_progress(p->cycle, p->phase,
                       (uint64_t)((double)p->size * (double)done / (double)total),
                       p->size);
}

static bool
write_raw(FsnImage *image,
          const FsnDiskOut *out,
          Progress *progress,
          GCancellable *cancellable,
          uint64_t *out_bytes,
          GError **error)
{
    const FsnWriteImageOptions options = { .cancellable = cancellable,
                                           .progress = on_bytes,
                                           .user = progress };
    int fd = open(out->path, O_RDWR | O_CLOEXEC);
    FsnWriteImageStats stats;
    bool ok;

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot open '%s'", out->path);
    }
    ok = fsn_write_image(image, out->disk->size, fd, out->path, &options, &stats, error);
    close(fd);
    if (ok) {
        *out_bytes = stats.bytes_written;
    }
    return ok;
}

static bool
convert(FsnCycle *cycle,
        const FsnDiskOut *out,
        int listener,
        const char *path,
        Progress *progress,
        GCancellable *cancellable,
        GError **error)
{
    g_autofree char *plugin = fsn_cycle_helper_path("nbdkit-foresnap-plugin.so");
    g_autofree char *uri = fsn_nbd_uri(path);
    const FsnNbdServerOptions options = { .plugin = plugin,
                                          .repo = fsn_cycle_repo_location(cycle),
                                          .snapshot = out->snapshot,
                                          .target = out->disk->target,
                                          .listener = listener };
    g_autoptr(FsnNbdServer) server = fsn_nbd_server_start(&options, error);

    return server &&
           fsn_qemu_img_to_qcow2(uri, out->path, cancellable, on_parts, progress, error);
}

static bool
write_qcow2(FsnCycle *cycle,
            FsnImage *image,
            const FsnDiskOut *out,
            Progress *progress,
            GCancellable *cancellable,
            uint64_t *out_bytes,
            GError **error)
{
    g_autofree char *path = NULL;
    int listener, path_fd;
    bool ok;

    if (!fsn_image_check_size(image, out->disk->size, error) ||
        !fsn_image_data_bytes(image, out_bytes, error) ||
        !fsn_nameless_socket(BACKLOG, &listener, &path_fd, &path, error)) {
        return false;
    }
    ok = convert(cycle, out, listener, path, progress, cancellable, error) &&
         (!out->bitmap || fsn_qemu_img_add_bitmap(out->path, out->bitmap, error));
    close(listener);
    close(path_fd);
    return ok;
}

bool
fsn_disk_out_write(FsnCycle *cycle,
                   const FsnDiskOut *out,
                   GCancellable *cancellable,
                   uint64_t *out_bytes,
                   GError **error)
{
    Progress progress = { .cycle = cycle, .phase = out->phase, .size = out->disk->size };
    FsnRepo *repo = fsn_cycle_repo(cycle, error);
    g_autoptr(FsnImage) image =
        repo ? fsn_image_open(repo, out->disk->image, error) : NULL;
    bool ok;

    if (!image) {
        return false;
    }
    ok = strcmp(out->format, "raw") == 0
             ? write_raw(image, out, &progress, cancellable, out_bytes, error)
             : write_qcow2(cycle, image, out, &progress, cancellable, out_bytes, error);
    if (!ok) {
        g_prefix_error(error, "disk %s: ", out->disk->target);
    }
    return ok;
}
