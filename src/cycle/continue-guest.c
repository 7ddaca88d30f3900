/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each function brings libvirt's view in line with QEMU's. Both may be called again. */
#include "config.h"

#include "cycle/continue-guest.h"

#define NOTICE_US (5 * G_USEC_PER_SEC)

bool
fsn_continue_standing(FsnVirtDomain *domain, GError **error)
{
    FsnVirtStatus status;

    if (!fsn_virt_domain_status(domain, &status, error)) {
        return false;
    }
    if (status.state == FSN_VIRT_RUNNING &&
        !fsn_virt_domain_wait_state(domain, FSN_VIRT_PAUSED, NOTICE_US, error)) {
        return false;
    }
    if (status.state != FSN_VIRT_RUNNING && status.state != FSN_VIRT_PAUSED) {
        return true; /* it has ended meanwhile */
    }
    return fsn_virt_domain_resume(domain, error);
}

bool
fsn_continue_continued(FsnVirtDomain *domain, GError **error)
{
    FsnVirtStatus status;

    if (!fsn_virt_domain_status(domain, &status, error)) {
        return false;
    }
    if (status.state != FSN_VIRT_RUNNING || !status.continued) {
        return true;
    }
    return fsn_virt_domain_suspend(domain, error) &&
           fsn_virt_domain_resume(domain, error);
}
