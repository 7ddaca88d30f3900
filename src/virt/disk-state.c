/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backup jobs and I/O errors, as libvirt tells them. It asks and changes nothing.
 */
#include "config.h"

#include "virt/disk-state.h"

#include "virt/domain-private.h"
#include "virt/error-private.h"

#include <libvirt/virterror.h>
#include <stdlib.h>

bool
fsn_virt_domain_backup_job(FsnVirtDomain *domain, bool *out_active, GError **error)
{
    char *xml = virDomainBackupGetXMLDesc(fsn_virt_domain_handle(domain), 0);
    int code = xml ? VIR_ERR_OK : virGetLastErrorCode();

    /* Where no backups are known there is none. */
    if (!xml && code != VIR_ERR_NO_DOMAIN_BACKUP && code != VIR_ERR_NO_SUPPORT) {
        return fsn_virt_set_error(error, "cannot ask for backup jobs of domain '%s'",
                                  fsn_virt_domain_name(domain));
    }
    *out_active = xml != NULL;
    free(xml);
    return true;
}

static const char *
error_name(int libvirt_error)
{
    switch (libvirt_error) {
    case VIR_DOMAIN_DISK_ERROR_NO_SPACE:
        return "no space";
    case VIR_DOMAIN_DISK_ERROR_NONE:
        return NULL;
    default:
        return "I/O error";
    }
}

/* As text, NULL if there are none; frees what is in @errors. */
static char *
take_errors(virDomainDiskError *errors, int n)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (int i = 0; i < n; i++) {
        const char *name = error_name(errors[i].error);

        if (name) {
            g_string_append_printf(text, "%s%s: %s", text->len > 0 ? ", " : "",
                                   errors[i].disk, name);
        }
        free(errors[i].disk);
    }
    return text->len > 0 ? g_strdup(text->str) : NULL;
}

bool
fsn_virt_domain_disk_errors(FsnVirtDomain *domain, char **out_text, GError **error)
{
    virDomainPtr handle = fsn_virt_domain_handle(domain);
    g_autofree virDomainDiskError *errors = NULL;
    int max, n = 0;

    /* Without an array it returns how long that has to be. */
    max = virDomainGetDiskErrors(handle, NULL, 0, 0);
    if (max > 0) {
        errors = g_new0(virDomainDiskError, max);
        n = virDomainGetDiskErrors(handle, errors, (unsigned)max, 0);
    }
    if (max < 0 || n < 0) {
        return fsn_virt_set_error(error, "cannot ask for disk errors of domain '%s'",
                                  fsn_virt_domain_name(domain));
    }
    *out_text = take_errors(errors, n);
    return true;
}
