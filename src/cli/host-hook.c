/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether libvirt has foresnap's hook. Looks at the file system only. */
#include "config.h"

#include "cli/host-hook.h"

#include "cli/hook-file.h"

void
fsn_host_hook_probe(const char *uri, const char *state_dir, FsnHostHook *out_hook)
{
    g_auto(FsnHookFile) file = { 0 };

    fsn_hook_file_probe(NULL, state_dir, &file);
    out_hook->session = uri && g_str_has_suffix(uri, "/session");
    out_hook->installed = file.state == FSN_HOOK_CURRENT || file.state == FSN_HOOK_OTHER;
    out_hook->old = file.state == FSN_HOOK_OTHER;
    out_hook->path = g_steal_pointer(&file.path);
}

void
fsn_host_hook_clear(FsnHostHook *hook)
{
    g_clear_pointer(&hook->path, g_free);
}
