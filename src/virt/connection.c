/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections to libvirt on this host. A VM's memory goes through file descriptors and Unix
 * sockets, so a remote libvirt is of no use and is refused by name. One thread per process
 * runs libvirt's event loop; it lasts as long as the process.
 */
#include "config.h"

#include "virt/connection-private.h"

#include "base/error.h"
#include "domxml/domain-facts.h"
#include "virt/error-private.h"

#include <libvirt/virterror.h>
#include <signal.h>
#include <string.h>

struct FsnVirt {
    virConnectPtr handle;
    char *uri;
};

/* libvirt prints errors by default; ours travel by GError. */
static void
ignore_error(void *opaque, virErrorPtr error)
{
}

static gpointer
run_events(gpointer data)
{
    while (virEventRunDefaultImpl() == 0) {
        continue;
    }
    return NULL;
}

static gpointer
start_library(gpointer data)
{
    bool ok = virInitialize() == 0;

    /* libvirt writes to its socket as to a file; a libvirtd that has gone is an error. */
    (void)signal(SIGPIPE, SIG_IGN);
    virSetErrorFunc(NULL, ignore_error);
    ok = ok && virEventRegisterDefaultImpl() == 0;
    if (ok) {
        g_thread_unref(g_thread_new("libvirt-events", run_events, NULL));
    }
    return GINT_TO_POINTER(ok);
}

static bool
set_remote_error(GError **error, const char *uri)
{
    g_set_error(
        error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
        "libvirt URI '%s' does not lead to this host's QEMU; "
        "use qemu:///system or qemu:///session, and run foresnap on the VM's host",
        uri);
    return false;
}

bool
fsn_virt_uri_check_local(const char *uri, GError **error)
{
    static const char *const schemes[] = { "qemu", "qemu+unix", "test", NULL };
    static const char *const paths[] = { "/system", "/session", NULL };
    g_autoptr(GUri) parsed = NULL;
    const char *host;

    if (!strstr(uri, "://")) {
        return true; /* an alias of libvirt.conf; what it stands for is checked later */
    }
    parsed = g_uri_parse(uri, G_URI_FLAGS_NON_DNS, NULL);
    if (!parsed || !g_strv_contains(schemes, g_uri_get_scheme(parsed))) {
        return set_remote_error(error, uri);
    }
    host = g_uri_get_host(parsed);
    if ((host && *host) || g_uri_get_userinfo(parsed)) {
        return set_remote_error(error, uri);
    }
    if (strcmp(g_uri_get_scheme(parsed), "test") != 0 &&
        !g_strv_contains(paths, g_uri_get_path(parsed))) {
        return set_remote_error(error, uri);
    }
    return true;
}

bool
fsn_virt_open(const char *uri, FsnVirt **out_virt, GError **error)
{
    static GOnce once = G_ONCE_INIT;
    g_autoptr(FsnVirt) virt = g_new0(FsnVirt, 1);
    const char *wanted = uri ? uri : g_getenv("LIBVIRT_DEFAULT_URI");
    char *found;

    if (wanted && *wanted && !fsn_virt_uri_check_local(wanted, error)) {
        return false;
    }
    if (!g_once(&once, start_library, NULL)) {
        return fsn_virt_set_error(error, "cannot start libvirt's library");
    }
    virt->handle = virConnectOpenAuth(uri, virConnectAuthPtrDefault, 0);
    if (!virt->handle) {
        return fsn_virt_set_error(error, "cannot connect to libvirt%s%s",
                                  uri ? " at " : "", uri ? uri : "");
    }
    found = virConnectGetURI(virt->handle);
    if (!found) {
        return fsn_virt_set_error(error, "libvirt does not tell its URI");
    }
    virt->uri = g_strdup(found);
    free(found);
    if (!fsn_virt_uri_check_local(virt->uri, error)) {
        return false;
    }
    *out_virt = g_steal_pointer(&virt);
    return true;
}

void
fsn_virt_free(FsnVirt *virt)
{
    if (!virt) {
        return;
    }
    if (virt->handle) {
        (void)virConnectClose(virt->handle); /* the count of references is of no use */
    }
    g_free(virt->uri);
    g_free(virt);
}

virConnectPtr
fsn_virt_handle(FsnVirt *virt)
{
    return virt->handle;
}

const char *
fsn_virt_uri(const FsnVirt *virt)
{
    return virt->uri;
}

bool
fsn_virt_is_session(const FsnVirt *virt)
{
    g_autoptr(GUri) parsed = g_uri_parse(virt->uri, G_URI_FLAGS_NON_DNS, NULL);

    return parsed && strcmp(g_uri_get_path(parsed), "/session") == 0;
}

bool
fsn_virt_versions(FsnVirt *virt, FsnVirtVersions *out_versions, GError **error)
{
    FsnVirtVersions versions = { 0 };

    if (virGetVersion(&versions.library, NULL, NULL) < 0 ||
        virConnectGetLibVersion(virt->handle, &versions.daemon) < 0 ||
        virConnectGetVersion(virt->handle, &versions.hypervisor) < 0) {
        return fsn_virt_set_error(error, "cannot ask libvirt for its versions");
    }
    *out_versions = versions;
    return true;
}

const char *
fsn_virt_driver(FsnVirt *virt)
{
    const char *type = virConnectGetType(virt->handle);

    return type ? type : "unknown";
}

/* Takes a string that libvirt allocated. */
static bool
take_string(char *string, const char *what, char **out_string, GError **error)
{
    if (!string) {
        return fsn_virt_set_error(error, "cannot ask libvirt for %s", what);
    }
    *out_string = g_strdup(string);
    free(string);
    return true;
}

bool
fsn_virt_capabilities(FsnVirt *virt, char **out_xml, GError **error)
{
    return take_string(virConnectGetCapabilities(virt->handle), "its capabilities",
                       out_xml, error);
}

bool
fsn_virt_hostname(FsnVirt *virt, char **out_name, GError **error)
{
    return take_string(virConnectGetHostname(virt->handle), "the host's name", out_name,
                       error);
}

bool
fsn_virt_host_uuid(FsnVirt *virt, char **out_uuid, GError **error)
{
    g_autofree char *xml = NULL;

    return fsn_virt_capabilities(virt, &xml, error) &&
           fsn_capabilities_host_uuid(xml, out_uuid, error);
}
