/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "disk/partitions.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Parts of disks that a snapshot takes, as they are asked for. Pure. */
typedef struct {
    char *target;       /* "vda" */
    unsigned partition; /* its number; 0: the bytes below */
    uint64_t offset;
    uint64_t length;
} FsnDiskPart;

void fsn_disk_part_free(gpointer part);

/* "vda:2", and "vda:1M+512M": sizes in bytes, or with K, M, G or T. FSN_ERROR_USAGE. */
FsnDiskPart *fsn_disk_part_parse_partition(const char *text, GError **error);
FsnDiskPart *fsn_disk_part_parse_range(const char *text, GError **error);

/* A part of a disk in bytes. */
typedef struct {
    uint64_t offset;
    uint64_t length;
} FsnDiskGap;

/* What is left out of disk @target, which has @partitions and @size bytes, if only @parts (of
 * FsnDiskPart) of it are taken: gaps (FsnDiskGap) in order, of whole granules. Where tables of
 * partitions are, at the beginning and the end, is always taken. FSN_ERROR_USAGE for a
 * partition that is not there and for bytes behind the end. The caller unrefs *@out_gaps. */
bool fsn_disk_parts_gaps(const GPtrArray *parts,
                         const char *target,
                         const GPtrArray *partitions,
                         uint64_t size,
                         GArray **out_gaps,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* True if only parts of @target are asked for; @parts may be NULL. */
bool fsn_disk_parts_name(const GPtrArray *parts, const char *target);

G_END_DECLS
