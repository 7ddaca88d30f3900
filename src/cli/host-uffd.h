/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/host-facts.h"

G_BEGIN_DECLS

#define FSN_HOST_UFFD_SYSCTL  "/proc/sys/vm/unprivileged_userfaultfd"
#define FSN_HOST_UFFD_PERSIST "/etc/sysctl.d/60-foresnap.conf"

/* Tries userfaultfd in a child process as the user that QEMU has under libvirt at @uri; root
 * becomes that user, everybody else tries as themselves. The caller frees out_uffd->user. */
void fsn_host_uffd_probe(const char *uri, FsnHostUffd *out_uffd);

/* Permits userfaultfd to ordinary processes: writes 1 to @sysctl_path and, unless
 * @persist_path is NULL, a file there that does so at each boot. Needs root. */
bool fsn_host_uffd_permit(const char *sysctl_path,
                          const char *persist_path,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
