/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "disk/partitions.h"

G_BEGIN_DECLS

/* Logical sectors that are believed in. */
#define FSN_SECTOR_MIN 512u
#define FSN_SECTOR_MAX 4096u

/* The disk in question, and the unit in which its table counts. */
typedef struct {
    FsnPartitionRead read;
    gpointer user;
    uint64_t size;
    unsigned sector;
} FsnPartitionDisk;

/* Reads what is inside the disk; *@out_inside says whether that was all. */
bool fsn_partition_disk_read(const FsnPartitionDisk *disk,
                             uint64_t sector,
                             size_t len,
                             uint8_t *out,
                             bool *out_inside,
                             GError **error);

/* Makes a partition of @count sectors from @start and adds it; null if it is empty or not
 * inside the disk. The caller fills in the texts. */
FsnPartition *fsn_partition_add(GPtrArray *partitions,
                                const FsnPartitionDisk *disk,
                                unsigned number,
                                uint64_t start,
                                uint64_t count);

/* The partitions of a GPT that is whole; *@out_found says whether there is one. */
bool fsn_gpt_find(const FsnPartitionDisk *disk,
                  GPtrArray *partitions,
                  bool *out_found,
                  GError **error);

G_END_DECLS
