/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/snapshot-private.h"

G_BEGIN_DECLS

/* Fills @activity of disk @d with its partitions and how much of each its parent's bitmap names
 * (@d has the memory). In a running QEMU by a copy of the bitmap that lives for milliseconds;
 * what cannot be found out, as QEMU's NBD server is in use, leaves it without partitions. */
void fsn_snapshot_find_partitions(FsnSnapshotRun *run, FsnSnapshotDisk *d);

/* Makes the plan of @d a hybrid one: partitions with the numbers in @full (unsigned) are read
 * whatever the bitmap says. */
void fsn_snapshot_plan_hybrid(FsnSnapshotDisk *d, const GArray *full);

/* Whether @number is one of those. */
bool fsn_snapshot_reads_whole(const FsnSnapshotDisk *d, unsigned number);

G_END_DECLS
