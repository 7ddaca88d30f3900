/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What partitions a disk has, from bytes that a guest wrote: bounded in time and memory
 * whatever they are. It reports and judges nothing; that two entries overlap is said, since
 * it matters to whoever treats partitions differently. MBR as Linux reads it
 * (block/partitions/msdos.c).
 */
#include "config.h"

#include "disk/partitions-private.h"

#include "base/bytes.h"

#include <string.h>

#define MBR_SIZE      512u
#define MBR_TABLE     446u
#define MBR_ENTRY     16u
#define MBR_ENTRIES   4u
#define FIRST_LOGICAL 5u
/* Sectors of one chain of logical partitions; also ends a chain that runs in a circle. */
#define MAX_CHAIN     128u

#define TYPE_EXTENDED       0x05
#define TYPE_EXTENDED_LBA   0x0f
#define TYPE_EXTENDED_LINUX 0x85
#define TYPE_PROTECTIVE     0xee

typedef struct {
    uint8_t type; /* 0: unused */
    uint32_t start;
    uint32_t count;
} MbrEntry;

void
fsn_partition_free(FsnPartition *partition)
{
    if (partition) {
        g_free(partition->type);
        g_free(partition->uuid);
        g_free(partition->name);
        g_free(partition);
    }
}

const char *
fsn_partition_scheme_to_string(FsnPartitionScheme scheme)
{
    switch (scheme) {
    case FSN_PARTITION_GPT:
        return "gpt";
    case FSN_PARTITION_MBR:
        return "mbr";
    }
    g_assert_not_reached();
}

bool
fsn_partition_disk_read(const FsnPartitionDisk *disk,
                        uint64_t sector,
                        size_t len,
                        uint8_t *out,
                        bool *out_inside,
                        GError **error)
{
    *out_inside =
        sector <= disk->size / disk->sector && len <= disk->size - sector * disk->sector;
    return !*out_inside || len == 0 ||
           disk->read(disk->user, sector * disk->sector, len, out, error);
}

FsnPartition *
fsn_partition_add(GPtrArray *partitions,
                  const FsnPartitionDisk *disk,
                  unsigned number,
                  uint64_t start,
                  uint64_t count)
{
    uint64_t n_sectors = disk->size / disk->sector;
    FsnPartition *partition;

    if (count == 0 || start > n_sectors || count > n_sectors - start) {
        return NULL;
    }
    partition = g_new0(FsnPartition, 1);
    partition->number = number;
    partition->offset = start * disk->sector;
    partition->size = count * disk->sector;
    g_ptr_array_add(partitions, partition);
    return partition;
}

/* False if the sector at @p is no table: among others, a boot sector of a file system that
 * only looks like one. */
static bool
parse_mbr(const uint8_t *p, MbrEntry out[MBR_ENTRIES])
{
    if (p[510] != 0x55 || p[511] != 0xaa) {
        return false;
    }
    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        const uint8_t *e = p + MBR_TABLE + i * MBR_ENTRY;

        if (e[0] != 0 && e[0] != 0x80) {
            return false;
        }
        out[i] = (MbrEntry){ .type = e[4],
                             .start = fsn_get_le32(e + 8),
                             .count = fsn_get_le32(e + 12) };
        if (out[i].count == 0) {
            out[i].type = 0;
        }
    }
    return true;
}

static bool
is_extended(const MbrEntry *entry)
{
    return entry->type == TYPE_EXTENDED || entry->type == TYPE_EXTENDED_LBA ||
           entry->type == TYPE_EXTENDED_LINUX;
}

static bool
has_type(const MbrEntry entries[MBR_ENTRIES], uint8_t type)
{
    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        if (entries[i].type == type) {
            return true;
        }
    }
    return false;
}

static void
add_mbr_entry(const FsnPartitionDisk *disk,
              GPtrArray *partitions,
              unsigned number,
              uint64_t base,
              const MbrEntry *entry)
{
    FsnPartition *partition =
        fsn_partition_add(partitions, disk, number, base + entry->start, entry->count);

    if (partition) {
        partition->scheme = FSN_PARTITION_MBR;
        partition->type = g_strdup_printf("0x%02x", entry->type);
    }
}

static bool
read_mbr(const FsnPartitionDisk *disk,
         uint64_t sector,
         MbrEntry out[MBR_ENTRIES],
         bool *out_valid,
         GError **error)
{
    uint8_t bytes[MBR_SIZE];

    if (!fsn_partition_disk_read(disk, sector, sizeof bytes, bytes, out_valid, error)) {
        return false;
    }
    *out_valid = *out_valid && parse_mbr(bytes, out);
    return true;
}

/* Where the chain goes on behind @entries; 0 at its end. */
static uint64_t
next_in_chain(const MbrEntry *extended, const MbrEntry entries[MBR_ENTRIES])
{
    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        if (is_extended(&entries[i])) {
            /* 0 would lead to the first sector of the chain again. */
            return entries[i].start > 0 && entries[i].start < extended->count
                       ? (uint64_t)extended->start + entries[i].start
                       : 0;
        }
    }
    return 0;
}

