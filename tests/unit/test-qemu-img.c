/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/disk/qemu-img.c: what it prints, and a file that is not there. */
#include "config.h"

#include "base/error.h"
#include "disk/qemu-img.h"

#include <string.h>

static void
test_info(void)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{",
        "{}",
        "{\"virtual-size\":-1}",
        "{\"virtual-size\":\"1\"}",
        "{\"virtual-size\":1,\"format-specific\":{\"data\":{\"bitmaps\":{}}}}",
        "{\"virtual-size\":1,\"format-specific\":{\"data\":{\"bitmaps\":[7]}}}",
        "{\"virtual-size\":1,\"format-specific\":{\"data\":{\"bitmaps\":[{\"flags\":[]}]}}}",
        "{\"virtual-size\":1,\"format-specific\":{\"data\":{\"bitmaps\":[{\"name\":\"a\"}]}}}",
    };
    g_auto(FsnImageInfo) info = { 0 };
    FsnImageInfo none;
    uint64_t size;
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_qemu_img_parse_info("{\"virtual-size\":4096}", 21, &info, &error));
    g_assert_cmpuint(info.virtual_size, ==, 4096);
    g_assert_false(info.data_file);
    g_assert_cmpuint(info.bitmaps->len, ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_clear_error(&error);
        g_assert_false(fsn_qemu_img_parse_info(bad[i], strlen(bad[i]), &none, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
    g_clear_error(&error);
    g_assert_false(fsn_qemu_img_virtual_size("/nonexistent/disk", "raw", &size, &error));
    g_assert_nonnull(error);
}

static void
test_bitmaps(void)
{
    static const char text[] =
        "{\"virtual-size\":1,\"format-specific\":{\"type\":\"qcow2\",\"data\":"
        "{\"data-file\":\"x.raw\",\"bitmaps\":["
        "{\"flags\":[\"auto\"],\"name\":\"good\",\"granularity\":65536},"
        "{\"flags\":[],\"name\":\"stopped\"},"
        "{\"flags\":[\"in-use\",\"auto\",7],\"name\":\"torn\"}]}}}";
    g_auto(FsnImageInfo) info = { 0 };
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_qemu_img_parse_info(text, strlen(text), &info, &error));
    g_assert_no_error(error);
    g_assert_true(info.data_file);
    g_assert_true(fsn_image_info_bitmap(&info, "good")->recording);
    g_assert_false(fsn_image_info_bitmap(&info, "good")->inconsistent);
    g_assert_false(fsn_image_info_bitmap(&info, "stopped")->recording);
    g_assert_true(fsn_image_info_bitmap(&info, "torn")->inconsistent);
    g_assert_null(fsn_image_info_bitmap(&info, "none"));
}

static void
test_progress(void)
{
    uint64_t done = 0;

    g_assert_true(
        fsn_qemu_img_parse_progress("    (0.00/100%)\r    (12.34/100%)", &done));
    g_assert_cmpuint(done, ==, 1234);
    g_assert_false(fsn_qemu_img_parse_progress("(", &done));
    g_assert_false(fsn_qemu_img_parse_progress("(nan/100%)", &done));
    g_assert_false(fsn_qemu_img_parse_progress("(101/100%)", &done));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qemu-img/info", test_info);
    g_test_add_func("/qemu-img/bitmaps", test_bitmaps);
    g_test_add_func("/qemu-img/progress", test_progress);
    return g_test_run();
}
