/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/disk/partitions*.c with tables that sfdisk and sgdisk have written (in the corpus of
 * the fuzz target), and with what may become of them.
 */
#include "config.h"

#include "sparse-disk.h"

#include "base/error.h"

typedef struct {
    const char *file;
    unsigned sector;
    const char *list;
} Golden;

#define EFI   "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
#define LINUX "0fc63daf-8483-4772-8e79-3d69d8477de4"
#define SWAP  "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"
/* sfdisk: 4 GiB; the first name has an escape sequence and half a surrogate pair put in. */
#define GPT                                                                      \
    "1 gpt 1048576+536870912 " EFI " aaaaaaaa-0001-0002-0003-000000000001 "      \
    "'EFI system\xef\xbf\xbd[31m\xef\xbf\xbd"                                    \
    "A'\n"                                                                       \
    "2 gpt 537919488+3221225472 " LINUX " aaaaaaaa-0001-0002-0003-000000000002 " \
    "'w\xc3\xb6rzel \xf0\x9f\x90\xa7'\n"
/* sgdisk: number 3 made first, no number 2. */
#define SGDISK                                                                       \
    "1 gpt 105906176+2041560576 " LINUX " bbbbbbbb-0001-0002-0003-000000000001 ''\n" \
    "3 gpt 1048576+104857600 " SWAP " bbbbbbbb-0001-0002-0003-000000000003 'swap'\n"
#define GPT_4096 \
    "1 gpt 1048576+536870912 " LINUX " cccccccc-0001-0002-0003-000000000001 'four'\n"
#define MBR                             \
    "1 mbr 1048576+104857600 0x83\n"    \
    "2 mbr 105906176+52428800 0x82\n"   \
    "4 mbr 1694334976+453148672 0x07\n" \
    "5 mbr 159383552+209715200 0x83\n"  \
    "6 mbr 370147328+104857600 0x8e\n"  \
    "7 mbr 476053504+10485760 0x0c\n"

static const Golden goldens[] = {
    { "gpt", 0, GPT },
    { "gpt-backup", 0, GPT },       /* the first header is lost */
    { "gpt-backup-table", 0, GPT }, /* the first entries are lost */
    { "gpt-backup", 512, GPT },
    { "gpt-backup", 4096, "" },
    { "sgdisk", 0, SGDISK },
    { "gpt-grown", 0, SGDISK }, /* entries lost, and the second copy is not at the end */
    { "gpt-4096", 0, GPT_4096 },
    { "gpt-4096", 4096, GPT_4096 },
    { "mbr-logical", 0, MBR },
    { "mbr-loop", 0, MBR },
    { "mbr-4096", 4096,
      "1 mbr 1048576+268435456 0x83\n3 mbr 806354944+104857600 0x83\n"
      "4 mbr 911212544+104857600 0x82\n" },
};

static GBytes *
corpus(const char *name)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "tests", "fuzz", "corpus",
                                                  "partitions", name, NULL);
    g_autoptr(GError) error = NULL;
    char *data;
    gsize len;

    g_file_get_contents(path, &data, &len, &error);
    g_assert_no_error(error);
    return g_bytes_new_take(data, len);
}

static char *
list(SparseDisk *disk, unsigned sector)
{
    g_autoptr(GPtrArray) partitions = NULL;
    GString *text = g_string_new(NULL);

    g_assert_true(fsn_partitions_find(sparse_disk_read, disk, disk->size, sector,
                                      &partitions, NULL));
    for (guint i = 0; i < partitions->len; i++) {
        FsnPartition *p = g_ptr_array_index(partitions, i);

        g_string_append_printf(
            text, "%u %s %" G_GUINT64_FORMAT "+%" G_GUINT64_FORMAT " %s", p->number,
            fsn_partition_scheme_to_string(p->scheme), p->offset, p->size, p->type);
        if (p->scheme == FSN_PARTITION_GPT) {
            g_string_append_printf(text, " %s '%s'", p->uuid, p->name);
        }
        g_string_append(text, p->overlaps ? " overlaps\n" : "\n");
    }
    return g_string_free(text, FALSE);
}

static void
test_golden(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(goldens); i++) {
        g_autoptr(GBytes) bytes = corpus(goldens[i].file);
        g_autofree char *found = NULL;
        SparseDisk disk;

        g_test_message("%s", goldens[i].file);
        g_assert_true(sparse_disk_init(&disk, g_bytes_get_data(bytes, NULL),
                                       g_bytes_get_size(bytes)));
        found = list(&disk, goldens[i].sector);
        g_assert_cmpstr(found, ==, goldens[i].list);
    }
}