/* Follows the chain of logical partitions in @extended; *@number is that of the next one. */
static bool
add_logical(const FsnPartitionDisk *disk,
            GPtrArray *partitions,
            const MbrEntry *extended,
            unsigned *number,
            GError **error)
{
    uint64_t visited[MAX_CHAIN];
    uint64_t sector = extended->start;
    MbrEntry entries[MBR_ENTRIES];
    bool valid;

    for (unsigned n = 0; n < MAX_CHAIN && sector > 0; n++) {
        for (unsigned i = 0; i < n; i++) {
            if (visited[i] == sector) {
                return true;
            }
        }
        visited[n] = sector;
        if (!read_mbr(disk, sector, entries, &valid, error)) {
            return false;
        }
        if (!valid) {
            break;
        }
        for (unsigned i = 0; i < MBR_ENTRIES; i++) {
            if (entries[i].type != 0 && !is_extended(&entries[i])) {
                add_mbr_entry(disk, partitions, (*number)++, sector, &entries[i]);
            }
        }
        sector = next_in_chain(extended, entries);
    }
    return true;
}

static bool
add_mbr(const FsnPartitionDisk *disk,
        GPtrArray *partitions,
        const MbrEntry entries[MBR_ENTRIES],
        GError **error)
{
    unsigned number = FIRST_LOGICAL;

    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        /* An extended one shows only through what is in it. */
        if (entries[i].type != 0 && !is_extended(&entries[i])) {
            add_mbr_entry(disk, partitions, i + 1, 0, &entries[i]);
        }
    }
    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        if (is_extended(&entries[i]) &&
            !add_logical(disk, partitions, &entries[i], &number, error)) {
            return false;
        }
    }
    return true;
}

static int
compare_offsets(gconstpointer a, gconstpointer b)
{
    const FsnPartition *x = *(const FsnPartition *const *)a;
    const FsnPartition *y = *(const FsnPartition *const *)b;

    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void
mark_overlaps(GPtrArray *partitions)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_copy(partitions, NULL, NULL);
    FsnPartition *reach = NULL; /* of those before, the one with the largest end */

    g_ptr_array_set_free_func(sorted, NULL);
    g_ptr_array_sort(sorted, compare_offsets);
    for (guint i = 0; i < sorted->len; i++) {
        FsnPartition *partition = g_ptr_array_index(sorted, i);

        if (reach && partition->offset < reach->offset + reach->size) {
            partition->overlaps = true;
            reach->overlaps = true;
        }
        if (!reach || partition->offset + partition->size > reach->offset + reach->size) {
            reach = partition;
        }
    }
}

/* GPT with each size of sector that is possible. */
static bool
find_gpt(FsnPartitionDisk *disk,
         unsigned sector_size,
         GPtrArray *partitions,
         GError **error)
{
    static const unsigned guesses[] = { FSN_SECTOR_MIN, FSN_SECTOR_MAX };
    bool found = false;

    if (sector_size) {
        return fsn_gpt_find(disk, partitions, &found, error);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(guesses) && !found; i++) {
        disk->sector = guesses[i];
        if (!fsn_gpt_find(disk, partitions, &found, error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_partitions_find(FsnPartitionRead read,
                    gpointer user,
                    uint64_t size,
                    unsigned sector_size,
                    GPtrArray **out_partitions,
                    GError **error)
{
    FsnPartitionDisk disk = {
        .read = read,
        .user = user,
        .size = size,
        .sector = CLAMP(sector_size, FSN_SECTOR_MIN, FSN_SECTOR_MAX),
    };
    g_autoptr(GPtrArray) partitions =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_partition_free);
    MbrEntry entries[MBR_ENTRIES];
    bool valid, ok = true;

    if (!read_mbr(&disk, 0, entries, &valid, error)) {
        return false;
    }
    if (valid) {
        ok = has_type(entries, TYPE_PROTECTIVE)
                 ? find_gpt(&disk, sector_size, partitions, error)
                 : add_mbr(&disk, partitions, entries, error);
    }
    if (!ok) {
        return false;
    }
    mark_overlaps(partitions);
    *out_partitions = g_steal_pointer(&partitions);
    return true;
}

/* Where a page of that size ends the signature is. */
static const uint64_t swap_pages[] = { 4096, 16384, 65536 };

bool
fsn_partitions_find_swap(FsnPartitionRead read,
                         gpointer user,
                         GPtrArray *partitions,
                         GError **error)
{
    static const char signature[] = "SWAPSPACE2";
    uint8_t sector[FSN_SECTOR_MIN];

    for (guint i = 0; i < partitions->len; i++) {
        FsnPartition *p = partitions->pdata[i];

        for (size_t s = 0; s < G_N_ELEMENTS(swap_pages) && !p->swap_area; s++) {
            if (p->size < 2 * swap_pages[s]) {
                break;
            }
            if (!read(user, p->offset + swap_pages[s] - sizeof sector, sizeof sector,
                      sector, error)) {
                return false;
            }
            p->swap_area = memcmp(sector + sizeof sector - strlen(signature), signature,
                                  strlen(signature)) == 0;
        }
    }
    return true;
}
