/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layout of a new qcow2 image: the header, the table of tables (L1), then tables (L2) and
 * data as they come, and the counts of references at the end. All that is used is used once.
 * The format is in QEMU's docs/interop/qcow2.txt. The header is written last: what is cut
 * short is no image.
 */
#include "config.h"

#include "disk/qcow2-out.h"

#include "base/bytes.h"
#include "base/error.h"
#include "base/files.h"

#include <errno.h>
#include <unistd.h>

#define CLUSTER_BITS  16
#define TABLE_ENTRIES (FSN_QCOW2_CLUSTER / 8) /* of L2, and of the table of counts */
#define BLOCK_COUNTS  (FSN_QCOW2_CLUSTER / 2) /* of 16 bits */
#define HEADER_LENGTH 104
#define MAX_L1        ((uint64_t)(32 << 20) / 8) /* QEMU opens no more */
#define COPIED        ((uint64_t)1 << 63)        /* referred to once */

struct FsnQcow2Out {
    uint64_t size;
    uint64_t n_l1;
    uint64_t *l1;  /* places of the tables; 0: none */
    uint64_t next; /* first cluster of the file that is free */
};

static uint64_t
divide_up(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

FsnQcow2Out *
fsn_qcow2_out_new(uint64_t size, GError **error)
{
    uint64_t n_l1 = divide_up(size, FSN_QCOW2_CLUSTER * TABLE_ENTRIES);
    FsnQcow2Out *out;

    if (size % 512 != 0 || n_l1 > MAX_L1) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "a disk of %" G_GUINT64_FORMAT " bytes cannot be a qcow2 image",
                    size);
        return NULL;
    }
    out = g_new0(FsnQcow2Out, 1);
    out->size = size;
    out->n_l1 = n_l1;
    out->l1 = g_new0(uint64_t, MAX(n_l1, 1));
    out->next = 1 + MAX(divide_up(n_l1 * 8, FSN_QCOW2_CLUSTER), 1);
    return out;
}

void
fsn_qcow2_out_free(FsnQcow2Out *out)
{
    if (out) {
        g_free(out->l1);
        g_free(out);
    }
}

static uint64_t
take_cluster(FsnQcow2Out *out)
{
    return out->next++ * FSN_QCOW2_CLUSTER;
}

void
fsn_qcow2_out_place(FsnQcow2Out *out,
                    uint64_t first,
                    size_t n,
                    const bool *data,
                    uint64_t *out_places,
                    uint64_t *out_table)
{
    uint64_t *table = &out->l1[first / TABLE_ENTRIES];
    bool any = false;

    g_assert(n > 0 && first / TABLE_ENTRIES < out->n_l1 &&
             (first + n - 1) / TABLE_ENTRIES == first / TABLE_ENTRIES);
    for (size_t i = 0; i < n; i++) {
        if (data[i] && *table == 0) {
            *table = take_cluster(out);
        }
        out_places[i] = data[i] ? take_cluster(out) : 0;
        any = any || data[i];
    }
    *out_table = any ? *table + first % TABLE_ENTRIES * 8 : 0;
}

void
fsn_qcow2_out_entries(const uint64_t *places, size_t n, uint8_t *out_bytes)
{
    for (size_t i = 0; i < n; i++) {
        fsn_put_be64(out_bytes + 8 * i, places[i] ? places[i] | COPIED : 0);
    }
}

/* Blocks of counts for all clusters, among them those of the counts themselves. */
static uint64_t
count_blocks(uint64_t used, uint64_t *out_table_clusters)
{
    uint64_t blocks = 1, table = 1;

    while (blocks * BLOCK_COUNTS < used + blocks + table) {
        blocks++;
        table = divide_up(blocks, TABLE_ENTRIES);
    }
    *out_table_clusters = table;
    return blocks;
}

/* The table, the blocks behind it, and the end of the file. */
static bool
write_counts(FsnQcow2Out *out,
             uint64_t blocks,
             uint64_t table_clusters,
             int fd,
             const char *what,
             GError **error)
{
    g_autofree uint8_t *bytes = g_malloc0(FSN_QCOW2_CLUSTER);
    uint64_t table = out->next * FSN_QCOW2_CLUSTER;
    uint64_t first_block = table + table_clusters * FSN_QCOW2_CLUSTER;
    uint64_t used = out->next + table_clusters + blocks;

    for (uint64_t i = 0; i < blocks; i++) {
        fsn_put_be64(bytes, first_block + i * FSN_QCOW2_CLUSTER);
        if (!fsn_pwrite_all(fd, bytes, 8, table + i * 8, what, error)) {
            return false;
        }
    }
    for (uint64_t i = 0; i < blocks; i++) {
        for (uint64_t j = 0; j < BLOCK_COUNTS; j++) {
            fsn_put_be16(bytes + 2 * j, i * BLOCK_COUNTS + j < used ? 1 : 0);
        }
        if (!fsn_pwrite_all(fd, bytes, FSN_QCOW2_CLUSTER,
                            first_block + i * FSN_QCOW2_CLUSTER, what, error)) {
            return false;
        }
    }
    return true;
}

static bool
write_l1(FsnQcow2Out *out, int fd, const char *what, GError **error)
{
    g_autofree uint8_t *bytes = g_malloc0(MAX(out->n_l1, 1) * 8);

    fsn_qcow2_out_entries(out->l1, out->n_l1, bytes);
    return fsn_pwrite_all(fd, bytes, out->n_l1 * 8, FSN_QCOW2_CLUSTER, what, error);
}

bool
fsn_qcow2_out_finish(FsnQcow2Out *out, int fd, const char *what, GError **error)
{
    uint8_t header[HEADER_LENGTH + 8] = { 'Q', 'F', 'I', 0xfb };
    uint64_t table_clusters;
    uint64_t blocks = count_blocks(out->next, &table_clusters);
    uint64_t used = out->next + table_clusters + blocks;

    fsn_put_be32(header + 4, 3);
    fsn_put_be32(header + 20, CLUSTER_BITS);
    fsn_put_be64(header + 24, out->size);
    fsn_put_be32(header + 36, (uint32_t)out->n_l1);
    fsn_put_be64(header + 40, FSN_QCOW2_CLUSTER);
    fsn_put_be64(header + 48, out->next * FSN_QCOW2_CLUSTER);
    fsn_put_be32(header + 56, (uint32_t)table_clusters);
    fsn_put_be32(header + 96, 4); /* counts of 16 bits */
    fsn_put_be32(header + 100, HEADER_LENGTH);
    if (ftruncate(fd, (off_t)(used * FSN_QCOW2_CLUSTER)) != 0) {
        return fsn_set_errno(error, errno, "cannot set the size of '%s'", what);
    }
    return write_counts(out, blocks, table_clusters, fd, what, error) &&
           write_l1(out, fd, what, error) &&
           fsn_pwrite_all(fd, header, sizeof header, 0, what, error);
}
