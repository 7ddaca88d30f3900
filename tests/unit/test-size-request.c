/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cycle/size-request.c: written, taken once; damage counts as absent. */
#include "config.h"

#include "cycle/size-request.h"

#include <glib/gstdio.h>

#define UUID "12345678-1234-1234-1234-123456789abc"

static void
remove_all(const char *dir)
{
    g_autofree char *folder = g_build_filename(dir, "size", NULL);
    g_autofree char *path = g_build_filename(folder, UUID, NULL);

    (void)g_unlink(path);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void
test_round_trip(void)
{
    g_autofree char *dir = g_dir_make_tmp("fsn-size-XXXXXX", NULL);
    const FsnSizeRequest request = { 4, UINT64_C(6) << 30 };
    FsnSizeRequest back = { 0 };

    g_assert_false(fsn_size_request_take(dir, UUID, &back));
    g_assert_true(fsn_size_request_write(dir, UUID, &request, NULL));
    g_assert_true(fsn_size_request_take(dir, UUID, &back));
    g_assert_cmpuint(back.vcpus, ==, 4);
    g_assert_cmpuint(back.memory, ==, UINT64_C(6) << 30);
    g_assert_false(fsn_size_request_take(dir, UUID, &back));
    remove_all(dir);
}

static void
test_damage(void)
{
    static const char *const bad[] = {
        "",
        "{",
        "{\"version\": 2, \"vcpus\": 1, \"memory\": 5}",
        "{\"version\": 1, \"vcpus\": 0, \"memory\": 5}",
        "{\"version\": 1, \"vcpus\": 70000, \"memory\": 5}",
        "{\"version\": 1, \"vcpus\": 1, \"memory\": -5}",
        "{\"version\": 1, \"vcpus\": 1}",
    };
    g_autofree char *dir = g_dir_make_tmp("fsn-size-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "size", UUID, NULL);
    const FsnSizeRequest request = { 1, 1 };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        FsnSizeRequest back = { 77, 88 };

        g_assert_true(fsn_size_request_write(dir, UUID, &request, NULL));
        g_assert_true(g_file_set_contents(path, bad[i], -1, NULL));
        g_assert_false(fsn_size_request_take(dir, UUID, &back));
        g_assert_cmpuint(back.vcpus, ==, 77);
        g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    }
    remove_all(dir);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/size-request/round-trip", test_round_trip);
    g_test_add_func("/size-request/damage", test_damage);
    return g_test_run();
}
