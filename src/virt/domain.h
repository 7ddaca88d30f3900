/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/connection.h"

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* A domain that libvirt knows. Holds its connection: it stays valid after fsn_virt_free().
 * Calls block until libvirt answers; threads may share it. Errors of all: NOT_FOUND (the
 * domain is gone), STATE (not in the state it must be in), BUSY (another operation holds
 * it), UNSUPPORTED, FAILED. */
typedef struct FsnVirtDomain FsnVirtDomain;

typedef enum {
    FSN_VIRT_NOSTATE,
    FSN_VIRT_RUNNING,
    FSN_VIRT_PAUSED,
    FSN_VIRT_SHUTTING_DOWN,
    FSN_VIRT_OFF,
    FSN_VIRT_CRASHED,
    FSN_VIRT_PM_SUSPENDED,
} FsnVirtState;

typedef struct {
    FsnVirtState state;
    int reason;            /* libvirt's number, for messages */
    bool post_copy;        /* memory is still being loaded; libvirt keeps others off */
    bool post_copy_failed; /* … and its source is gone */
    bool paused_by_user;   /* a user stopped it */
    bool continued;        /* runs, and was stopped at least once before */
    bool incoming;         /* QEMU waits for a migration; the guest has not run */
    bool persistent;
    bool autostart;
    bool managed_save; /* libvirt believes that a managed save image is there */
} FsnVirtStatus;

/* Which description: */
typedef enum {
    FSN_VIRT_XML_MIGRATABLE, /* of the running guest, as a migration would send it */
    FSN_VIRT_XML_RUNNING,    /* of the running guest, with the CPU that it really has */
    FSN_VIRT_XML_INACTIVE,   /* of its next start */
} FsnVirtXml;

/* By id, UUID or name, in this order, as virsh does. NOT_FOUND names @who. */
bool fsn_virt_lookup(FsnVirt *virt,
                     const char *who,
                     FsnVirtDomain **out_domain,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* All domains, running or not; the array (of FsnVirtDomain) frees its elements. */
bool fsn_virt_list(FsnVirt *virt, GPtrArray **out_domains, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void fsn_virt_domain_free(FsnVirtDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnVirtDomain, fsn_virt_domain_free)

/* Belong to @domain; the name is that of the lookup. */
const char *fsn_virt_domain_name(const FsnVirtDomain *domain);
const char *fsn_virt_domain_uuid(const FsnVirtDomain *domain);

bool fsn_virt_domain_status(FsnVirtDomain *domain,
                            FsnVirtStatus *out_status,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "running", "paused", "shut off", …; static. */
const char *fsn_virt_state_name(FsnVirtState state);

/* Description with its secrets; the caller frees. */
bool fsn_virt_domain_xml(FsnVirtDomain *domain,
                         FsnVirtXml which,
                         char **out_xml,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The <cpu> element of the running guest with all features expanded, NULL if it has none:
 * what a migration cookie must carry so that the guest gets the same CPU again. */
bool fsn_virt_domain_live_cpu(FsnVirtDomain *domain, char **out_cpu_xml, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

bool fsn_virt_domain_suspend(FsnVirtDomain *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_virt_domain_resume(FsnVirtDomain *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_virt_domain_start(FsnVirtDomain *domain, bool paused, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Ends QEMU; with @graceful only if it ends by itself when asked. */
bool fsn_virt_domain_destroy(FsnVirtDomain *domain, bool graceful, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The same without asking; a QEMU that has ended by itself has done what was wanted. */
bool fsn_virt_domain_end(FsnVirtDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Defines or redefines a persistent domain; starts a transient one. */
bool fsn_virt_define(FsnVirt *virt,
                     const char *xml,
                     FsnVirtDomain **out_domain,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_virt_create(FsnVirt *virt,
                     const char *xml,
                     bool paused,
                     FsnVirtDomain **out_domain,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Waits until the domain is in @state; FSN_ERROR_TIMEOUT after @timeout_us. */
bool fsn_virt_domain_wait_state(FsnVirtDomain *domain,
                                FsnVirtState state,
                                int64_t timeout_us,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* True if the guest agent answers within @timeout_s seconds (≥ 1). */
bool fsn_virt_domain_agent_answers(FsnVirtDomain *domain, int timeout_s);
/* Sets the guest's clock through its agent: to the host's time. */
bool fsn_virt_domain_sync_time(FsnVirtDomain *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether a job (save, migration, dump, …) or a block job (on a disk named by
 * *@out_target, to be freed; NULL if none) is under way. */
bool fsn_virt_domain_has_job(FsnVirtDomain *domain, bool *out_active, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_virt_domain_block_job(FsnVirtDomain *domain, char **out_target, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Begins a block job that makes disk @target independent of the images below it; libvirt
 * takes them out of both descriptions when it has ended. */
bool fsn_virt_domain_block_pull(FsnVirtDomain *domain, const char *target, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
