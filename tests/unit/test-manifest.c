/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/manifest.c: what is built is read back; RAM that no guest has is refused. */
#include "config.h"

#include "base/error.h"
#include "cycle/manifest.h"

#define ID     "0123456789abcdef0123456789abcdef"
#define UUID   "11111111-2222-3333-4444-555555555555"
#define OBJECT "00112233445566778899aabbccddeeff"

static JsonObject *
build(FsnRamBlock *blocks, size_t n_blocks)
{
    FsnRamLayout layout = {
        .section_id = 2, .version = 4, .blocks = blocks, .n_blocks = n_blocks
    };
    FsnManifestRam ram = {
        .image = OBJECT, .head = OBJECT, .device_state = OBJECT, .layout = &layout
    };
    g_autoptr(JsonArray) disks = json_array_new();
    FsnManifestFacts facts = { .id = ID,
                               .kind = "suspend",
                               .domain = "vm",
                               .uuid = UUID,
                               .host = "here",
                               .machine = "pc-q35-7.2",
                               .versions = "of a test",
                               .xml_live = OBJECT,
                               .xml_inactive = OBJECT,
                               .ram = &ram,
                               .disks = disks };

    return fsn_manifest_build(&facts);
}

static void
test_round_trip(void)
{
    FsnRamBlock blocks[] = { { (char *)"pc.ram", 32u << 20 },
                             { (char *)"pc.bios", 262144 } };
    FsnRamLayout layout = {
        .section_id = 2, .version = 4, .blocks = blocks, .n_blocks = G_N_ELEMENTS(blocks)
    };
    g_autoptr(JsonObject) manifest = build(blocks, G_N_ELEMENTS(blocks));
    g_auto(FsnManifestMemory) memory = { 0 };
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_manifest_read_memory(manifest, &memory, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(memory.id, ==, ID);
    g_assert_cmpstr(memory.uuid, ==, UUID);
    g_assert_cmpstr(memory.root, ==, OBJECT);
    g_assert_null(memory.description);
    g_assert_true(fsn_ram_layout_equal(memory.layout, &layout));
}

static void
refused(FsnRamBlock *blocks, size_t n_blocks)
{
    g_autoptr(JsonObject) manifest = build(blocks, n_blocks);
    g_auto(FsnManifestMemory) memory = { 0 };
    g_autoptr(GError) error = NULL;

    g_assert_false(fsn_manifest_read_memory(manifest, &memory, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

/* The writer of streams relies on it, and export hands it what a manifest says. */
static void
test_impossible_ram(void)
{
    g_autofree char *long_name = g_strnfill(256, 'x');
    FsnRamBlock too_long[] = { { long_name, 4096 } };
    FsnRamBlock unnamed[] = { { (char *)"", 4096 } };
    FsnRamBlock twice[] = { { (char *)"ram", 4096 }, { (char *)"ram", 8192 } };
    FsnRamBlock odd[] = { { (char *)"ram", 4097 } };

    refused(too_long, 1);
    refused(unnamed, 1);
    refused(twice, 2);
    refused(odd, 1);
    refused(NULL, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/manifest/round-trip", test_round_trip);
    g_test_add_func("/manifest/impossible-ram", test_impossible_ram);
    return g_test_run();
}
