/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "disk/nbd.h"
#include "disk/partitions.h"

G_BEGIN_DECLS

/* Looks at an NBD export with a bitmap, without reading more than its partition table. */

/* A stretch of bytes that the bitmap calls dirty; they ascend and do not touch each other. */
typedef void (*FsnDirtyEach)(gpointer user, uint64_t offset, uint64_t length);
/* Before the first of them: the disk. */
typedef void (*FsnDirtyFound)(gpointer user, uint64_t size, const GPtrArray *partitions);

typedef struct {
    const char *socket;
    const char *export_name;
    const char *bitmap; /* context, "qemu:dirty-bitmap:NAME" */
    const gint *cancel; /* as FsnNbdOptions has it */
    int64_t stall_us;
    FsnDirtyFound found; /* or NULL; needs @out_partitions */
} FsnDirtyMapOptions;

/* Says how large the disk is and, with @out_partitions not NULL, what partitions it has (an
 * empty array where there is no table that can be read), then calls @each. Memory is bounded
 * whatever the bitmap. Errors: as fsn_nbd_open(). */
bool fsn_dirty_map_read(const FsnDirtyMapOptions *options,
                        FsnDirtyEach each,
                        gpointer user,
                        uint64_t *out_size,
                        GPtrArray **out_partitions,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Bytes of each partition, counted up: of what is dirty, or of what was read. */
typedef struct FsnPartitionSums FsnPartitionSums;

FsnPartitionSums *fsn_partition_sums_new(const GPtrArray *partitions);
void fsn_partition_sums_free(FsnPartitionSums *sums);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnPartitionSums, fsn_partition_sums_free)

/* As an FsnDirtyEach: @user is the sums. */
void fsn_partition_sums_add(gpointer user, uint64_t offset, uint64_t length);
/* Of partition @number; 0 if there is none. */
uint64_t fsn_partition_sums_get(const FsnPartitionSums *sums, unsigned number);

G_END_DECLS
