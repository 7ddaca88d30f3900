/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cycle/changemap-kept: rows go on after a restart, and begin anew for another disk; files that are
 * damaged count as none; what is old goes. */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cycle/changemap-kept.h"
#include "heat/heat.h"

#include <glib/gstdio.h>
#include <string.h>

#define UUID "5f1d6f3e-0000-4000-8000-000000000001"
#define SEC  ((int64_t)G_USEC_PER_SEC)
#define MIB  (UINT64_C(1) << 20)
#define NOW  (INT64_C(1796000000) * SEC)

/* One that has changed at its beginning. */
static FsnHeatMap *
make_map(uint64_t size)
{
    FsnHeatMap *map = fsn_heat_map_new("vda", size, 65536, 16);

    fsn_heat_map_begin(map);
    fsn_heat_map_add(map, 0, MIB);
    fsn_heat_map_end(map, 10 * SEC, NOW, true, NULL);
    return map;
}

static JsonObject *
document_of(const FsnHeatMap *map)
{
    JsonObject *document = json_object_new();
    JsonArray *disks = json_array_new();

    json_array_add_object_element(disks, fsn_heat_map_to_json(map));
    json_object_set_array_member(document, "disks", disks);
    return document;
}

/* Takes up what there is, adds a round that ends at @now_us, and writes: how many rows it has. */
static guint
one_round(const char *folder, uint64_t size, int64_t now_us)
{
    g_autoptr(FsnMapKept) kept = fsn_map_kept_new(folder, UUID);
    g_autoptr(FsnHeatMap) map = make_map(size);
    g_autoptr(GPtrArray) disks = g_ptr_array_new();
    g_autoptr(JsonObject) document = document_of(map);
    g_autoptr(JsonObject) again = NULL;
    g_autoptr(GError) error = NULL;
    JsonObject *heat;

    g_ptr_array_add(disks, map);
    fsn_map_kept_add(kept, disks, now_us, 10 * SEC);
    fsn_map_kept_fill(kept, document, now_us);
    g_assert_true(fsn_map_kept_save(kept, document, &error));
    g_assert_no_error(error);
    again = fsn_map_kept_load(folder, UUID, &error);
    g_assert_no_error(error);
    g_assert_nonnull(fsn_json_peek_string(again, "kept", NULL));
    heat = json_object_get_object_member(
        json_array_get_object_element(json_object_get_array_member(again, "disks"), 0),
        "heat");
    return json_array_get_length(json_object_get_array_member(heat, "rows"));
}

static void
test_kept(void)
{
    g_autofree char *folder = g_dir_make_tmp("test-changemap-kept-XXXXXX", NULL);
    g_autofree char *inner = g_build_filename(folder, "changemaps", NULL);
    g_autofree char *file = g_build_filename(inner, UUID ".json", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(fsn_map_kept_load(folder, UUID, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_cmpint(fsn_map_kept_time_us(folder, UUID), ==, 0);
    g_assert_cmpuint(one_round(folder, 64 * MIB, NOW), ==, 1);
    g_assert_cmpuint(one_round(folder, 64 * MIB, NOW + 10 * SEC), ==, 2);
    /* As many regions, of another size. */
    g_assert_cmpuint(one_round(folder, 128 * MIB, NOW + 20 * SEC), ==, 1);
    g_assert_cmpuint(one_round(folder, 128 * MIB, NOW + 30 * SEC), ==, 2);
    g_assert_cmpint(fsn_map_kept_time_us(folder, UUID), >, 0);
    /* Damaged: as if there was none. */
    g_assert_true(g_file_set_contents(file, "{\"disks\": [{\"heat\": {", -1, NULL));
    g_assert_null(fsn_map_kept_load(folder, UUID, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    g_assert_cmpuint(one_round(folder, 128 * MIB, NOW + 40 * SEC), ==, 1);
    fsn_map_kept_forget(folder, fsn_realtime_us() - 3600 * SEC);
    g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
    fsn_map_kept_forget(folder, fsn_realtime_us() + 3600 * SEC);
    g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
    g_assert_cmpint(g_rmdir(inner), ==, 0);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/changemap/kept", test_kept);
    return g_test_run();
}
