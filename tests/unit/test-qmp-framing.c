/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qmp/framing.c: the same messages wherever the stream is cut, and nothing without bounds. */
#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "qmp/framing.h"

#include <string.h>

/* What QEMU says, and what it might: blank lines, brackets and quotes in strings, an object
 * over several lines, two on one. */
static const char stream[] =
    "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n"
    "\r\n"
    "{\"return\": [{\"a\": \"}]{[\"}, \"\\\\\", \"\\\"}\"]}\r\n"
    "{\n  \"event\": \"STOP\"\r\n}\r\n{\"return\":{},\"id\":2}{}\n";

static const char *const messages[] = {
    "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}",
    "{\"return\": [{\"a\": \"}]{[\"}, \"\\\\\", \"\\\"}\"]}",
    "{\n  \"event\": \"STOP\"\r\n}",
    "{\"return\":{},\"id\":2}",
    "{}",
};

/* Pushes all of @data and adds the messages to @found. */
static bool
push_all(FsnQmpFraming *framing,
         const char *data,
         size_t len,
         GPtrArray *found,
         GError **error)
{
    size_t done = 0;

    while (done < len) {
        char *message;
        size_t used;

        if (!fsn_qmp_framing_push(framing, data + done, len - done, &used, &message,
                                  error)) {
            return false;
        }
        g_assert_cmpuint(used, >, 0);
        g_assert_cmpuint(used, <=, len - done);
        done += used;
        if (message) {
            g_ptr_array_add(found, message);
        } else {
            g_assert_cmpuint(done, ==, len);
        }
    }
    return true;
}

static void
assert_messages(GPtrArray *found)
{
    g_assert_cmpuint(found->len, ==, G_N_ELEMENTS(messages));
    for (guint i = 0; i < found->len; i++) {
        g_assert_cmpstr(found->pdata[i], ==, messages[i]);
    }
}

static void
test_every_split(void)
{
    size_t len = strlen(stream);

    for (size_t first = 0; first <= len; first++) {
        for (size_t second = first; second <= len; second++) {
            g_autoptr(FsnQmpFraming) framing = fsn_qmp_framing_new(4096);
            g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);

            g_assert_true(push_all(framing, stream, first, found, NULL));
            g_assert_true(push_all(framing, stream + first, second - first, found, NULL));
            g_assert_true(push_all(framing, stream + second, len - second, found, NULL));
            assert_messages(found);
        }
    }
}

static void
test_byte_by_byte(void)
{
    g_autoptr(FsnQmpFraming) framing = fsn_qmp_framing_new(4096);
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);

    for (size_t i = 0; i < strlen(stream); i++) {
        g_assert_true(push_all(framing, stream + i, 1, found, NULL));
    }
    assert_messages(found);
}

static bool
accepts(const char *data, size_t len, size_t max, guint *out_n, GError **error)
{
    g_autoptr(FsnQmpFraming) framing = fsn_qmp_framing_new(max);
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    bool ok = push_all(framing, data, len, found, error);

    *out_n = found->len;
    return ok;
}

static void
test_garbage(void)
{
    static const struct {
        const char *data;
        size_t len;
    } bad[] = {
        { "x", 1 },
        { "[]", 2 },
        { "\"a\"", 3 },
        { "}", 1 },
        { "{]", 2 },
        { "{\"a\":[}", 7 },
        { "{\"a\":[{]", 8 },
        { "{\0}", 3 },
        { "{\"\n\"}", 5 },
        { "\0", 1 },
        { "HTTP/1.1 200 OK\r\n", 17 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        guint n;

        g_assert_false(accepts(bad[i].data, bad[i].len, 4096, &n, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_cmpuint(n, ==, 0);
    }
}

/* The place in the stream is lost: a good message after an error is not taken. */
static void
test_stays_broken(void)
{
    g_autoptr(FsnQmpFraming) framing = fsn_qmp_framing_new(4096);
    char *message = NULL;
    size_t used;

    g_assert_false(fsn_qmp_framing_push(framing, "x", 1, &used, &message, NULL));
    g_assert_false(fsn_qmp_framing_push(framing, "{}", 2, &used, &message, NULL));
    g_assert_null(message);
}

static void
test_oversize(void)
{
    g_autofree char *text = g_strdup_printf("{\"a\":\"%0100d\"}", 0);
    size_t len = strlen(text);
    guint n;

    g_assert_true(accepts(text, len, len, &n, NULL));
    g_assert_cmpuint(n, ==, 1);
    g_assert_false(accepts(text, len, len - 1, &n, NULL));
    /* White space between messages is not part of one. */
    g_assert_true(accepts("          {}", 12, 2, &n, NULL));
    g_assert_cmpuint(n, ==, 1);
}

static void
test_nesting(void)
{
    for (int depth = FSN_JSON_MAX_DEPTH - 1; depth <= FSN_JSON_MAX_DEPTH + 1; depth++) {
        g_autofree char *opening = g_strnfill((gsize)depth - 1, '[');
        g_autofree char *closing = g_strnfill((gsize)depth - 1, ']');
        g_autofree char *text = g_strdup_printf("{\"a\":%s%s}", opening, closing);
        guint n;

        g_assert_cmpint(accepts(text, strlen(text), 4096, &n, NULL), ==,
                        depth <= FSN_JSON_MAX_DEPTH);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/framing/every-split", test_every_split);
    g_test_add_func("/qmp/framing/byte-by-byte", test_byte_by_byte);
    g_test_add_func("/qmp/framing/garbage", test_garbage);
    g_test_add_func("/qmp/framing/stays-broken", test_stays_broken);
    g_test_add_func("/qmp/framing/oversize", test_oversize);
    g_test_add_func("/qmp/framing/nesting", test_nesting);
    return g_test_run();
}
