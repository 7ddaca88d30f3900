/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/disk/stored-disk.c: what manifests may say of disks, and what not. */
#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "disk/stored-disk.h"

#include <string.h>

#define ROOT "00112233445566778899aabbccddeeff"
#define GOOD                                                                           \
    "{'target':'vda','source':'/a','source_kind':'file','format':'qcow2','size':1000," \
    "'image':'" ROOT "'}"

static bool
read_disks(const char *disks, GPtrArray **out, GError **error)
{
    g_autofree char *text = g_strdup_printf("{'disks':%s}", disks);
    g_autoptr(JsonObject) manifest = NULL;

    g_strdelimit(text, "'", '"');
    g_assert_true(
        fsn_json_parse_object(text, strlen(text), 1 << 16, "manifest", &manifest, NULL));
    return fsn_stored_disks_read(manifest, out, error);
}

static void
test_good(void)
{
    g_autoptr(GPtrArray) disks = NULL;
    g_autoptr(GError) error = NULL;
    const FsnStoredDisk *disk = NULL;

    g_assert_true(
        read_disks("[" GOOD ",{'target':'sdb','skipped':'no media'}]", &disks, &error));
    g_assert_cmpuint(disks->len, ==, 2);
    g_assert_true(fsn_stored_disks_find(disks, "vda", &disk, &error));
    g_assert_cmpstr(disk->source, ==, "/a");
    g_assert_cmpstr(disk->source_kind, ==, "file");
    g_assert_cmpstr(disk->format, ==, "qcow2");
    g_assert_cmpuint(disk->size, ==, 1000);
    g_assert_cmpstr(disk->image, ==, ROOT);
    g_assert_false(fsn_stored_disks_find(disks, "sdb", &disk, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_STATE);
    g_assert_nonnull(strstr(error->message, "no media"));
    g_clear_error(&error);
    g_assert_false(fsn_stored_disks_find(disks, "vdc", &disk, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "vda, sdb"));
}

static void
test_bad(void)
{
    static const char *const bad[] = {
        "{}",
        "[1]",
        "[{}]",
        "[{'target':''}]",
        "[{'target':'../vda'}]",
        "[{'target':'vd a'}]",
        "[{'target':'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'}]",
        "[" GOOD "," GOOD "]",
        "[{'target':'vda','image':'x','format':'raw','size':1}]",
        "[{'target':'vda','image':'" ROOT "','format':'vmdk','size':1}]",
        "[{'target':'vda','image':'" ROOT "','format':'raw','size':0}]",
        "[{'target':'vda','image':'" ROOT "','format':'raw','size':-1}]",
        "[{'target':'vda','image':'" ROOT "','format':'raw','size':9000000000000000000}]",
        "[{'target':'vda','image':'" ROOT "','format':'raw'}]",
        "[{'target':'vda','image':'" ROOT "','size':1}]",
        "[{'target':'vda','image':1,'format':'raw','size':1}]",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GPtrArray) disks = NULL;
        g_autoptr(GError) error = NULL;

        g_test_message("%s", bad[i]);
        g_assert_false(read_disks(bad[i], &disks, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_null(disks);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stored-disk/good", test_good);
    g_test_add_func("/stored-disk/bad", test_bad);
    return g_test_run();
}
