/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/domain.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Changing the size of a domain, one libvirt call each. Errors as in virt/domain.h. */

/* Plugs vCPUs up to @n into the running guest, or sets how many the next start gets. */
bool fsn_virt_domain_set_vcpus(FsnVirtDomain *domain,
                               unsigned n,
                               bool at_next_start,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Sets the balloon's target of the running guest, or the memory of the next start. The guest
 * gets there in its own time. */
bool fsn_virt_domain_set_memory(FsnVirtDomain *domain,
                                uint64_t bytes,
                                bool at_next_start,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Updates a device of the running guest to what @xml says. */
bool fsn_virt_domain_update_device(FsnVirtDomain *domain, const char *xml, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* How many vCPUs the guest has online, and brings it to @n of those plugged, by its agent,
 * which is waited for at most @timeout_s seconds. Writes 0 if the agent does not answer. */
unsigned fsn_virt_domain_online_vcpus(FsnVirtDomain *domain, int timeout_s);
bool fsn_virt_domain_set_online_vcpus(FsnVirtDomain *domain,
                                      unsigned n,
                                      int timeout_s,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Memory in use by the guest as its balloon driver has reported it within the last minute, in
 * bytes; zeroes where it has not. Without <stats period=…/> it reports once, when it is loaded:
 * that counts for nothing, and is the caller's to know. */
typedef struct {
    uint64_t used; /* by programs */
    uint64_t kept; /* by kernel and firmware, out of what the balloon leaves */
} FsnVirtMemoryUse;

FsnVirtMemoryUse fsn_virt_domain_memory_use(FsnVirtDomain *domain);
/* CPU time that its vCPUs have used so far, in microseconds. */
bool fsn_virt_domain_cpu_time(FsnVirtDomain *domain, int64_t *out_us, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
