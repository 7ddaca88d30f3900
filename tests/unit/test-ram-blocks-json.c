/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/ram-blocks-json.c: the exact text, which is in manifests out there, and back; lists
 * that no suspend has written are refused. */
#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "cycle/ram-blocks-json.h"

#include <string.h>

static FsnRamBlock two_blocks[] = { { (char *)"pc.ram", 32u << 20 },
                                    { (char *)"/rom@etc/acpi/tables", 0x20000 } };
static const FsnRamLayout two = { .blocks = two_blocks, .n_blocks = 2 };

/* The object {"blocks": …}. */
static JsonObject *
parse(const char *list)
{
    g_autofree char *text = g_strdup_printf("{\"blocks\":%s}", list);
    g_autoptr(GError) error = NULL;
    JsonObject *object = NULL;

    g_assert_true(
        fsn_json_parse_object(text, strlen(text), 1 << 20, "test", &object, &error));
    return object;
}

static void
test_text(void)
{
    g_autoptr(JsonObject) object = json_object_new();
    g_autofree char *text = NULL;

    json_object_set_array_member(object, "blocks", fsn_ram_blocks_to_json(&two));
    text = fsn_json_to_text(object, false);
    g_assert_cmpstr(text, ==,
                    "{\"blocks\":[{\"name\":\"pc.ram\",\"length\":33554432},"
                    "{\"name\":\"/rom@etc/acpi/tables\",\"length\":131072}]}");
}

static void
test_round_trip(void)
{
    g_autoptr(JsonArray) array = fsn_ram_blocks_to_json(&two);
    g_autoptr(FsnRamLayout) layout = g_new0(FsnRamLayout, 1);
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_ram_blocks_from_json(array, layout, &error));
    g_assert_no_error(error);
    g_assert_true(fsn_ram_layout_equal(layout, &two));
}

/* A list of @n blocks that are fine by themselves. */
static char *
list_of(guint n)
{
    g_autoptr(GString) list = g_string_new("[");

    for (guint i = 0; i < n; i++) {
        g_string_append_printf(list, "%s{\"name\":\"%u\",\"length\":4096}", i ? "," : "",
                               i);
    }
    g_string_append_c(list, ']');
    return g_string_free(g_steal_pointer(&list), FALSE);
}

static bool
reads(const char *list, GError **error)
{
    g_autoptr(JsonObject) object = parse(list);
    g_autoptr(FsnRamLayout) layout = g_new0(FsnRamLayout, 1);

    return fsn_ram_blocks_from_json(json_object_get_array_member(object, "blocks"),
                                    layout, error);
}

static void
test_refused(void)
{
    static const char *const lists[] = {
        "[]",
        "[7]",
        "[{}]",
        "[{\"name\":\"a\"}]",
        "[{\"length\":4096}]",
        "[{\"name\":1,\"length\":4096}]",
        "[{\"name\":\"a\",\"length\":\"4096\"}]",
        "[{\"name\":\"a\",\"length\":4095}]",
        "[{\"name\":\"a\",\"length\":-4096}]",
        "[{\"name\":\"a\",\"length\":17592186044417}]", /* 16 TiB and a byte */
        "[{\"name\":\"a\",\"length\":4096},{\"name\":\"b\"}]",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autoptr(GError) error = NULL;

        g_test_message("%s", lists[i]);
        g_assert_false(reads(lists[i], &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
}

static void
test_limits(void)
{
    g_autofree char *most = list_of(FSN_STREAM_MAX_BLOCKS);
    g_autofree char *more = list_of(FSN_STREAM_MAX_BLOCKS + 1);
    g_autoptr(GError) error = NULL;

    g_assert_true(reads(most, NULL));
    g_assert_true(reads("[{\"name\":\"a\",\"length\":17592186044416}]", NULL));
    g_assert_false(reads(more, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cycle/ram-blocks-json/text", test_text);
    g_test_add_func("/cycle/ram-blocks-json/round-trip", test_round_trip);
    g_test_add_func("/cycle/ram-blocks-json/refused", test_refused);
    g_test_add_func("/cycle/ram-blocks-json/limits", test_limits);
    return g_test_run();
}
