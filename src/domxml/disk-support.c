/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which disks a snapshot can have. Allowed is what is on the list here, since a disk that
 * is read while something outside QEMU writes to it would be torn without anybody noticing;
 * whether the file exists, and what state QEMU is in, is looked at elsewhere. Pure.
 */
#include "config.h"

#include "domxml/disk-support.h"

#include <string.h>

/* NULL if disks of this kind can be read through QEMU. */
static const char *
refuse_kind(const FsnDiskFacts *disk)
{
    static const struct {
        const char *kind;
        const char *refusal;
    } kinds[] = {
        { "file", NULL },
        { "block", NULL },
        { "volume", NULL },
        { "dir", "it is a folder shown as a FAT disk (vvfat)" },
        { "nvme", "it is an NVMe device of the host, which QEMU drives by itself" },
        { "vhostuser", "its data does not pass through QEMU (vhost-user)" },
        { "vhostvdpa", "its data does not pass through QEMU (vDPA)" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_strcmp0(disk->source_kind, kinds[i].kind) == 0) {
            return kinds[i].refusal;
        }
    }
    if (g_strcmp0(disk->source_kind, "network") == 0) {
        bool nbd = disk->source && g_str_has_prefix(disk->source, "nbd:");

        return nbd ? NULL : "network disks of this protocol are not supported";
    }
    return "disks of this type are not supported";
}

static const char *
refuse_device(const FsnDiskFacts *disk)
{
    if (g_strcmp0(disk->device, "cdrom") == 0) {
        return "it is a CD-ROM";
    }
    if (g_strcmp0(disk->device, "floppy") == 0) {
        return "it is a floppy disk";
    }
    if (g_strcmp0(disk->device, "lun") == 0) {
        return "it is a SCSI device of the host that is passed through";
    }
    return g_strcmp0(disk->device, "disk") == 0
               ? NULL
               : "devices of this type are not supported";
}

const char *
fsn_disk_snapshot_refusal(const FsnDiskFacts *disk, bool allow_plain_text)
{
    const char *refusal = refuse_device(disk);

    if (!refusal) {
        refusal = refuse_kind(disk);
    }
    if (refusal) {
        return refusal;
    }
    if (!disk->target) {
        return "it has no target";
    }
    if (!disk->source) {
        return "it has no medium";
    }
    if (disk->readonly) {
        return "it is read-only";
    }
    if (disk->shareable) {
        return "it is shared: another guest may write to it";
    }
    if (disk->transient) {
        return "it is transient: its contents end with QEMU";
    }
    if (disk->encrypted && !allow_plain_text) {
        return "it is encrypted, and would be stored as plain text";
    }
    return NULL;
}
