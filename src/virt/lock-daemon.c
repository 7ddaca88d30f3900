/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A lock manager of libvirt shows itself by its daemon, which runs as long as a lease is held. */
#include "config.h"

#include "virt/lock-daemon.h"

#include <string.h>

static bool
is_lock_daemon(const char *proc, const char *pid)
{
    static const char *const names[] = { "virtlockd\n", "sanlock\n", NULL };
    g_autofree char *path = g_build_filename(proc, pid, "comm", NULL);
    g_autofree char *name = NULL;

    return g_file_get_contents(path, &name, NULL, NULL) && g_strv_contains(names, name);
}

bool
fsn_virt_lock_daemon_runs(const char *proc)
{
    g_autoptr(GDir) dir = g_dir_open(proc, 0, NULL);
    const char *name;

    if (!dir) {
        return true; /* not known */
    }
    while ((name = g_dir_read_name(dir))) {
        if (g_ascii_isdigit(*name) && is_lock_daemon(proc, name)) {
            return true;
        }
    }
    return false;
}
