/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What changes a domain or asks its guest. Each function is one libvirt call; when to make
 * it is decided elsewhere.
 */
#include "config.h"

#include "virt/domain-private.h"

#include "base/clock.h"
#include "base/error.h"
#include "virt/connection-private.h"
#include "virt/error-private.h"
#include "virt/events.h"

#include <libvirt/libvirt-qemu.h>
#include <stdlib.h>

static bool
check(int result, const char *what, FsnVirtDomain *domain, GError **error)
{
    if (result < 0) {
        return fsn_virt_set_error(error, "cannot %s domain '%s'", what,
                                  fsn_virt_domain_name(domain));
    }
    return true;
}

bool
fsn_virt_domain_suspend(FsnVirtDomain *domain, GError **error)
{
    return check(virDomainSuspend(fsn_virt_domain_handle(domain)), "pause", domain,
                 error);
}

bool
fsn_virt_domain_resume(FsnVirtDomain *domain, GError **error)
{
    return check(virDomainResume(fsn_virt_domain_handle(domain)), "continue", domain,
                 error);
}

bool
fsn_virt_domain_start(FsnVirtDomain *domain, bool paused, GError **error)
{
    unsigned flags = paused ? VIR_DOMAIN_START_PAUSED : 0;

    return check(virDomainCreateWithFlags(fsn_virt_domain_handle(domain), flags), "start",
                 domain, error);
}

bool
fsn_virt_domain_destroy(FsnVirtDomain *domain, bool graceful, GError **error)
{
    unsigned flags = graceful ? VIR_DOMAIN_DESTROY_GRACEFUL : 0;

    return check(virDomainDestroyFlags(fsn_virt_domain_handle(domain), flags), "end",
                 domain, error);
}

bool
fsn_virt_domain_end(FsnVirtDomain *domain, GError **error)
{
    g_autoptr(GError) local = NULL;
    FsnVirtStatus status;

    if (fsn_virt_domain_destroy(domain, false, &local) ||
        (fsn_virt_domain_status(domain, &status, NULL) &&
         (status.state == FSN_VIRT_OFF || status.state == FSN_VIRT_CRASHED))) {
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

bool
fsn_virt_define(FsnVirt *virt,
                const char *xml,
                FsnVirtDomain **out_domain,
                GError **error)
{
    virDomainPtr handle = virDomainDefineXMLFlags(fsn_virt_handle(virt), xml, 0);

    if (!handle) {
        return fsn_virt_set_error(error, "cannot define the domain");
    }
    *out_domain = fsn_virt_domain_new(handle);
    return true;
}

bool
fsn_virt_create(FsnVirt *virt,
                const char *xml,
                bool paused,
                FsnVirtDomain **out_domain,
                GError **error)
{
    unsigned flags = paused ? VIR_DOMAIN_START_PAUSED : 0;
    virDomainPtr handle = virDomainCreateXML(fsn_virt_handle(virt), xml, flags);

    if (!handle) {
        return fsn_virt_set_error(error, "cannot start the domain");
    }
    *out_domain = fsn_virt_domain_new(handle);
    return true;
}

bool
fsn_virt_domain_wait_state(FsnVirtDomain *domain,
                           FsnVirtState state,
                           int64_t timeout_us,
                           GError **error)
{
    int64_t end_us = fsn_monotonic_us() + timeout_us;
    g_autoptr(FsnVirtEvents) events = NULL;
    FsnVirtStatus status;
    FsnVirtEvent event;

    /* Subscribed first, asked then: no change can fall between. */
    if (!fsn_virt_events_new(domain, &events, error)) {
        return false;
    }
    for (;;) {
        g_autoptr(GError) local = NULL;
        int64_t left_us = end_us - fsn_monotonic_us();

        if (!fsn_virt_domain_status(domain, &status, error)) {
            return false;
        }
        if (status.state == state) {
            return true;
        }
        if (left_us <= 0 || !fsn_virt_events_wait(events, left_us, &event, &local)) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT,
                        "domain '%s' is %s, not %s, after %.1f s",
                        fsn_virt_domain_name(domain), fsn_virt_state_name(status.state),
                        fsn_virt_state_name(state), (double)timeout_us / 1e6);
            return false;
        }
    }
}

bool
fsn_virt_domain_agent_answers(FsnVirtDomain *domain, int timeout_s)
{
    char *reply = virDomainQemuAgentCommand(fsn_virt_domain_handle(domain),
                                            "{\"execute\":\"guest-ping\"}", timeout_s, 0);
    bool answers = reply != NULL;

    free(reply);
    return answers;
}

bool
fsn_virt_domain_sync_time(FsnVirtDomain *domain, GError **error)
{
    int64_t now_us = fsn_realtime_us();

    /* Not VIR_DOMAIN_TIME_SYNC: that takes the time from the guest's emulated clock, which
     * may be set to anything and which agents on Windows cannot read. */
    return check(virDomainSetTime(fsn_virt_domain_handle(domain), now_us / G_USEC_PER_SEC,
                                  (unsigned)(now_us % G_USEC_PER_SEC) * 1000, 0),
                 "set the clock of", domain, error);
}

bool
fsn_virt_domain_block_pull(FsnVirtDomain *domain, const char *target, GError **error)
{
    return check(virDomainBlockPull(fsn_virt_domain_handle(domain), target, 0, 0),
                 "pull a disk of", domain, error);
}
