/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The size of a domain: what libvirt and the guest's agent can change, and what is in use. */
#include "config.h"

#include "virt/resize.h"

#include "base/clock.h"
#include "base/error.h"
#include "virt/domain-private.h"
#include "virt/error-private.h"

#define KIB     1024
#define FRESH_S 60
#define POLL_US 100000

static bool
check(int result, FsnVirtDomain *domain, const char *what, GError **error)
{
    if (result < 0) {
        return fsn_virt_set_error(error, "cannot set the %s of domain '%s'", what,
                                  fsn_virt_domain_name(domain));
    }
    return true;
}

bool
fsn_virt_domain_set_vcpus(FsnVirtDomain *domain,
                          unsigned n,
                          bool at_next_start,
                          GError **error)
{
    unsigned flags = at_next_start ? VIR_DOMAIN_VCPU_CONFIG : VIR_DOMAIN_VCPU_LIVE;

    return check(virDomainSetVcpusFlags(fsn_virt_domain_handle(domain), n, flags), domain,
                 "vCPUs", error);
}

bool
fsn_virt_domain_set_memory(FsnVirtDomain *domain,
                           uint64_t bytes,
                           bool at_next_start,
                           GError **error)
{
    unsigned flags = at_next_start ? VIR_DOMAIN_MEM_CONFIG : VIR_DOMAIN_MEM_LIVE;

    return check(virDomainSetMemoryFlags(fsn_virt_domain_handle(domain),
                                         (unsigned long)(bytes / KIB), flags),
                 domain, "memory", error);
}

bool
fsn_virt_domain_update_device(FsnVirtDomain *domain, const char *xml, GError **error)
{
    return check(virDomainUpdateDeviceFlags(fsn_virt_domain_handle(domain), xml,
                                            VIR_DOMAIN_AFFECT_LIVE),
                 domain, "memory device", error);
}

/* Asked for a sign of life first: libvirt itself waits for an agent that hangs for ever. */
unsigned
fsn_virt_domain_online_vcpus(FsnVirtDomain *domain, int timeout_s)
{
    int n = fsn_virt_domain_agent_answers(domain, timeout_s)
                ? virDomainGetVcpusFlags(fsn_virt_domain_handle(domain),
                                         VIR_DOMAIN_VCPU_GUEST)
                : -1;

    return n > 0 ? (unsigned)n : 0;
}

/* A vCPU that was just plugged takes the guest a moment to find, and nothing tells when. */
static void
wait_for_guest_vcpus(FsnVirtDomain *domain, unsigned n, int timeout_s)
{
    int64_t end_us = fsn_monotonic_us() + (int64_t)timeout_s * G_USEC_PER_SEC;

    while (virDomainGetVcpusFlags(fsn_virt_domain_handle(domain),
                                  VIR_DOMAIN_VCPU_GUEST | VIR_DOMAIN_VCPU_MAXIMUM) <
               (int)n &&
           fsn_monotonic_us() < end_us) {
        g_usleep(POLL_US);
    }
}

bool
fsn_virt_domain_set_online_vcpus(FsnVirtDomain *domain,
                                 unsigned n,
                                 int timeout_s,
                                 GError **error)
{
    if (!fsn_virt_domain_agent_answers(domain, timeout_s)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT,
                    "the agent of domain '%s' does not answer",
                    fsn_virt_domain_name(domain));
        return false;
    }
    wait_for_guest_vcpus(domain, n, timeout_s);
    return check(
        virDomainSetVcpusFlags(fsn_virt_domain_handle(domain), n, VIR_DOMAIN_VCPU_GUEST),
        domain, "online vCPUs", error);
}

/* Bytes of the statistic @tag; 0 if it is not there. */
static uint64_t
stat_bytes(const virDomainMemoryStatStruct *stats, int n, int tag)
{
    for (int i = 0; i < n; i++) {
        if (stats[i].tag == tag) {
            return stats[i].val * KIB;
        }
    }
    return 0;
}

FsnVirtMemoryUse
fsn_virt_domain_memory_use(FsnVirtDomain *domain)
{
    virDomainMemoryStatStruct stats[VIR_DOMAIN_MEMORY_STAT_NR];
    int n = virDomainMemoryStats(fsn_virt_domain_handle(domain), stats,
                                 VIR_DOMAIN_MEMORY_STAT_NR, 0);
    uint64_t balloon = stat_bytes(stats, n, VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON);
    uint64_t available = stat_bytes(stats, n, VIR_DOMAIN_MEMORY_STAT_AVAILABLE);
    uint64_t usable = stat_bytes(stats, n, VIR_DOMAIN_MEMORY_STAT_USABLE);
    int64_t updated_s =
        (int64_t)(stat_bytes(stats, n, VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE) / KIB);

    if (available <= usable || usable == 0 ||
        fsn_realtime_us() / G_USEC_PER_SEC - updated_s > FRESH_S) {
        return (FsnVirtMemoryUse){ 0 };
    }
    return (FsnVirtMemoryUse){ .used = available - usable,
                               .kept = balloon > available ? balloon - available : 0 };
}

bool
fsn_virt_domain_cpu_time(FsnVirtDomain *domain, int64_t *out_us, GError **error)
{
    virDomainInfo info;

    if (virDomainGetInfo(fsn_virt_domain_handle(domain), &info) < 0) {
        return fsn_virt_set_error(error, "cannot ask for the CPU time of domain '%s'",
                                  fsn_virt_domain_name(domain));
    }
    *out_us = (int64_t)(info.cpuTime / 1000);
    return true;
}
