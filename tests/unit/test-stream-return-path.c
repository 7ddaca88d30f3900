/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/stream/return-path.c: messages annotated by field, at every chunking; everything that
 * the layout does not know is an error before a handler sees it.
 */
#include "config.h"

#include "base/bytes.h"
#include "base/error.h"
#include "stream/return-path.h"

static FsnRamBlock two_blocks[] = { { (char *)"a", 2 * 4096 },
                                    { (char *)"rom", 70 * 4096 } };
static const FsnRamLayout two = {
    .section_id = 3, .version = 4, .blocks = two_blocks, .n_blocks = 2
};

static bool
on_request(gpointer user, uint32_t block, uint64_t start, uint32_t len, GError **error)
{
    g_string_append_printf(user, "request %u %" G_GUINT64_FORMAT " %u;", block, start,
                           len);
    return true;
}

static bool
on_pong(gpointer user, uint32_t value, GError **error)
{
    g_string_append_printf(user, "pong %u;", value);
    return true;
}

static bool
on_shut(gpointer user, uint32_t err, GError **error)
{
    g_string_append_printf(user, "shut %u;", err);
    return true;
}

static bool
on_bitmap(
    gpointer user, uint32_t block, const uint8_t *bits, uint64_t n_bits, GError **error)
{
    g_string_append_printf(user, "bitmap %u %" G_GUINT64_FORMAT " %02x..%02x;", block,
                           n_bits, bits[0], bits[(n_bits - 1) / 8]);
    return true;
}

static bool
on_resume_ack(gpointer user, GError **error)
{
    g_string_append(user, "resumed;");
    return true;
}

static const FsnReturnPathHandlers handlers = {
    .request = on_request,
    .pong = on_pong,
    .shut = on_shut,
    .recv_bitmap = on_bitmap,
    .resume_ack = on_resume_ack,
};

static const char messages[] =
    "\0\2\0\4\0\0\0\1"                            /* PONG 1 */
    "\0\3\0\x10\0\0\0\0\0\4\x50\0\0\0\x10\0\3rom" /* REQ_PAGES_ID: page 69 of rom */
    "\0\4\0\x0c\0\0\0\0\0\0\0\0\0\0\x20\0"        /* REQ_PAGES: 2 pages of rom */
    "\0\3\0\x0e\0\0\0\0\0\0\x10\0\0\0\x10\0\1"
    "a"                                    /* REQ_PAGES_ID: page 1 of a */
    "\0\5\0\4\3rom"                        /* RECV_BITMAP of rom: */
    "\0\0\0\0\0\0\0\x10"                   /* 16 bytes */
    "\x0f\0\0\0\0\0\0\0\x20\0\0\0\0\0\0\0" /* bits, padded to 8 bytes */
    "\x01\x23\x45\x67\x89\xab\xcd\xef"     /* end mark */
    "\0\6\0\4\0\0\0\1"                     /* RESUME_ACK */
    "\0\1\0\4\0\0\0\0";                    /* SHUT 0 */

static const char events[] = "pong 1;request 1 282624 4096;request 1 0 8192;"
                             "request 0 4096 4096;bitmap 1 70 0f..20;resumed;shut 0;";

static bool
feed(const char *p, size_t n, size_t chunk, GString *log, bool *out_whole, GError **error)
{
    g_autoptr(FsnReturnPath) rp = fsn_return_path_new(&two, &handlers, log);

    for (size_t at = 0; at < n; at += chunk) {
        size_t len = MIN(chunk, n - at);
        g_autofree uint8_t *copy = g_memdup2(p + at, len);

        if (!fsn_return_path_push(rp, copy, len, error)) {
            g_assert_false(fsn_return_path_push(rp, copy, len, NULL));
            return false;
        }
    }
    *out_whole = fsn_return_path_at_boundary(rp);
    return true;
}

static void
test_chunks(void)
{
    for (size_t chunk = 1; chunk < sizeof(messages); chunk++) {
        g_autoptr(GString) log = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        bool whole;

        g_assert_true(feed(messages, sizeof(messages) - 1, chunk, log, &whole, &error));
        g_assert_true(whole);
        g_assert_cmpstr(log->str, ==, events);
    }
}

/* A successor takes whole messages only, and is told the block that a request without a name
 * means; what cannot be meant is dropped until a name comes. */
