/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/disk-parts.c: how parts of disks are written, and what is left out around them. */
#include "config.h"

#include "base/error.h"
#include "cycle/disk-parts.h"

#define MIB (UINT64_C(1) << 20)

static void
test_parse(void)
{
    static const char *const bad_partitions[] = {
        "", "vda", ":1", "vda:0", "vda:-1", "vda:x", "vda:1025", "vda:1 "
    };
    static const char *const bad_ranges[] = { "",          "vda",      "vda:1",
                                              "vda:1+",    "vda:+1",   "vda:1+0",
                                              "vda:1-2+3", "vda:1M+x", "vda:9999999T+1",
                                              "vda:1+1Z",  ":1+1",     "vda:1++1" };
    g_autoptr(GError) error = NULL;
    FsnDiskPart *part = fsn_disk_part_parse_partition("vda:2", &error);

    g_assert_no_error(error);
    g_assert_cmpstr(part->target, ==, "vda");
    g_assert_cmpuint(part->partition, ==, 2);
    fsn_disk_part_free(part);
    part = fsn_disk_part_parse_range("nvme0n1:1M+4096", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(part->target, ==, "nvme0n1");
    g_assert_cmpuint(part->partition, ==, 0);
    g_assert_cmpuint(part->offset, ==, MIB);
    g_assert_cmpuint(part->length, ==, 4096);
    fsn_disk_part_free(part);
    for (size_t i = 0; i < G_N_ELEMENTS(bad_partitions); i++) {
        g_assert_null(fsn_disk_part_parse_partition(bad_partitions[i], &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
        g_clear_error(&error);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad_ranges); i++) {
        g_assert_null(fsn_disk_part_parse_range(bad_ranges[i], &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
        g_clear_error(&error);
    }
}

/* The gaps of a disk of 64 MiB with two partitions, as text; NULL: refused. */
static char *
gaps_of(const char *const *partitions_asked, const char *const *ranges_asked)
{
    FsnPartition one = { .number = 1, .offset = MIB, .size = 8 * MIB };
    FsnPartition two = { .number = 2, .offset = 9 * MIB + 512, .size = 16 * MIB };
    g_autoptr(GPtrArray) partitions = g_ptr_array_new();
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(fsn_disk_part_free);
    g_autoptr(GArray) gaps = NULL;
    g_autoptr(GError) error = NULL;
    GString *text = g_string_new(NULL);

    g_ptr_array_add(partitions, &one);
    g_ptr_array_add(partitions, &two);
    for (; partitions_asked && *partitions_asked; partitions_asked++) {
        g_ptr_array_add(parts, fsn_disk_part_parse_partition(*partitions_asked, NULL));
    }
    for (; ranges_asked && *ranges_asked; ranges_asked++) {
        g_ptr_array_add(parts, fsn_disk_part_parse_range(*ranges_asked, NULL));
    }
    if (!fsn_disk_parts_gaps(parts, "vda", partitions, 64 * MIB, &gaps, &error)) {
        g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
        g_string_free(text, TRUE);
        return NULL;
    }
    for (guint i = 0; i < gaps->len; i++) {
        const FsnDiskGap *gap = &g_array_index(gaps, FsnDiskGap, i);

        g_string_append_printf(text, "%s%" G_GUINT64_FORMAT "+%" G_GUINT64_FORMAT,
                               i ? " " : "", gap->offset, gap->length);
    }
    return g_string_free(text, FALSE);
}

static void
test_gaps(void)
{
    static const struct {
        const char *partitions[3];
        const char *ranges[3];
        const char *gaps; /* NULL: refused */
    } cases[] = {
        { { "vda:1" }, { NULL }, "9437184+57606144" },
        /* whole granules around a partition that begins within one */
        { { "vda:2" }, { NULL }, "1048576+8388608 26218496+40824832" },
        { { "vda:1", "vda:2" }, { NULL }, "26218496+40824832" },
        { { NULL },
          { "vda:32M+1M", "vda:32M+2M" },
          "1048576+32505856 35651584+31391744" },
        { { "vda:1" }, { "vda:0+64M" }, "" },
        /* of another disk */
        { { "vda:1", "vdb:7" }, { NULL }, "9437184+57606144" },
        { { "vda:3" }, { NULL }, NULL },
        { { NULL }, { "vda:64M+1" }, NULL },
        { { NULL }, { "vda:63M+2M" }, NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *gaps = gaps_of(cases[i].partitions, cases[i].ranges);

        g_assert_cmpstr(gaps, ==, cases[i].gaps);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk-parts/parse", test_parse);
    g_test_add_func("/disk-parts/gaps", test_gaps);
    return g_test_run();
}
