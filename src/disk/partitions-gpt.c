/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GUID partition tables (UEFI 2.10, chapter 5). A header counts only if its checksum, its
 * own address and the checksum of its entries are right; else the other copy is tried. The
 * table is part of what a guest writes, so every number in it is checked.
 */
#include "config.h"

#include "disk/partitions-private.h"

#include "base/bytes.h"

#include <string.h>

#define HEADER_MIN       92u
#define ENTRY_MIN        128u
#define ENTRY_MAX        4096u
/* Linux and Windows make 16 KiB. */
#define MAX_TABLE        (1u << 20)
#define NAME_UNITS       36u
#define NAME_OFFSET      56u
#define GUID_SIZE        16u
#define REPLACEMENT_CHAR 0xfffdu

typedef struct {
    uint64_t alternate; /* sector of the other copy */
    uint64_t table;     /* sector of the entries */
    uint32_t n_entries;
    uint32_t entry_size;
    uint32_t table_crc;
} Header;

/* CRC-32 as in Ethernet and zlib; tables are small and read once. */
static uint32_t
crc32(const uint8_t *data, size_t len)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }
    return ~crc;
}

/* Whether the sector at @p, number @at, is a header. */
static bool
parse_header(const FsnPartitionDisk *disk, uint64_t at, const uint8_t *p, Header *out)
{
    uint32_t header_size = fsn_get_le32(p + 12);
    uint8_t copy[FSN_SECTOR_MAX];

    if (memcmp(p, "EFI PART", 8) != 0 || header_size < HEADER_MIN ||
        header_size > disk->sector) {
        return false;
    }
    memcpy(copy, p, header_size);
    fsn_put_le32(copy + 16, 0);
    if (crc32(copy, header_size) != fsn_get_le32(p + 16) || fsn_get_le64(p + 24) != at) {
        return false;
    }
    *out = (Header){
        .alternate = fsn_get_le64(p + 32),
        .table = fsn_get_le64(p + 72),
        .n_entries = fsn_get_le32(p + 80),
        .entry_size = fsn_get_le32(p + 84),
        .table_crc = fsn_get_le32(p + 88),
    };
    return out->entry_size >= ENTRY_MIN && out->entry_size <= ENTRY_MAX &&
           (out->entry_size & (out->entry_size - 1)) == 0 &&
           out->n_entries <= MAX_TABLE / out->entry_size;
}

static char *
guid_text(const uint8_t *p)
{
    return g_strdup_printf("%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                           fsn_get_le32(p), fsn_get_le16(p + 4), fsn_get_le16(p + 6),
                           p[8], p[9], p[10], p[11], p[12], p[13], p[14], p[15]);
}

/* The name is shown to people: what is no character, or would command a terminal, is
 * replaced. */
static char *
name_text(const uint8_t *p)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < NAME_UNITS; i++) {
        gunichar c = fsn_get_le16(p + 2 * i);
        gunichar low = i + 1 < NAME_UNITS ? fsn_get_le16(p + 2 * i + 2) : 0;

        if (c == 0) {
            break;
        }
        if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            i++;
        }
        g_string_append_unichar(
            text, g_unichar_validate(c) && g_unichar_isprint(c) ? c : REPLACEMENT_CHAR);
    }
    return g_string_free(text, FALSE);
}

static void
add_entry(const FsnPartitionDisk *disk,
          GPtrArray *partitions,
          unsigned number,
          const uint8_t *p)
{
    static const uint8_t unused[GUID_SIZE];
    uint64_t start = fsn_get_le64(p + 32);
    uint64_t last = fsn_get_le64(p + 40);
    FsnPartition *partition;

    if (memcmp(p, unused, GUID_SIZE) == 0 || last < start || last == G_MAXUINT64) {
        return;
    }
    partition = fsn_partition_add(partitions, disk, number, start, last - start + 1);
    if (partition) {
        partition->scheme = FSN_PARTITION_GPT;
        partition->type = guid_text(p);
        partition->uuid = guid_text(p + GUID_SIZE);
        partition->name = name_text(p + NAME_OFFSET);
    }
}

/* Takes the table whose header is sector @at, if it is whole. *@out_alternate is where its
 * header says the other copy is, 0 if there is no header. */
static bool
try_copy(const FsnPartitionDisk *disk,
         uint64_t at,
         GPtrArray *partitions,
         bool *out_found,
         uint64_t *out_alternate,
         GError **error)
{
    uint8_t sector[FSN_SECTOR_MAX];
    g_autofree uint8_t *table = NULL;
    Header header;
    size_t len;
    bool inside;

    *out_alternate = 0;
    if (!fsn_partition_disk_read(disk, at, disk->sector, sector, &inside, error)) {
        return false;
    }
    if (!inside || !parse_header(disk, at, sector, &header)) {
        return true;
    }
    *out_alternate = header.alternate;
    len = (size_t)header.n_entries * header.entry_size;
    table = g_malloc(len + 1);
    if (!fsn_partition_disk_read(disk, header.table, len, table, &inside, error)) {
        return false;
    }
    if (!inside || crc32(table, len) != header.table_crc) {
        return true;
    }
    for (uint32_t i = 0; i < header.n_entries; i++) {
        add_entry(disk, partitions, i + 1, table + (size_t)i * header.entry_size);
    }
    *out_found = true;
    return true;
}

bool
fsn_gpt_find(const FsnPartitionDisk *disk,
             GPtrArray *partitions,
             bool *out_found,
             GError **error)
{
    uint64_t n_sectors = disk->size / disk->sector;
    uint64_t alternate, ignored;

    *out_found = false;
    if (!try_copy(disk, 1, partitions, out_found, &alternate, error)) {
        return false;
    }
    /* A disk that has grown has its second copy where the first says, not at its end. */
    if (!*out_found && alternate > 1 &&
        !try_copy(disk, alternate, partitions, out_found, &ignored, error)) {
        return false;
    }
    return *out_found || n_sectors < 3 ||
           try_copy(disk, n_sectors - 1, partitions, out_found, &ignored, error);
}
