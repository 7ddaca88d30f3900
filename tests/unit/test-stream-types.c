/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/stream/types.c: what a layout may be; copies are equal and apart. */
#include "config.h"

#include "base/error.h"
#include "stream/types.h"

static void
test_copy(void)
{
    FsnRamBlock blocks[] = { { (char *)"pc.ram", 1 << 20 },
                             { (char *)"pc.bios", 1 << 18 } };
    FsnRamLayout layout = {
        .section_id = 2, .version = 4, .blocks = blocks, .n_blocks = 2
    };
    g_autoptr(FsnRamLayout) copy = fsn_ram_layout_copy(&layout);
    uint32_t block;

    g_assert_true(fsn_ram_layout_equal(&layout, copy));
    g_assert_true(copy->blocks[1].name != blocks[1].name);
    g_assert_true(fsn_ram_layout_find(copy, "pc.bios", &block));
    g_assert_cmpuint(block, ==, 1);
    g_assert_false(fsn_ram_layout_find(copy, "pc", &block));
    g_assert_cmpuint(fsn_ram_layout_length(copy), ==, (1 << 20) + (1 << 18));
    copy->blocks[1].length += 4096;
    g_assert_false(fsn_ram_layout_equal(&layout, copy));
}

static void
assert_bad(const FsnRamBlock *blocks, size_t n, const char *say)
{
    FsnRamLayout layout = { .blocks = (FsnRamBlock *)blocks, .n_blocks = n };
    g_autoptr(GError) error = NULL;

    g_assert_false(fsn_ram_layout_check(&layout, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    g_assert_nonnull(strstr(error->message, say));
}

static void
test_check(void)
{
    g_autofree char *long_name = g_strnfill(256, 'x');
    FsnRamBlock good[] = { { (char *)"a", 4096 }, { (char *)"b", UINT64_C(1) << 43 } };
    FsnRamBlock same[] = { { (char *)"a", 4096 }, { (char *)"a", 8192 } };
    FsnRamBlock odd[] = { { (char *)"a", 4097 } };
    FsnRamBlock empty[] = { { (char *)"a", 0 } };
    FsnRamBlock nameless[] = { { (char *)"", 4096 } };
    FsnRamBlock control[] = { { (char *)"a\n", 4096 } };
    FsnRamBlock too_long[] = { { long_name, 4096 } };
    FsnRamBlock huge[] = { { (char *)"a", UINT64_C(1) << 44 }, { (char *)"b", 4096 } };
    FsnRamBlock wraps[] = { { (char *)"a", 4096 },
                            { (char *)"b", UINT64_MAX & ~4095ul } };
    FsnRamLayout layout = { .blocks = good, .n_blocks = 2 };
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_ram_layout_check(&layout, &error));
    assert_bad(same, 2, "twice");
    assert_bad(odd, 1, "whole pages");
    assert_bad(empty, 1, "whole pages");
    assert_bad(nameless, 1, "empty");
    assert_bad(control, 1, "printable");
    assert_bad(too_long, 1, "too long");
    assert_bad(huge, 2, "16 TiB");
    assert_bad(wraps, 2, "16 TiB");
    assert_bad(good, 0, "0 RAM blocks");
    assert_bad(good, 65, "65 RAM blocks");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream/types/copy", test_copy);
    g_test_add_func("/stream/types/check", test_check);
    return g_test_run();
}
