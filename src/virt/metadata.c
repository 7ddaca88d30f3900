/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a domain carries for us. libvirt keeps it and hands it on; what it means is not known
 * here.
 */
#include "config.h"

#include "virt/metadata.h"

#include "virt/domain-private.h"
#include "virt/error-private.h"

#include <libvirt/virterror.h>
#include <stdlib.h>

/* Where the domain has metadata: its definition, and what runs. */
static bool
places(FsnVirtDomain *domain, bool *out_config, bool *out_live, GError **error)
{
    virDomainPtr handle = fsn_virt_domain_handle(domain);
    int persistent = virDomainIsPersistent(handle);
    int active = virDomainIsActive(handle);

    if (persistent < 0 || active < 0) {
        return fsn_virt_set_error(error, "cannot read the state of domain '%s'",
                                  fsn_virt_domain_name(domain));
    }
    *out_config = persistent > 0;
    *out_live = active > 0;
    return true;
}

bool
fsn_virt_domain_get_metadata(FsnVirtDomain *domain,
                             const char *name_space,
                             char **out_xml,
                             GError **error)
{
    bool config;
    bool live;
    char *xml;

    if (!places(domain, &config, &live, error)) {
        return false;
    }
    xml = virDomainGetMetadata(
        fsn_virt_domain_handle(domain), VIR_DOMAIN_METADATA_ELEMENT, name_space,
        config ? VIR_DOMAIN_AFFECT_CONFIG : VIR_DOMAIN_AFFECT_LIVE);
    if (!xml && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN_METADATA) {
        return fsn_virt_set_error(error, "cannot read the metadata of domain '%s'",
                                  fsn_virt_domain_name(domain));
    }
    *out_xml = g_strdup(xml);
    free(xml);
    return true;
}

bool
fsn_virt_domain_set_metadata(FsnVirtDomain *domain,
                             const char *name_space,
                             const char *prefix,
                             const char *xml,
                             GError **error)
{
    bool config;
    bool live;
    unsigned flags;

    if (!places(domain, &config, &live, error)) {
        return false;
    }
    flags = (config ? VIR_DOMAIN_AFFECT_CONFIG : 0) | (live ? VIR_DOMAIN_AFFECT_LIVE : 0);
    if (virDomainSetMetadata(fsn_virt_domain_handle(domain), VIR_DOMAIN_METADATA_ELEMENT,
                             xml, xml ? prefix : NULL, name_space, flags) < 0) {
        return fsn_virt_set_error(error, "cannot change the metadata of domain '%s'",
                                  fsn_virt_domain_name(domain));
    }
    return true;
}
