/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks libvirt what it is, and whether it has what a resume needs.
 */
#include "config.h"

#include "cli/host-libvirt.h"

#include "virt/connection.h"
#include "virt/migrate-in.h"

void
fsn_host_libvirt_clear(FsnHostLibvirt *libvirt)
{
    g_free(libvirt->error);
    g_free(libvirt->uri);
    g_free(libvirt->driver);
    g_free(libvirt->version);
    g_free(libvirt->no_incoming);
    g_free(libvirt->no_continuation);
}

static char *
version_text(unsigned long version)
{
    return g_strdup_printf("%lu.%lu.%lu", version / 1000000, version / 1000 % 1000,
                           version % 1000);
}

void
fsn_host_libvirt_probe(const char *uri, FsnHostLibvirt *out_libvirt)
{
    g_autoptr(FsnVirt) virt = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) no_incoming = NULL;
    g_autoptr(GError) no_continuation = NULL;
    FsnVirtVersions versions;

    *out_libvirt = (FsnHostLibvirt){ 0 };
    if (!fsn_virt_open(uri, &virt, &error) ||
        !fsn_virt_versions(virt, &versions, &error)) {
        out_libvirt->error = g_strdup(error->message);
        return;
    }
    out_libvirt->uri = g_strdup(fsn_virt_uri(virt));
    out_libvirt->driver = g_strdup(fsn_virt_driver(virt));
    out_libvirt->version = version_text(versions.daemon);
    if (!fsn_migrate_in_available(virt, &no_incoming)) {
        out_libvirt->no_incoming = g_strdup(no_incoming->message);
    }
    if (!fsn_migrate_in_recover_is_safe(virt, &no_continuation)) {
        out_libvirt->no_continuation = g_strdup(no_continuation->message);
    }
}
