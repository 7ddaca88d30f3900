/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/session.h"

G_BEGIN_DECLS

/* What QEMU's block layer consists of. Node names change at every snapshot, commit, pull and
 * restart: ask each time, keep none. */

typedef struct {
    char *name;           /* NULL for some that another tool uses for a moment */
    uint64_t granularity; /* bytes */
    uint64_t count;       /* dirty bytes */
    bool recording;
    bool busy; /* in use by a job or an export: cannot be changed */
    bool persistent;
    bool inconsistent; /* QEMU was killed; good for nothing but removal */
} FsnBlockBitmap;

/* A node, and the guest's device that has it, if it was found through one. Strings are NULL
 * where QEMU states none. While a backup or a mirror job runs, the device's node is the filter
 * that the job has put above its image (driver "copy-before-write", bitmaps of its own): ask
 * before. */
typedef struct {
    char *device;          /* name of a drive of the old kind */
    char *qdev;            /* id or QOM path of the guest's device */
    char *node;            /* node name; NULL: the drive is empty */
    char *filename;        /* path or "json:{…}" */
    char *driver;          /* "qcow2", "raw", … */
    uint64_t virtual_size; /* bytes */
    bool read_only;
    bool encrypted;
    bool backing;           /* has an image below */
    unsigned backing_depth; /* how many; stated for the guest's drives only, else 0 */
    bool data_file;         /* qcow2 whose data is in a file of its own */
    char *io_status;        /* "ok", "failed", "nospace" */
    GPtrArray *bitmaps;     /* of FsnBlockBitmap, those of this very node; never NULL */
} FsnBlockDevice;

/* The guest's drives, also empty ones. The array (of FsnBlockDevice) frees its elements.
 * Errors: as for fsn_qmp_execute(), FSN_ERROR_FORMAT. */
bool fsn_qmp_query_block_devices(FsnQmp *qmp, GPtrArray **out_devices, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* All named nodes, also those that no device has: backing images, filters, scratch files. */
bool fsn_qmp_query_block_nodes(FsnQmp *qmp, GPtrArray **out_nodes, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The one of @devices that libvirt calls @alias ("virtio-disk0"), NULL if there is none. The
 * result belongs to @devices. */
FsnBlockDevice *fsn_block_device_find(const GPtrArray *devices, const char *alias);
/* The one whose node is called @node. */
FsnBlockDevice *fsn_block_device_find_node(const GPtrArray *devices, const char *node);
/* The bitmap of @device called @name. */
FsnBlockBitmap *fsn_block_device_bitmap(const FsnBlockDevice *device, const char *name);

G_END_DECLS
