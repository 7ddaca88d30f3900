/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/domain.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * Resuming through the monitor, for a libvirt that does not offer its migration entry points
 * (virt/migrate-in.h): the domain is started paused with a QEMU that waits for a stream, and
 * is told by QMP where the stream comes from. What it costs: libvirt knows nothing of the
 * load, so it keeps nobody off while pages are missing; the argument stays in the live
 * description until the next start, for which snapshot-revert refuses; libvirt marks the
 * domain as tainted.
 */

/* The arguments that make QEMU wait; NULL-terminated. */
extern const char *const fsn_incoming_defer_arguments[];

/* Starts the domain with @xml_live and, unless it is NULL, the CPU @cpu_xml. It is paused,
 * and waits. The caller frees *@out_domain. */
bool fsn_incoming_defer_create(FsnVirt *virt,
                               const char *xml_live,
                               const char *cpu_xml,
                               FsnVirtDomain **out_domain,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Lets QEMU read from a new socket, whose other end is *@out_fd, for the caller to close.
 * With @postcopy QEMU must be permitted to use userfaultfd; its error says so if not. */
bool fsn_incoming_defer_connect(FsnVirtDomain *domain,
                                bool postcopy,
                                int *out_fd,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for a postcopy whose source was lost; breaks off what is left of it first. */
bool fsn_incoming_defer_reconnect(FsnVirtDomain *domain, int *out_fd, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* How far QEMU is, once nobody serves it any more. */
typedef enum {
    FSN_DEFER_WAITING, /* the stream has not been loaded so far that a guest could run */
    FSN_DEFER_LOADING, /* pages are missing, and QEMU has not noticed that nobody is there */
    FSN_DEFER_BROKEN, /* pages are missing; QEMU waits for a new connection */
    FSN_DEFER_LOADED,
} FsnDeferState;

/* Waits up to 5 s for QEMU to see that a lost connection is lost. */
bool fsn_incoming_defer_state(FsnVirtDomain *domain,
                              FsnDeferState *out_state,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
