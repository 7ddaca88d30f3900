/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/domain.h"

G_BEGIN_DECLS

/* File systems of the guest through its agent. Each call lasts @timeout_s seconds (≥ 1) and
 * the five that libvirt gives the agent to show that it is there, not more; libvirt keeps
 * no time limit of its own afterwards. *@out_count (may be NULL) is the number of file
 * systems. Errors: FSN_ERROR_UNSUPPORTED (no agent is configured), FSN_ERROR_TIMEOUT (it is
 * not connected or does not answer), FSN_ERROR_STATE (the domain does not run), else as
 * in virt/domain.h. */

/* Flushes and stops the writing of all file systems. After a failure that may have been too
 * late to be noticed by the guest, thawing is tried as well (as long again), so that no guest
 * stays frozen; the message says if that failed too. */
bool fsn_virt_agent_freeze(FsnVirtDomain *domain,
                           int timeout_s,
                           int *out_count,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Safe to repeat: 0 file systems if nothing is frozen. */
bool fsn_virt_agent_thaw(FsnVirtDomain *domain,
                         int timeout_s,
                         int *out_count,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
