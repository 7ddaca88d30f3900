/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/connection.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* QEMU's process on this host, as the kernel shows it. */

/* Where libvirt notes the pid of the QEMU of domain @name; the caller frees. */
char *fsn_qemu_pid_file(FsnVirt *virt, const char *name);

/* Opens the folder, below @proc ("/proc"), of the process that @pid_file names, if that is
 * the QEMU of the domain with @uuid. *@out_fd, which the caller closes, means that process
 * for good, even when its pid is another's. Any error means that nothing can be told. */
bool fsn_qemu_process_open(const char *proc,
                           const char *pid_file,
                           const char *uuid,
                           int *out_fd,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Looks at each thread of it once: an array of FsnThreadLook (pending-io.h). */
bool fsn_qemu_threads_look(int process_fd, GArray **out_looks, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
