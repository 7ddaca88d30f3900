/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/domain.h"

G_BEGIN_DECLS

/* What libvirt knows of the disks of a running domain. Errors as in virt/domain.h. */

/* Whether a backup job (virDomainBackupBegin) is open, whoever began it. */
bool fsn_virt_domain_backup_job(FsnVirtDomain *domain, bool *out_active, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* *@out_text names the disks with I/O errors ("vdb: no space, vdc: I/O error"), for the
 * caller to free; NULL if there are none. */
bool fsn_virt_domain_disk_errors(FsnVirtDomain *domain, char **out_text, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
