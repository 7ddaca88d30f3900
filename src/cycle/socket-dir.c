/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where QEMU listens for a resume, or finds a server. Below libvirt's own folder, whose owner is the user that
 * QEMU runs as and where libvirt's AppArmor profile lets QEMU make files NAME.monitor.
 */
#include "config.h"

#include "cycle/socket-dir.h"

#include "base/error.h"
#include "base/files.h"
#include "virt/folders.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

char *
fsn_socket_dir_path(FsnVirt *virt, const char *uuid)
{
    g_autofree char *folder = fsn_virt_folder(virt, FSN_VIRT_FOLDER_QEMUS);
    g_autofree char *name = g_strconcat("foresnap-", uuid, NULL);

    return g_build_filename(folder, name, NULL);
}

/* Gives the folder to the user that libvirt runs QEMU as, who owns the one above. */
static bool
give_to_qemu(const char *path, GError **error)
{
    g_autofree char *above = g_path_get_dirname(path);
    struct stat st;

    if (stat(above, &st) < 0) {
        return fsn_set_errno(error, errno, "cannot look at '%s'", above);
    }
    if (chown(path, st.st_uid, st.st_gid) < 0) {
        return fsn_set_errno(error, errno, "cannot give '%s' to QEMU's user", path);
    }
    return true;
}

bool
fsn_socket_dir_make(FsnVirt *virt, const char *uuid, char **out_path, GError **error)
{
    g_autofree char *path = fsn_socket_dir_path(virt, uuid);

    fsn_socket_dir_remove(virt, uuid);
    if (!fsn_mkdirs(path, 0700, error) ||
        (!fsn_virt_is_session(virt) && !give_to_qemu(path, error))) {
        return false;
    }
    *out_path = g_steal_pointer(&path);
    return true;
}

void
fsn_socket_dir_remove(FsnVirt *virt, const char *uuid)
{
    g_autofree char *path = fsn_socket_dir_path(virt, uuid);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    if (!dir) {
        return;
    }
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(path, name, NULL);

        (void)g_unlink(file); /* what stays is harmless */
    }
    (void)g_rmdir(path);
}

bool
fsn_socket_dir_give(FsnVirt *virt, const char *path, GError **error)
{
    return fsn_virt_is_session(virt) || give_to_qemu(path, error);
}
