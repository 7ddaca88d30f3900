/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any disk: partitions inside it, found with few reads, or none. */
#include "config.h"

#include "tests/unit/sparse-disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GPtrArray) partitions = NULL;
    SparseDisk disk;

    if (!sparse_disk_init(&disk, data, size)) {
        return 0;
    }
    g_assert_true(
        fsn_partitions_find(sparse_disk_read, &disk, disk.size, 0, &partitions, NULL));
    g_assert_cmpuint(disk.n_reads, <=, 1 + 4 * 128);
    for (guint i = 0; i < partitions->len; i++) {
        FsnPartition *p = g_ptr_array_index(partitions, i);

        g_assert_cmpuint(p->size, >, 0);
        g_assert_cmpuint(p->size, <=, disk.size);
        g_assert_cmpuint(p->offset, <=, disk.size - p->size);
        g_assert_nonnull(p->type);
        g_assert_true(!p->name || g_utf8_validate(p->name, -1, NULL));
    }
    return 0;
}
