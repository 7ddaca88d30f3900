/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding domains, their state and their description. Nothing here changes a domain; that
 * is domain-control.c.
 */
#include "config.h"

#include "virt/domain-private.h"

#include "base/error.h"
#include "domxml/domain-facts.h"
#include "virt/connection-private.h"
#include "virt/error-private.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

struct FsnVirtDomain {
    virDomainPtr handle;
    char *name;
    char uuid[VIR_UUID_STRING_BUFLEN];
};

FsnVirtDomain *
fsn_virt_domain_new(virDomainPtr handle)
{
    FsnVirtDomain *domain = g_new0(FsnVirtDomain, 1);

    domain->handle = handle;
    domain->name = g_strdup(virDomainGetName(handle));
    (void)virDomainGetUUIDString(handle, domain->uuid); /* fails for NULL only */
    return domain;
}

void
fsn_virt_domain_free(FsnVirtDomain *domain)
{
    if (domain) {
        (void)virDomainFree(domain->handle); /* fails for NULL only */
        g_free(domain->name);
        g_free(domain);
    }
}

virDomainPtr
fsn_virt_domain_handle(FsnVirtDomain *domain)
{
    return domain->handle;
}

const char *
fsn_virt_domain_name(const FsnVirtDomain *domain)
{
    return domain->name;
}

const char *
fsn_virt_domain_uuid(const FsnVirtDomain *domain)
{
    return domain->uuid;
}

static virDomainPtr
lookup_handle(virConnectPtr connection, const char *who)
{
    virDomainPtr handle = NULL;
    guint64 id;

    if (g_ascii_string_to_unsigned(who, 10, 0, INT32_MAX, &id, NULL)) {
        handle = virDomainLookupByID(connection, (int)id);
    }
    if (!handle && strlen(who) == VIR_UUID_STRING_BUFLEN - 1) {
        handle = virDomainLookupByUUIDString(connection, who);
    }
    return handle ? handle : virDomainLookupByName(connection, who);
}

bool
fsn_virt_lookup(FsnVirt *virt,
                const char *who,
                FsnVirtDomain **out_domain,
                GError **error)
{
    virDomainPtr handle = *who ? lookup_handle(fsn_virt_handle(virt), who) : NULL;

    if (!*who) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "the name of the domain is empty");
        return false;
    }
    if (!handle) {
        return fsn_virt_set_error(error, "cannot find domain '%s'", who);
    }
    *out_domain = fsn_virt_domain_new(handle);
    return true;
}

bool
fsn_virt_list(FsnVirt *virt, GPtrArray **out_domains, GError **error)
{
    virDomainPtr *handles = NULL;
    int n = virConnectListAllDomains(fsn_virt_handle(virt), &handles, 0);
    GPtrArray *domains;

    if (n < 0) {
        return fsn_virt_set_error(error, "cannot list domains");
    }
    domains = g_ptr_array_new_with_free_func((GDestroyNotify)fsn_virt_domain_free);
    for (int i = 0; i < n; i++) {
        g_ptr_array_add(domains, fsn_virt_domain_new(handles[i]));
    }
    free(handles);
    *out_domains = domains;
    return true;
}

static FsnVirtState
state_of(int libvirt_state)
{
    switch (libvirt_state) {
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED:
        return FSN_VIRT_RUNNING;
    case VIR_DOMAIN_PAUSED:
        return FSN_VIRT_PAUSED;
    case VIR_DOMAIN_SHUTDOWN:
        return FSN_VIRT_SHUTTING_DOWN;
    case VIR_DOMAIN_SHUTOFF:
        return FSN_VIRT_OFF;
    case VIR_DOMAIN_CRASHED:
        return FSN_VIRT_CRASHED;
    case VIR_DOMAIN_PMSUSPENDED:
        return FSN_VIRT_PM_SUSPENDED;
    default:
        return FSN_VIRT_NOSTATE;
    }
}

const char *
fsn_virt_state_name(FsnVirtState state)
{
    switch (state) {
    case FSN_VIRT_NOSTATE:
        return "without state";
    case FSN_VIRT_RUNNING:
        return "running";
    case FSN_VIRT_PAUSED:
        return "paused";
    case FSN_VIRT_SHUTTING_DOWN:
        return "shutting down";
    case FSN_VIRT_OFF:
        return "shut off";
    case FSN_VIRT_CRASHED:
        return "crashed";
    case FSN_VIRT_PM_SUSPENDED:
        return "suspended by its guest";
    }
    g_assert_not_reached();
}

