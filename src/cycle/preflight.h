/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "cycle/lock.h"
#include "cycle/manifest.h"
#include "domxml/domain-facts.h"
#include "qmp/session.h"
#include "virt/domain.h"

G_BEGIN_DECLS

/*
 * What suspend and snapshot look at before they touch a domain. @what is the operation
 * ("suspend") in "cannot suspend domain 'x': …".
 */

/* The domain's lock, at once or FSN_ERROR_BUSY. */
FsnLock *fsn_preflight_lock(FsnCycle *cycle, const FsnDomainFacts *facts, GError **error);

/* FSN_ERROR_BUSY if an operation on the domain is journaled, in whatever repository. */
bool fsn_preflight_no_journal(FsnCycle *cycle,
                              const FsnDomainFacts *facts,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* FSN_ERROR_BUSY if libvirt has a job or a block job on it. */
bool fsn_preflight_no_jobs(FsnVirtDomain *domain, const char *what, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* FSN_ERROR_STATE if QEMU says that something blocks migration, and so the reading of memory;
 * FSN_ERROR_BUSY if it migrates already. */
bool fsn_preflight_can_migrate(FsnQmp *qmp,
                               const char *what,
                               const char *domain,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* FSN_ERROR_UNSUPPORTED naming all devices whose memory or state cannot be taken. */
bool fsn_preflight_devices(const FsnDomainFacts *facts, const char *what, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* FSN_ERROR_NO_SPACE unless the repository has @need bytes for @whose. */
bool fsn_preflight_space(FsnRepo *repo,
                         const FsnDomainFacts *facts,
                         const char *what,
                         const char *whose,
                         uint64_t need,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The newest of @manifests (newest first) of domain @uuid that has memory; a damaged one is
 * passed over. *@out_manifest is NULL if there is none; the caller unrefs and clears. */
void fsn_preflight_memory_parent(GPtrArray *manifests,
                                 const char *uuid,
                                 JsonObject **out_manifest,
                                 FsnManifestMemory *out_memory);

/* Stores @text; NULL stores nothing and is no error. */
bool fsn_preflight_put_text(FsnRepo *repo,
                            const char *text,
                            char **out_object,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The domain runs, so whatever suspend states were stored of it before can never be used. */
bool fsn_preflight_void_states(FsnCycle *cycle,
                               FsnRepo *repo,
                               GPtrArray *manifests,
                               const FsnDomainFacts *facts,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
