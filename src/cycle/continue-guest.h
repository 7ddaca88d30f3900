/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/domain.h"

G_BEGIN_DECLS

/*
 * How a suspend that did not succeed, and its recovery, let a guest run on. Always through
 * libvirt, which gives up the leases of disks when QEMU stops the guest at convergence and
 * does not take them again when QEMU continues it by itself.
 */

/* The guest stands still for the sake of a suspend. libvirt may hear of the stop later than
 * we, and continues nothing that it takes for running: waits for it, 5 s at the most. */
bool fsn_continue_standing(FsnVirtDomain *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* QEMU runs it, and may have stopped it for a moment before: takes the leases again, by a
 * pause of some milliseconds, unless libvirt knows that it was never stopped. Does nothing
 * to a domain that is not running. */
bool fsn_continue_continued(FsnVirtDomain *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