bool
fsn_virt_domain_status(FsnVirtDomain *domain, FsnVirtStatus *out_status, GError **error)
{
    FsnVirtStatus status = { 0 };
    int state;
    int persistent;
    int autostart = 0;
    int managed_save;

    if (virDomainGetState(domain->handle, &state, &status.reason, 0) < 0) {
        return fsn_virt_set_error(error, "cannot ask for the state of domain '%s'",
                                  domain->name);
    }
    persistent = virDomainIsPersistent(domain->handle);
    managed_save = virDomainHasManagedSaveImage(domain->handle, 0);
    if (persistent < 0 || managed_save < 0 ||
        (persistent && virDomainGetAutostart(domain->handle, &autostart) < 0)) {
        return fsn_virt_set_error(error, "cannot ask for the settings of domain '%s'",
                                  domain->name);
    }
    status.state = state_of(state);
    status.post_copy =
        (state == VIR_DOMAIN_RUNNING && status.reason == VIR_DOMAIN_RUNNING_POSTCOPY) ||
        (state == VIR_DOMAIN_PAUSED && status.reason == VIR_DOMAIN_PAUSED_POSTCOPY);
    status.post_copy_failed = (state == VIR_DOMAIN_RUNNING &&
                               status.reason == VIR_DOMAIN_RUNNING_POSTCOPY_FAILED) ||
                              (state == VIR_DOMAIN_PAUSED &&
                               status.reason == VIR_DOMAIN_PAUSED_POSTCOPY_FAILED);
    status.paused_by_user =
        state == VIR_DOMAIN_PAUSED && status.reason == VIR_DOMAIN_PAUSED_USER;
    status.continued =
        state == VIR_DOMAIN_RUNNING && status.reason == VIR_DOMAIN_RUNNING_UNPAUSED;
    status.incoming =
        state == VIR_DOMAIN_PAUSED && status.reason == VIR_DOMAIN_PAUSED_MIGRATION;
    status.persistent = persistent;
    status.autostart = autostart;
    status.managed_save = managed_save;
    *out_status = status;
    return true;
}

static unsigned
xml_flags(FsnVirtXml which)
{
    switch (which) {
    case FSN_VIRT_XML_MIGRATABLE:
        return VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_MIGRATABLE;
    case FSN_VIRT_XML_RUNNING:
        return VIR_DOMAIN_XML_SECURE;
    case FSN_VIRT_XML_INACTIVE:
        return VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE;
    }
    g_assert_not_reached();
}

bool
fsn_virt_domain_xml(FsnVirtDomain *domain,
                    FsnVirtXml which,
                    char **out_xml,
                    GError **error)
{
    char *xml = virDomainGetXMLDesc(domain->handle, xml_flags(which));

    if (!xml) {
        return fsn_virt_set_error(error, "cannot get the description of domain '%s'",
                                  domain->name);
    }
    *out_xml = g_strdup(xml);
    free(xml);
    return true;
}

bool
fsn_virt_domain_live_cpu(FsnVirtDomain *domain, char **out_cpu_xml, GError **error)
{
    /* Not XML_UPDATE_CPU: that asks what this host would make of the original CPU, while
     * the description of a running guest has the CPU that QEMU gave it. */
    g_autoptr(FsnDomainFacts) facts = NULL;
    g_autofree char *xml = NULL;

    if (!fsn_virt_domain_xml(domain, FSN_VIRT_XML_RUNNING, &xml, error) ||
        !fsn_domain_facts_parse(xml, &facts, error)) {
        return false;
    }
    *out_cpu_xml = g_steal_pointer(&facts->cpu_xml);
    return true;
}

bool
fsn_virt_domain_has_job(FsnVirtDomain *domain, bool *out_active, GError **error)
{
    virTypedParameterPtr params = NULL;
    int type = VIR_DOMAIN_JOB_NONE;
    int n_params = 0;

    if (virDomainGetJobStats(domain->handle, &type, &params, &n_params, 0) < 0) {
        return fsn_virt_set_error(error, "cannot ask for jobs of domain '%s'",
                                  domain->name);
    }
    virTypedParamsFree(params, n_params);
    *out_active = type != VIR_DOMAIN_JOB_NONE;
    return true;
}

bool
fsn_virt_domain_block_job(FsnVirtDomain *domain, char **out_target, GError **error)
{
    g_autoptr(FsnDomainFacts) facts = NULL;
    g_autofree char *xml = NULL;

    if (!fsn_virt_domain_xml(domain, FSN_VIRT_XML_RUNNING, &xml, error) ||
        !fsn_domain_facts_parse(xml, &facts, error)) {
        return false;
    }
    for (guint i = 0; i < facts->disks->len; i++) {
        const FsnDiskFacts *disk = facts->disks->pdata[i];
        virDomainBlockJobInfo info;
        int found = disk->target
                        ? virDomainGetBlockJobInfo(domain->handle, disk->target, &info, 0)
                        : 0;

        if (found < 0) {
            return fsn_virt_set_error(error, "cannot ask for jobs of disk '%s'",
                                      disk->target);
        }
        if (found > 0) {
            *out_target = g_strdup(disk->target);
            return true;
        }
    }
    *out_target = NULL;
    return true;
}
