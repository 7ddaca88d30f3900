/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* A connection to libvirt on this host. Every call on it and on its domains blocks until
 * libvirt answers; threads may share it. */
typedef struct FsnVirt FsnVirt;

/* Versions as libvirt counts them: major × 1,000,000 + minor × 1,000 + micro. */
typedef struct {
    unsigned long library;
    unsigned long daemon;
    unsigned long hypervisor;
} FsnVirtVersions;

/* Opens @uri, or libvirt's own default if NULL. Only this host's: a URI that leads to
 * another one is refused with FSN_ERROR_UNSUPPORTED, before it is connected to where it
 * can be told from the text. The first call starts the thread that runs libvirt's events,
 * so a process forks before, not after; and it makes the process ignore SIGPIPE, by which
 * it would end together with libvirtd. */
bool fsn_virt_open(const char *uri, FsnVirt **out_virt, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Closes the connection; domains and transports made from it stay valid. */
void fsn_virt_free(FsnVirt *virt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnVirt, fsn_virt_free)

/* False with FSN_ERROR_UNSUPPORTED if the text of @uri shows that it leads elsewhere. */
bool fsn_virt_uri_check_local(const char *uri, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The URI that libvirt settled on; belongs to @virt. */
const char *fsn_virt_uri(const FsnVirt *virt);
/* True for the per-user libvirtd (qemu:///session). */
bool fsn_virt_is_session(const FsnVirt *virt);

bool fsn_virt_versions(FsnVirt *virt, FsnVirtVersions *out_versions, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Name of the driver: "QEMU" for QEMU and KVM; belongs to libvirt. */
const char *fsn_virt_driver(FsnVirt *virt);

/* The host, as libvirt names it: capabilities XML, host name, and UUID (36 characters,
 * lower case). The caller frees. */
bool fsn_virt_capabilities(FsnVirt *virt, char **out_xml, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_virt_hostname(FsnVirt *virt, char **out_name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_virt_host_uuid(FsnVirt *virt, char **out_uuid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
