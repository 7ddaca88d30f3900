/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* Whether libvirt may hold leases of disks: false only if no daemon of a lock manager
 * (virtlockd, sanlock) runs here. libvirt does not tell which one it uses, if any. @proc is
 * "/proc" but for tests. */
bool fsn_virt_lock_daemon_runs(const char *proc);

G_END_DECLS
