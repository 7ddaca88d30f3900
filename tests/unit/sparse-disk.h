/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/bytes.h"
#include "disk/partitions.h"

/*
 * Disks in the corpus of fuzz-partitions, which hold a table and little else. Little-endian:
 *   0  8  bytes of the disk
 *   8     for each sector that is not zero: 8 bytes number in units of 512, 512 bytes
 */

#define SPARSE_HEADER 8
#define SPARSE_RECORD 520
#define SPARSE_SECTOR 512

typedef struct {
    const uint8_t *data;
    size_t len;
    uint64_t size;
    unsigned n_reads;
} SparseDisk;

static inline bool
sparse_disk_init(SparseDisk *disk, const uint8_t *data, size_t len)
{
    if (len < SPARSE_HEADER) {
        return false;
    }
    *disk = (SparseDisk){ .data = data, .len = len, .size = fsn_get_le64(data) };
    return true;
}

/* FsnPartitionRead. */
static inline bool
sparse_disk_read(gpointer user, uint64_t offset, size_t len, uint8_t *out, GError **error)
{
    SparseDisk *disk = user;

    g_assert_cmpuint(len, <=, disk->size);
    g_assert_cmpuint(offset, <=, disk->size - len);
    disk->n_reads++;
    memset(out, 0, len);
    for (size_t at = SPARSE_HEADER; at + SPARSE_RECORD <= disk->len;
         at += SPARSE_RECORD) {
        uint64_t sector = fsn_get_le64(disk->data + at);
        uint64_t start = sector * SPARSE_SECTOR;
        uint64_t from = MAX(start, offset);
        uint64_t to = MIN(start + SPARSE_SECTOR, offset + len);

        if (sector < disk->size / SPARSE_SECTOR && from < to) {
            memcpy(out + (from - offset), disk->data + at + 8 + (from - start),
                   to - from);
        }
    }
    return true;
}
