/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* One <disk>. Strings are NULL where the XML has no such thing (an empty drive has no
 * source). */
typedef struct {
    char *target;        /* "vda" */
    char *device;        /* "disk", "cdrom", "floppy", "lun" */
    char *source_kind;   /* the type: "file", "block", "network", "volume", … */
    char *source;        /* path, device, "protocol:name" or "pool/volume" */
    char *format;        /* "qcow2", "raw", … */
    char *alias;         /* libvirt's name of the device, "virtio-disk0"; live XML only */
    char *cache;         /* "none", "writeback", …; NULL: QEMU's default */
    char *discard;       /* "unmap", "ignore"; NULL: QEMU's default */
    char *rerror_policy; /* what a failed read does; NULL: QEMU's default */
    char *serial;        /* what the guest sees */
    bool backing;        /* has a backing image; known for live XML, or where stated */
    bool readonly;
    bool shareable;
    bool transient; /* its contents end with QEMU */
    bool encrypted;
} FsnDiskFacts;

/* What foresnap has to know of a domain. Sizes in bytes; strings that the XML lacks are
 * NULL unless stated otherwise. */
typedef struct {
    char *name; /* never NULL */
    char *uuid; /* never NULL; lower case, 36 characters */
    char *title;
    char *type; /* "kvm" or "qemu"; never NULL */
    char *arch;
    char *machine;
    char *emulator;
    uint64_t memory_bytes; /* the maximum, as <memory> states it */
    unsigned vcpus;        /* the maximum */
    bool hugepages;
    bool locked;
    bool shared_memory;
    char *nvram;        /* path of the variable store, where it has one in a file */
    char *nvram_format; /* "raw", "qcow2"; NULL: raw */
    char *tpm_version;  /* of an emulated TPM, "1.2" or "2.0"; NULL: not stated */
    char *tpm_source;   /* its folder, where one is stated */
    bool tpm;
    bool tpm_emulated; /* its state is kept by swtpm, in files of the host */
    bool vmgenid;
    bool watchdog;
    bool agent;           /* has a channel for the QEMU guest agent */
    bool agent_connected; /* … on which the guest listens; known for live XML only */
    GPtrArray *disks;     /* of FsnDiskFacts; never NULL */
    GPtrArray *refusals;  /* of sentences (char *): why it cannot be suspended */
    char *cpu_xml;        /* the <cpu> element as text */
} FsnDomainFacts;

/* Reads domain XML of at most 4 MiB. FSN_ERROR_FORMAT if it is not XML, has a DOCTYPE, or
 * lacks a name, UUID, memory or vCPU count; FSN_ERROR_UNSUPPORTED for another hypervisor
 * than QEMU. Devices that cannot be suspended are no error: they are in refusals. */
bool fsn_domain_facts_parse(const char *xml, FsnDomainFacts **out_facts, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void fsn_domain_facts_free(FsnDomainFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnDomainFacts, fsn_domain_facts_free)

/* True if @text is a UUID as libvirt writes it: 36 characters, lower-case hex digits. */
bool fsn_uuid_is_canonical(const char *text);

/* The host's UUID in the capabilities XML of a libvirt connection, in canonical form. */
bool fsn_capabilities_host_uuid(const char *xml, char **out_uuid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