static void
test_take_over(void)
{
    static const uint8_t requests[] =
        "\0\4\0\x0c\0\0\0\0\0\4\x50\0\0\0\x10\0"    /* page 69 of rom */
        "\0\4\0\x0c\0\0\0\0\0\0\x10\0\0\0\x10\0"    /* page 1 */
        "\0\3\0\x0e\0\0\0\0\0\0\x10\0\0\0\x10\0\1a" /* page 1 of a */
        "\0\4\0\x0c\0\0\0\0\0\4\x50\0\0\0\x10\0";   /* not inside a */
    static const uint8_t garbage[] = "\0\7\0\4\0\0\0\1";
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(FsnReturnPath) rp = fsn_return_path_new(&two, &handlers, log);
    g_autoptr(GError) error = NULL;
    const size_t ends[] = { 0, 16, 32, 50, 66 };

    for (size_t n = 0, i = 0; n < sizeof(requests); n++) {
        i += i < 4 && n == ends[i + 1];
        g_assert_cmpuint(fsn_return_path_whole(requests, n), ==, ends[i]);
    }
    g_assert_cmpuint(fsn_return_path_whole(garbage, 8), ==, 8);
    g_assert_cmpint(fsn_return_path_block(rp), ==, -1);
    fsn_return_path_take_over(rp, 0);
    g_assert_true(fsn_return_path_push(rp, requests, 50, &error));
    g_assert_cmpstr(log->str, ==, "request 0 4096 4096;request 0 4096 4096;");
    g_assert_cmpint(fsn_return_path_block(rp), ==, 0);
    g_assert_false(fsn_return_path_push(rp, requests + 50, 16, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

/* A cut is no error (more may come) but is known as one, and gives no event of its own. */
static void
test_truncations(void)
{
    unsigned int boundaries = 0;

    for (size_t n = 0; n < sizeof(messages) - 1; n++) {
        g_autoptr(GString) log = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        bool whole;

        g_assert_true(feed(messages, n, MAX(n, 1), log, &whole, &error));
        g_assert_true(g_str_has_prefix(events, log->str));
        boundaries += whole;
    }
    g_assert_cmpuint(boundaries, ==, 7); /* before each of the seven messages */
}

static void
assert_refused(const char *p, size_t n, const char *say)
{
    for (size_t chunk = 1; chunk <= n; chunk += n - 1) {
        g_autoptr(GString) log = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        bool whole;

        g_assert_false(feed(p, n, chunk, log, &whole, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_nonnull(strstr(error->message, say));
        g_assert_cmpstr(log->str, ==, "");
    }
}

#define REFUSED(bytes, say) assert_refused(bytes, sizeof(bytes) - 1, say)

static void
test_refused(void)
{
    REFUSED("\0\0\0\0", "type 0");
    REFUSED("\0\7\0\0", "type 7");
    REFUSED("\0\x63\xff\xff", "type 99");
    REFUSED("\0\1\0\5", "type 1 with 5 bytes");
    REFUSED("\0\2\0\3", "type 2 with 3 bytes");
    REFUSED("\0\4\0\x0d", "type 4");
    REFUSED("\0\3\0\x0c", "type 3");
    REFUSED("\0\3\1\x0d", "type 3");
    REFUSED("\0\4\0\x0c\0\0\0\0\0\0\0\0\0\0\x10\0", "names no block");
    REFUSED("\0\3\0\x0e\0\0\0\0\0\0\0\0\0\0\x10\0\1"
            "b",
            "unknown RAM block");
    REFUSED("\0\3\0\x0e\0\0\0\0\0\0\0\0\0\0\x10\0\2"
            "a",
            "does not fill");
    REFUSED("\0\3\0\x0e\0\0\0\0\0\0\0\0\0\0\0\0\1"
            "a",
            "0 bytes");
    REFUSED("\0\3\0\x0e\0\0\0\0\0\0\0\1\0\0\x10\0\1"
            "a",
            "not inside");
    REFUSED("\0\3\0\x0e\0\0\0\0\0\0\0\0\0\0\x08\0\1"
            "a",
            "not inside");
    REFUSED("\0\3\0\x0e\0\0\0\0\0\0\x20\0\0\0\x10\0\1"
            "a",
            "not inside");
    REFUSED("\0\3\0\x0e\0\0\0\0\0\0\x10\0\0\0\x20\0\1"
            "a",
            "not inside");
    REFUSED("\0\3\0\x0e\xff\xff\xff\xff\xff\xff\xf0\0\0\0\x10\0\1"
            "a",
            "not inside");
    REFUSED("\0\5\0\3\3ro", "does not fill");
    REFUSED("\0\5\0\2\1"
            "a\0\0\0\0\0\0\0\x10",
            "another size");
    REFUSED("\0\5\0\2\1"
            "a\0\0\0\0\0\0\0\x08\3\0\0\0\0\0\0\0\x01\x23\x45\x67\x89\xab\xcd\xee",
            "no end mark");
    REFUSED("\0\6\0\4\0\0\0\2", "answered by 2");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream/return-path/chunks", test_chunks);
    g_test_add_func("/stream/return-path/take-over", test_take_over);
    g_test_add_func("/stream/return-path/truncations", test_truncations);
    g_test_add_func("/stream/return-path/refused", test_refused);
    return g_test_run();
}
