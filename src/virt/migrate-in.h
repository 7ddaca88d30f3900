/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/connection.h"

G_BEGIN_DECLS

/* Resuming through libvirt's own incoming migration: for libvirt, this process is the
 * source host. Sequence: prepare; connect to the socket and send the stream; finish, which
 * for postcopy is called at once from another thread and returns when all is loaded. */
typedef struct {
    const char *xml;         /* description of the guest as it ran (migratable) */
    const char *name;        /* as in @xml */
    const char *uuid;        /* as in @xml; 36 characters, lower case */
    const char *socket_path; /* where QEMU shall listen; absolute, < 108 bytes of
                              * A-Z a-z 0-9 / . _ - + @ only, in a folder QEMU may write */
    const char *cpu_xml; /* the <cpu> it really had (fsn_virt_domain_live_cpu); or NULL */
    bool postcopy;       /* the guest runs before its memory is there */
    bool paused;         /* leave it paused afterwards; not with postcopy */
    bool resume;         /* continue a postcopy whose source was lost */
    /* Optional: called at the very moment before libvirt is asked to let the guest run; if it
     * returns false with an error, libvirt is not asked. */
    bool (*let_run)(gpointer user, GError **error);
    gpointer user;
} FsnMigrateIn;

/* False with the reason if this libvirt does not offer the entry points. */
bool fsn_migrate_in_available(FsnVirt *virt, GError **why_not) G_GNUC_WARN_UNUSED_RESULT;

/* False with the reason unless continuing a lost postcopy is shown not to crash this
 * release of libvirtd (11.3.0 does crash); only 9.0 is known to be safe. */
bool fsn_migrate_in_recover_is_safe(FsnVirt *virt, GError **why_not)
    G_GNUC_WARN_UNUSED_RESULT;

/* Starts QEMU for the domain, or with @resume readies the one that is there; returns when
 * it listens on the socket. If this process ends before finish is called, libvirt ends the
 * QEMU. FSN_ERROR_USAGE, before libvirt is asked, for any bad member of @in. */
bool fsn_migrate_in_prepare(FsnVirt *virt, const FsnMigrateIn *in, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Lets the guest run and blocks until all of the stream is loaded; with @cancelled ends the
 * QEMU that prepare started. False means: without postcopy, or before the guest ran, QEMU
 * is gone; after that the domain is in state "post-copy failed" and waits for its pages.
 * With @resume it must not be called before the destination has accepted the recovery
 * (RESUME_ACK): libvirt would see the old failure and give up, although QEMU goes on.
 * Where the connection to libvirtd was lost false means nothing: libvirtd finishes a postcopy
 * whose client died, or which it finds after its own restart, by itself. So the state of
 * the domain is what counts, as fsn_virt_domain_status() tells it. */
bool fsn_migrate_in_finish(FsnVirt *virt,
                           const FsnMigrateIn *in,
                           bool cancelled,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
