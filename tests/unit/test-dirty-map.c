/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk/dirty-map.c: how many bytes of a stretch lie in which partition. The rest of it is asked of
 * real servers in the functional tests. */
#include "config.h"

#include "disk/dirty-map.h"

static void
test_sums(void)
{
    FsnPartition one = { .number = 1, .offset = 100, .size = 50 };
    FsnPartition five = { .number = 5, .offset = 120, .size = 80 }; /* overlaps */
    g_autoptr(GPtrArray) partitions = g_ptr_array_new();
    g_autoptr(FsnPartitionSums) sums = NULL;

    g_ptr_array_add(partitions, &one);
    g_ptr_array_add(partitions, &five);
    sums = fsn_partition_sums_new(partitions);
    fsn_partition_sums_add(sums, 0, 100);
    g_assert_cmpuint(fsn_partition_sums_get(sums, 1), ==, 0);
    fsn_partition_sums_add(sums, 90, 20);
    fsn_partition_sums_add(sums, 140, 20);
    fsn_partition_sums_add(sums, 199, 1000);
    g_assert_cmpuint(fsn_partition_sums_get(sums, 1), ==, 20);
    g_assert_cmpuint(fsn_partition_sums_get(sums, 5), ==, 21);
    g_assert_cmpuint(fsn_partition_sums_get(sums, 2), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dirty-map/sums", test_sums);
    return g_test_run();
}
