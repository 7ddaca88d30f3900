/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook/message.c: domain XML and arguments in, UUID and datagram out. */
#include "config.h"

#include "base/json.h"
#include "hook/message.h"

#include <string.h>

#define UUID "12345678-1234-1234-1234-123456789abc"

static void
test_uuid(void)
{
    static const struct {
        const char *xml;
        bool found;
    } cases[] = {
        { "<domain>\n  <name>v</name>\n  <uuid>" UUID "</uuid>\n", true },
        { "<uuid>" UUID "</uuid>", true },
        { "<uuid>" UUID, false }, /* cut */
        { "<uuid>../../../../../../../../../../../x/</uuid>", false },
        { "<uuid>12345678-1234-1234-1234-123456789ABC</uuid>", false },
        { "<uuid>12345678-1234-1234-1234-123456789ab</uuid>xxxxx", false },
        { "", false },
        { "<uuid>", false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char uuid[FSN_HOOK_UUID_SIZE] = "";
        /* of its own, so that a sanitizer sees what reads beyond it */
        g_autofree char *copy = g_memdup2(cases[i].xml, strlen(cases[i].xml));

        g_assert_true(fsn_hook_find_uuid(copy, strlen(cases[i].xml), uuid) ==
                      cases[i].found);
        g_assert_cmpstr(uuid, ==, cases[i].found ? UUID : "");
    }
}

static void
test_message(void)
{
    const char *const argv[] = { "a \"quoted\\\" \tname", "prepare", "begin", "-",
                                 "more" };
    char text[FSN_HOOK_MAX];
    size_t len = fsn_hook_message(text, sizeof text, argv, 5, UUID, 42);
    g_autoptr(JsonObject) object = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_json_parse_object(text, len, sizeof text, "it", &object, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(fsn_json_peek_string(object, "name", NULL), ==, argv[0]);
    g_assert_cmpstr(fsn_json_peek_string(object, "op", NULL), ==, "prepare");
    g_assert_cmpstr(fsn_json_peek_string(object, "extra", NULL), ==, "-");
    g_assert_cmpstr(fsn_json_peek_string(object, "uuid", NULL), ==, UUID);
    g_assert_cmpint(fsn_json_peek_int(object, "time_us", 0), ==, 42);
}

/* Whatever the arguments and the room, it is one JSON object and stays within. */
static void
test_long(void)
{
    g_autofree char *bells = g_strnfill(10000, '\a');
    g_autofree char *quotes = g_strnfill(10000, '"');
    const char *const argv[] = { bells, quotes, "begin", "-" };

    for (size_t size = 128; size <= 8192; size += 7) {
        g_autofree char *text = g_malloc(size);
        size_t len = fsn_hook_message(text, size, argv, 4, UUID, INT64_MIN);
        g_autoptr(JsonObject) object = NULL;

        g_assert_cmpuint(len, <, size);
        g_assert_true(fsn_json_parse_object(text, len, size, "it", &object, NULL));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hook-message/uuid", test_uuid);
    g_test_add_func("/hook-message/message", test_message);
    g_test_add_func("/hook-message/long", test_long);
    return g_test_run();
}
