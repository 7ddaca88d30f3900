/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether libvirt has foresnap's hook. Looks at the file system only. */
#include "config.h"

#include "cli/host-hook.h"

/* Where libvirt itself looks, wherever foresnap is installed. */
#define HOOK_PATH "/etc/libvirt/hooks/qemu.d/foresnap"

void
fsn_host_hook_probe(const char *uri, FsnHostHook *out_hook)
{
    out_hook->path = g_strdup(HOOK_PATH);
    out_hook->shipped = g_strdup(FSN_PKGDATADIR "/hooks/foresnap");
    out_hook->session = uri && g_str_has_suffix(uri, "/session");
    out_hook->installed = g_file_test(HOOK_PATH, G_FILE_TEST_IS_EXECUTABLE);
}

void
fsn_host_hook_clear(FsnHostHook *hook)
{
    g_clear_pointer(&hook->path, g_free);
    g_clear_pointer(&hook->shipped, g_free);
}