/* Any byte of one copy of a GPT may be wrong: the other one is used. */
static void
test_flips(void)
{
    g_autoptr(GBytes) bytes = corpus("gpt");
    g_autofree uint8_t *data =
        g_memdup2(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    size_t first = SPARSE_HEADER + SPARSE_RECORD; /* of the MBR there is only one */
    SparseDisk disk;

    g_assert_true(sparse_disk_init(&disk, data, g_bytes_get_size(bytes)));
    for (size_t at = first; at < disk.len; at++) {
        g_autofree char *found = NULL;

        if ((at - SPARSE_HEADER) % SPARSE_RECORD >= 8) {
            data[at] ^= 0x41;
            found = list(&disk, 0);
            g_assert_cmpstr(found, ==, GPT);
            data[at] ^= 0x41;
        }
    }
}

/* Without the other copy, a wrong byte that matters leaves nothing. */
static void
test_flips_of_last_copy(void)
{
    g_autoptr(GBytes) bytes = corpus("gpt");
    g_autofree uint8_t *data =
        g_memdup2(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    size_t begin = SPARSE_HEADER + SPARSE_RECORD;
    SparseDisk disk;

    g_assert_true(sparse_disk_init(&disk, data, begin + 2 * SPARSE_RECORD));
    for (size_t at = begin; at < disk.len; at++) {
        size_t inside = (at - SPARSE_HEADER) % SPARSE_RECORD;
        bool counts = at >= begin + SPARSE_RECORD || inside < 8 + 92;
        g_autofree char *found = NULL;

        if (inside >= 8) {
            data[at] ^= 0x41;
            found = list(&disk, 0);
            g_assert_cmpstr(found, ==, counts ? "" : GPT);
            data[at] ^= 0x41;
        }
    }
}

/* Disks that end anywhere, and tables of which only the beginning is there: whatever is
 * found is one of the partitions of the whole. */
static void
test_truncated(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(goldens); i++) {
        g_autoptr(GBytes) bytes = corpus(goldens[i].file);
        SparseDisk whole;

        g_assert_true(sparse_disk_init(&whole, g_bytes_get_data(bytes, NULL),
                                       g_bytes_get_size(bytes)));
        for (uint64_t cut = 0; cut < 3000; cut++) {
            SparseDisk disk = whole;
            g_autofree char *found = NULL;
            g_auto(GStrv) lines = NULL;

            if (cut < whole.len) {
                disk.len = cut;
            }
            disk.size = cut % 2 ? cut * 7 : whole.size / 3000 * cut;
            found = list(&disk, goldens[i].sector);
            lines = g_strsplit(found, "\n", -1);
            for (char **line = lines; *line; line++) {
                g_assert_nonnull(strstr(goldens[i].list, *line));
            }
        }
    }
}

static void
put_entry(uint8_t *sector, unsigned i, uint8_t type, uint32_t start, uint32_t count)
{
    uint8_t *e = sector + 446 + 16 * i;

    e[4] = type;
    fsn_put_le32(e + 8, start);
    fsn_put_le32(e + 12, count);
    sector[510] = 0x55;
    sector[511] = 0xaa;
}

/* A disk of 1 GiB that consists of its first sectors. */
static char *
list_of(const uint8_t *sectors, unsigned n)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    SparseDisk disk;

    fsn_append_le64(data, (uint64_t)1 << 30);
    for (unsigned i = 0; i < n; i++) {
        fsn_append_le64(data, i);
        g_byte_array_append(data, sectors + i * SPARSE_SECTOR, SPARSE_SECTOR);
    }
    g_assert_true(sparse_disk_init(&disk, data->data, data->len));
    return list(&disk, 512);
}

static void
test_hostile_mbr(void)
{
    static uint8_t sectors[8 * SPARSE_SECTOR];
    g_autofree char *found = NULL;

    put_entry(sectors, 0, 0x83, 100, 1000);
    put_entry(sectors, 1, 0x83, 1050, 1000);          /* overlaps the first */
    put_entry(sectors, 2, 0x83, 2097000, 0xffffffff); /* beyond the end */
    put_entry(sectors, 3, 0x05, 1, 7);
    /* A chain 1, 3, 5, 3, … with partitions at its first two. */
    put_entry(sectors + 1 * SPARSE_SECTOR, 0, 0x83, 3000, 10);
    put_entry(sectors + 1 * SPARSE_SECTOR, 1, 0x05, 2, 1);
    put_entry(sectors + 3 * SPARSE_SECTOR, 0, 0x83, 4000, 10);
    put_entry(sectors + 3 * SPARSE_SECTOR, 1, 0x0f, 4, 1);
    put_entry(sectors + 5 * SPARSE_SECTOR, 1, 0x85, 2, 1);
    found = list_of(sectors, 8);
    g_assert_cmpstr(found, ==,
                    "1 mbr 51200+512000 0x83 overlaps\n"
                    "2 mbr 537600+512000 0x83 overlaps\n"
                    "5 mbr 1536512+5120 0x83\n"
                    "6 mbr 2049536+5120 0x83\n");
    /* The boot sector of a file system. */
    g_free(found);
    sectors[446] = 'A';
    found = list_of(sectors, 8);
    g_assert_cmpstr(found, ==, "");
    /* A protective MBR protects nothing. */
    g_free(found);
    sectors[446] = 0;
    put_entry(sectors, 2, 0xee, 1, 100);
    found = list_of(sectors, 8);
    g_assert_cmpstr(found, ==, "");
}

/* Reading that fails is told. */
static bool
fail(gpointer user, uint64_t offset, size_t len, uint8_t *out, GError **error)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT, "broken");
    return false;
}

static void
test_read_error(void)
{
    g_autoptr(GPtrArray) partitions = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_false(fsn_partitions_find(fail, NULL, 4096, 0, &partitions, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_CORRUPT);
    g_assert_null(partitions);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk/partitions/golden", test_golden);
    g_test_add_func("/disk/partitions/flips", test_flips);
    g_test_add_func("/disk/partitions/flips-of-last-copy", test_flips_of_last_copy);
    g_test_add_func("/disk/partitions/truncated", test_truncated);
    g_test_add_func("/disk/partitions/hostile-mbr", test_hostile_mbr);
    g_test_add_func("/disk/partitions/read-error", test_read_error);
    return g_test_run();
}
