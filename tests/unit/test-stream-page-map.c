/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/stream/page-map.c: numbering of granules; bits compared with a plain array. */
#include "config.h"

#include "stream/page-map.h"

static FsnRamBlock three_blocks[] = { { (char *)"a", 2 * 4096 },
                                      { (char *)"b", 130 * 4096 },
                                      { (char *)"c", 4096 } };
static const FsnRamLayout three = { .blocks = three_blocks, .n_blocks = 3 };

static void
test_numbering(void)
{
    uint32_t block;
    uint64_t page;

    g_assert_cmpuint(fsn_page_map_base(&three, 0), ==, 0);
    g_assert_cmpuint(fsn_page_map_base(&three, 1), ==, 2);
    g_assert_cmpuint(fsn_page_map_base(&three, 2), ==, 132);
    g_assert_cmpuint(fsn_page_map_base(&three, 3), ==, 133);
    g_assert_cmpuint(fsn_page_map_pages(&three), ==, 133);
    for (uint64_t i = 0; i < 133; i++) {
        g_assert_true(fsn_page_map_locate(&three, i, &block, &page));
        g_assert_cmpuint(fsn_page_map_base(&three, block) + page, ==, i);
        g_assert_cmpuint(page, <, three.blocks[block].length / 4096);
    }
    g_assert_false(fsn_page_map_locate(&three, 133, &block, &page));
}

static uint64_t
next(const bool *bits, uint64_t from, uint64_t n, bool value)
{
    while (from < n && bits[from] != value) {
        from++;
    }
    return from;
}

static void
test_against_array(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);

    for (uint64_t n = 1; n <= 200; n++) {
        g_autoptr(FsnPageMap) map = fsn_page_map_new(n);
        g_autofree bool *bits = g_new0(bool, n);
        uint64_t count = 0;

        for (unsigned int step = 0; step < 100; step++) {
            uint64_t i = (uint64_t)g_rand_int_range(rand, 0, (gint32)n);

            if (g_rand_boolean(rand) || step < 20) {
                g_assert_cmpint(fsn_page_map_set(map, i), ==, !bits[i]);
                bits[i] = true;
            } else {
                fsn_page_map_clear(map, i);
                bits[i] = false;
            }
        }
        for (uint64_t i = 0; i < n; i++) {
            g_assert_cmpint(fsn_page_map_test(map, i), ==, bits[i]);
            g_assert_cmpuint(fsn_page_map_next_set(map, i), ==, next(bits, i, n, true));
            g_assert_cmpuint(fsn_page_map_next_unset(map, i), ==,
                             next(bits, i, n, false));
            count += bits[i];
        }
        g_assert_cmpuint(fsn_page_map_next_unset(map, n), ==, n);
        g_assert_cmpuint(fsn_page_map_count(map), ==, count);
    }
}

static void
test_full(void)
{
    g_autoptr(FsnPageMap) map = fsn_page_map_new(130);

    for (uint64_t i = 0; i < 130; i++) {
        g_assert_true(fsn_page_map_set(map, i));
    }
    g_assert_cmpuint(fsn_page_map_next_unset(map, 0), ==, 130);
    g_assert_cmpuint(fsn_page_map_count(map), ==, 130);
}

/* Bits beyond the end, as foreign memory may have them, are not seen. */
static void
test_wrap(void)
{
    uint64_t memory[2] = { 0, ~UINT64_C(0) };
    g_autoptr(FsnPageMap) map = fsn_page_map_wrap(memory, 66);

    g_assert_cmpuint(fsn_page_map_bytes(66), ==, sizeof(memory));
    g_assert_cmpuint(fsn_page_map_count(map), ==, 2);
    g_assert_cmpuint(fsn_page_map_next_unset(map, 64), ==, 66);
    g_assert_true(fsn_page_map_set(map, 3));
    g_assert_cmpuint(memory[0], ==, 8);
}

static void
test_load(void)
{
    static const uint8_t bits[] = { 0x05, 0xfe };
    g_autoptr(FsnPageMap) map = fsn_page_map_new(100);

    for (uint64_t i = 0; i < 100; i++) {
        g_assert_true(fsn_page_map_set(map, i));
    }
    fsn_page_map_load(map, 60, bits, 10);
    g_assert_cmpuint(fsn_page_map_count(map), ==, 100 - 10 + 3);
    g_assert_true(fsn_page_map_test(map, 60));
    g_assert_false(fsn_page_map_test(map, 61));
    g_assert_true(fsn_page_map_test(map, 62));
    g_assert_false(fsn_page_map_test(map, 68));
    g_assert_true(fsn_page_map_test(map, 69));
    g_assert_true(fsn_page_map_test(map, 70));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream/page-map/numbering", test_numbering);
    g_test_add_func("/stream/page-map/against-array", test_against_array);
    g_test_add_func("/stream/page-map/full", test_full);
    g_test_add_func("/stream/page-map/wrap", test_wrap);
    g_test_add_func("/stream/page-map/load", test_load);
    return g_test_run();
}
