/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libvirt's folders as its distributions build it (--localstatedir=/var, --runstatedir=/run),
 * wherever foresnap itself is installed. Looks at no file. */
#include "config.h"

#include "virt/folders.h"

char *
fsn_virt_folder_of(bool session, FsnVirtFolder which)
{
    switch (which) {
    case FSN_VIRT_FOLDER_SAVE:
        return session ? g_build_filename(g_get_user_config_dir(), "libvirt", "qemu",
                                          "save", NULL)
                       : g_strdup("/var/lib/libvirt/qemu/save");
    case FSN_VIRT_FOLDER_PIDS:
        return session ? g_build_filename(g_get_user_runtime_dir(), "libvirt", "qemu",
                                          "run", NULL)
                       : g_strdup("/run/libvirt/qemu");
    case FSN_VIRT_FOLDER_LOGS:
        return session ? g_build_filename(g_get_user_cache_dir(), "libvirt", "qemu",
                                          "log", NULL)
                       : g_strdup("/var/log/libvirt/qemu");
    case FSN_VIRT_FOLDER_TPMS:
        return session ? g_build_filename(g_get_user_config_dir(), "libvirt", "qemu",
                                          "swtpm", NULL)
                       : g_strdup("/var/lib/libvirt/swtpm");
    case FSN_VIRT_FOLDER_QEMUS:
        return session ? g_strdup(g_get_user_runtime_dir())
                       : g_strdup("/var/lib/libvirt/qemu");
    }
    g_assert_not_reached();
}

char *
fsn_virt_folder(const FsnVirt *virt, FsnVirtFolder which)
{
    return fsn_virt_folder_of(fsn_virt_is_session(virt), which);
}
