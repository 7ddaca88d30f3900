/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/base/json.c: bounds come before the parser, members are typed. */
#include "config.h"

#include "base/error.h"
#include "base/json.h"

#include <string.h>

static bool
parse(const char *text, JsonObject **out, GError **error)
{
    return fsn_json_parse_object(text, strlen(text), 4096, "test", out, error);
}

static void
test_refused(void)
{
    const char *bad[] = { "", "[]", "1", "{", "{\"a\":}", "\xff" };
    g_autofree char *deep = g_strnfill(100, '[');

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        JsonObject *object = NULL;

        g_assert_false(parse(bad[i], &object, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_null(object);
    }
    g_assert_false(parse(deep, NULL, NULL));
}

static void
test_members(void)
{
    g_autoptr(JsonObject) object = NULL;
    g_autoptr(GError) error = NULL;
    const char *text;
    int64_t number;

    g_assert_true(parse("{\"s\":\"x\",\"n\":5,\"o\":{}}", &object, NULL));
    g_assert_true(fsn_json_get_string(object, "s", &text, NULL));
    g_assert_cmpstr(text, ==, "x");
    g_assert_true(fsn_json_get_int(object, "n", 0, 5, &number, NULL));
    g_assert_cmpint(number, ==, 5);
    g_assert_false(fsn_json_get_int(object, "n", 0, 4, &number, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    g_assert_false(fsn_json_get_string(object, "n", &text, NULL));
    g_assert_false(fsn_json_get_int(object, "o", 0, 1, &number, NULL));
    g_assert_cmpint(fsn_json_peek_int(object, "none", 7), ==, 7);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/refused", test_refused);
    g_test_add_func("/json/members", test_members);
    return g_test_run();
}
