/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Freezing and thawing through the guest agent, within a time limit. libvirt waits for an
 * agent without limit unless told otherwise, and keeps what it is told: the limit is taken
 * back after each call. When to freeze is decided elsewhere; that a guest may not stay
 * frozen after a failure is decided here.
 */
#include "config.h"

#include "virt/agent.h"

#include "base/error.h"
#include "virt/domain-private.h"
#include "virt/error-private.h"

#include <libvirt/virterror.h>
#include <string.h>

static bool
set_limit(FsnVirtDomain *domain, int timeout_s, GError **error)
{
    int result =
        virDomainAgentSetResponseTimeout(fsn_virt_domain_handle(domain), timeout_s, 0);

    /* A driver without this has no agent that could be silent. */
    if (result < 0 && virGetLastErrorCode() != VIR_ERR_NO_SUPPORT) {
        return fsn_virt_set_error(error, "cannot limit the time of the agent of '%s'",
                                  fsn_virt_domain_name(domain));
    }
    return true;
}

/* virDomainFSFreeze() or virDomainFSThaw(). */
typedef int (*AgentCall)(virDomainPtr handle,
                         const char **mountpoints,
                         unsigned n_mountpoints,
                         unsigned flags);

static bool
call_agent(FsnVirtDomain *domain,
           AgentCall call,
           const char *what,
           int timeout_s,
           int *out_count,
           GError **error)
{
    int count;

    g_return_val_if_fail(timeout_s >= 1, false);

    if (!set_limit(domain, timeout_s, error)) {
        return false;
    }
    count = call(fsn_virt_domain_handle(domain), NULL, 0, 0);
    if (count < 0) {
        (void)fsn_virt_set_error(error, "cannot %s the file systems of domain '%s'", what,
                                 fsn_virt_domain_name(domain)); /* returned below */
    }
    (void)virDomainAgentSetResponseTimeout(
        fsn_virt_domain_handle(domain), VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK,
        0); /* fails only if the domain has ended, and the limit with it */
    if (count < 0) {
        return false;
    }
    if (out_count) {
        *out_count = count;
    }
    return true;
}

/* True if the guest may freeze, or be frozen, in spite of @error. An agent that is not
 * connected has been told nothing; it has no error code of its own. */
static bool
may_be_frozen(const GError *error)
{
    if (strstr(error->message, "is not connected")) {
        return false;
    }
    return g_error_matches(error, FSN_ERROR, FSN_ERROR_TIMEOUT) ||
           g_error_matches(error, FSN_ERROR, FSN_ERROR_FAILED);
}

bool
fsn_virt_agent_freeze(FsnVirtDomain *domain,
                      int timeout_s,
                      int *out_count,
                      GError **error)
{
    g_autoptr(GError) local = NULL;

    if (call_agent(domain, virDomainFSFreeze, "freeze", timeout_s, out_count, &local)) {
        return true;
    }
    if (may_be_frozen(local) && !fsn_virt_agent_thaw(domain, timeout_s, NULL, NULL)) {
        g_set_error(error, FSN_ERROR, local->code,
                    "%s; thawing failed too: if the guest hangs, run "
                    "'virsh domfsthaw %s'",
                    local->message, fsn_virt_domain_name(domain));
        return false;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

bool
fsn_virt_agent_thaw(FsnVirtDomain *domain, int timeout_s, int *out_count, GError **error)
{
    return call_agent(domain, virDomainFSThaw, "thaw", timeout_s, out_count, error);
}
