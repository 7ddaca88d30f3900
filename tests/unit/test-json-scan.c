/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/base/json-scan.c: strict, total, and of one mind with the other parser. */
#include "config.h"

#include "base/json-scan.h"
#include "base/json.h"

#include <string.h>

static bool
skip_all(const char *text, size_t len)
{
    FsnJsonScan scan;

    fsn_json_scan_init(&scan, text, len);
    fsn_json_scan_skip(&scan);
    return fsn_json_scan_end(&scan);
}

static void
test_grammar(void)
{
    const char *good[] = {
        "{}",
        " { \"a\" : [ ] , \"b\":[1,-2.5e+3,0.1,0] }\n",
        "{\"a\":{\"b\":[{},[[]],\"x\\\"\\u00e4\\\\\"]},\"c\":null,\"d\":true,\"e\":false}",
        "{\"a\":1234567890123456789012345.0}",
    };
    const char *bad[] = {
        "",
        "{",
        "}",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "{\"a\":01}",
        "{\"a\":-}",
        "{\"a\":1.}",
        "{\"a\":1e}",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\":tru}",
        "{\"a\":\"\\x\"}",
        "{} {}",
        "{\"a\":\"",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\u12g4\"}",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(JsonObject) object = NULL;
        size_t len = strlen(good[i]);

        g_assert_true(skip_all(good[i], len));
        g_assert_true(fsn_json_parse_object(good[i], len, 4096, "test", &object, NULL));
        /* No prefix of an object is one. */
        for (size_t cut = 0; cut + 1 < len; cut++) {
            if (good[i][cut] != '\n') {
                g_assert_false(skip_all(good[i], cut));
            }
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        if (skip_all(bad[i], strlen(bad[i]))) {
            g_error("'%s' was taken", bad[i]);
        }
    }
}

static void
test_depth(void)
{
    for (size_t depth = FSN_JSON_MAX_DEPTH; depth <= FSN_JSON_MAX_DEPTH + 1; depth++) {
        g_autofree char *open = g_strnfill(depth, '[');
        g_autofree char *close = g_strnfill(depth, ']');
        g_autofree char *text = g_strconcat(open, close, NULL);

        g_assert_true(skip_all(text, strlen(text)) == (depth == FSN_JSON_MAX_DEPTH));
        g_assert_false(skip_all(open, depth));
    }
}

/* Reads "s", "n" and the elements of "list" of @text. */
static bool
read_some(const char *text, char **s, int64_t *n, int64_t *sum)
{
    FsnJsonScan scan;
    const char *name;
    size_t len;

    fsn_json_scan_init(&scan, text, strlen(text));
    (void)fsn_json_scan_object(&scan);
    while (fsn_json_scan_member(&scan, &name, &len)) {
        if (len == 1 && *name == 's') {
            fsn_json_scan_string(&scan, s);
        } else if (len == 1 && *name == 'n') {
            fsn_json_scan_int(&scan, n);
        } else if (len == 4 && memcmp(name, "list", 4) == 0 &&
                   fsn_json_scan_is(&scan, '[')) {
            (void)fsn_json_scan_array(&scan);
            while (fsn_json_scan_element(&scan)) {
                int64_t one = 0;

                fsn_json_scan_int(&scan, &one);
                *sum += one;
            }
        } else {
            fsn_json_scan_skip(&scan);
        }
    }
    return fsn_json_scan_end(&scan);
}

static void
test_values(void)
{
    g_autofree char *s = NULL;
    int64_t n = -1, sum = 0;

    g_assert_true(
        read_some("{\"x\":{\"s\":\"no\",\"n\":7},\"s\":\"a\xc3\xa4\",\"n\": -42 ,"
                  "\"list\":[1,2,\"x\",{},3.5,40]}",
                  &s, &n, &sum));
    g_assert_cmpstr(s, ==, "a\xc3\xa4");
    g_assert_cmpint(n, ==, -42);
    g_assert_cmpint(sum, ==, 43);
    /* Another type: as if it were not there. The later of two counts. */
    g_assert_true(read_some("{\"s\":null,\"n\":\"5\",\"list\":{}}", &s, &n, &sum));
    g_assert_null(s);
    g_assert_cmpint(n, ==, -42);
    g_assert_true(read_some("{\"s\":\"a\",\"s\":\"b\"}", &s, &n, &sum));
    g_assert_cmpstr(s, ==, "b");
}

/* What it leaves to the other parser. */
static void
test_declined(void)
{
    g_autofree char *s = NULL;
    int64_t n = 0, sum = 0;

    g_assert_false(read_some("{\"s\":\"a\\\"\"}", &s, &n, &sum));
    g_assert_false(read_some("{\"n\":1234567890123456789}", &s, &n, &sum));
    g_assert_false(read_some("{\"\\u006e\":1}", &s, &n, &sum));
    g_assert_true(read_some("{\"other\":\"a\\\"\"}", &s, &n, &sum));
    g_assert_cmpint(n, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-scan/grammar", test_grammar);
    g_test_add_func("/json-scan/depth", test_depth);
    g_test_add_func("/json-scan/values", test_values);
    g_test_add_func("/json-scan/declined", test_declined);
    return g_test_run();
}
