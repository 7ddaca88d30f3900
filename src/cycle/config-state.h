/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/config-record.h"
#include "policies/level.h"
#include "repo/repo.h"
#include "virt/domain.h"

G_BEGIN_DECLS

/* Reading what is around a domain: see config-record.h. */

/* @xml is the domain's description, of one that runs the running one; @on says that it runs.
 * @network is how much is kept of networks. What libvirt does not tell is left out, and said
 * in @warnings (char *). */
FsnConfigRecord *fsn_config_collect(FsnVirt *virt,
                                    FsnVirtDomain *domain,
                                    const char *xml,
                                    bool on,
                                    FsnLevel network,
                                    GPtrArray *warnings);

/* Puts it into the repository; the manifest's member, for the caller to unref. */
JsonObject *fsn_config_store(const FsnConfigRecord *record,
                             FsnRepo *repo,
                             GError **error);

/* What the @manifest of a snapshot has; NULL without error: nothing. */
bool fsn_config_load(FsnRepo *repo,
                     JsonObject *manifest,
                     FsnConfigRecord **out_record,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
