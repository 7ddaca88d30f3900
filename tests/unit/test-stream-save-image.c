/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/stream/save-image.c: header annotated by field, round trip, truncations, refusals. */
#include "config.h"

#include "stream-fixture.h"

#include "stream/save-image.h"

static const char header[] = "LibvirtQemudSave"
                             "\2\0\0\0"   /* version */
                             "\x14\0\0\0" /* 20 bytes of data */
                             "\1\0\0\0"   /* was running */
                             "\0\0\0\0"   /* raw */
                             "\x0a\0\0\0" /* cookie at byte 10 */
                             "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                             "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                             "<domain/>\0" /* XML */
                             "<qemu/>\0"   /* cookie */
                             "\0\0";       /* padding */
#define HEADER_LEN (92 + 20)

static void
test_annotated(void)
{
    g_autoptr(FsnSaveImage) image = NULL;
    g_autoptr(GError) error = NULL;
    size_t need;

    g_assert_cmpuint(sizeof(header) - 1, ==, HEADER_LEN);
    g_assert_true(fsn_save_image_measure((const uint8_t *)header, 92, &need, &error));
    g_assert_cmpuint(need, ==, HEADER_LEN);
    g_assert_true(
        fsn_save_image_parse((const uint8_t *)header, HEADER_LEN, &image, &error));
    g_assert_cmpstr(image->xml, ==, "<domain/>");
    g_assert_cmpstr(image->cookie, ==, "<qemu/>");
    g_assert_true(image->was_running);
    g_assert_cmpuint(image->stream_offset, ==, HEADER_LEN);
}

static void
test_truncations(void)
{
    for (size_t n = 0; n < HEADER_LEN; n++) {
        g_autofree uint8_t *copy = g_memdup2(header, n);
        g_autoptr(FsnSaveImage) image = NULL;
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_save_image_parse(copy, n, &image, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_null(image);
    }
}

static void
assert_refused(size_t at, const char *bytes, size_t n, FsnError code, const char *say)
{
    g_autofree uint8_t *copy = g_memdup2(header, HEADER_LEN);
    g_autoptr(FsnSaveImage) image = NULL;
    g_autoptr(GError) error = NULL;

    memcpy(copy + at, bytes, n);
    g_assert_false(fsn_save_image_parse(copy, HEADER_LEN, &image, &error));
    g_assert_error(error, FSN_ERROR, (gint)code);
    if (!strstr(error->message, say)) {
        g_error("'%s' does not say '%s'", error->message, say);
    }
}

#define REFUSED(at, bytes, code, say) \
    assert_refused(at, bytes, sizeof(bytes) - 1, FSN_ERROR_##code, say)

static void
test_refused(void)
{
    REFUSED(0, "l", FORMAT, "magic");
    REFUSED(12, "Part", UNSUPPORTED, "incomplete");
    REFUSED(16, "\0\0\0\2", UNSUPPORTED, "big-endian");
    REFUSED(16, "\3", UNSUPPORTED, "version 3");
    REFUSED(28, "\1", UNSUPPORTED, "'gzip'");
    REFUSED(28, "\2", UNSUPPORTED, "'bzip2'");
    REFUSED(28, "\3", UNSUPPORTED, "'xz'");
    REFUSED(28, "\4", UNSUPPORTED, "'lzop'");
    REFUSED(28, "\5", UNSUPPORTED, "'zstd'");
    REFUSED(28, "\6", UNSUPPORTED, "'sparse'");
    REFUSED(28, "\7", UNSUPPORTED, "format 7");
    REFUSED(20, "\0", FORMAT, "0 bytes of XML");
    REFUSED(20, "\x15", FORMAT, "cut after 112 of 113");
    REFUSED(20, "\0\0\0\2", FORMAT, "bytes of XML");
    REFUSED(32, "\x14", FORMAT, "cookie");
    REFUSED(32, "\1", FORMAT, "cookie");
    REFUSED(32, "\x12", FORMAT, "cookie is empty");
    REFUSED(92, "\0", FORMAT, "domain XML is empty");
    REFUSED(92, "\xff", FORMAT, "not UTF-8");
    REFUSED(101, "x", FORMAT, "no end");
}

static void
test_round_trip(void)
{
    static const char *const cookies[] = { NULL, "<cookie/>" };

    for (size_t i = 0; i < 4; i++) {
        g_autoptr(FsnSaveImage) image = NULL;
        g_autoptr(GBytes) bytes = NULL;
        g_autoptr(GError) error = NULL;
        gsize n;
        const uint8_t *p;

        g_assert_true(fsn_save_image_build("<domain>x</domain>", cookies[i % 2], i / 2,
                                           &bytes, &error));
        p = g_bytes_get_data(bytes, &n);
        g_assert_true(fsn_save_image_parse(p, n, &image, &error));
        g_assert_cmpuint(image->stream_offset, ==, n);
        g_assert_cmpuint(n, >, 65536);
        g_assert_cmpstr(image->xml, ==, "<domain>x</domain>");
        g_assert_cmpstr(image->cookie, ==, cookies[i % 2]);
        g_assert_cmpint(image->was_running, ==, i / 2);
    }
}

/* What libvirt wrote is understood, and built again from its parts, byte for byte. */
static void
test_native(void)
{
    g_autoptr(GBytes) native = golden("libvirt-9.0.save");
    g_autoptr(FsnSaveImage) image = NULL;
    g_autoptr(GBytes) built = NULL;
    g_autoptr(GError) error = NULL;
    gsize n;
    const uint8_t *p = g_bytes_get_data(native, &n);

    g_assert_true(fsn_save_image_parse(p, n, &image, &error));
    g_assert_true(g_str_has_prefix(image->xml, "<domain type='qemu'>"));
    g_assert_true(g_str_has_prefix(image->cookie, "<cookie>"));
    g_assert_false(image->was_running);
    g_assert_cmpuint(image->stream_offset, ==, n);
    g_assert_true(fsn_save_image_build(image->xml, image->cookie, false, &built, &error));
    g_assert_true(g_bytes_equal(native, built));
}

static void
test_stub(void)
{
    g_autoptr(FsnSaveImage) image = NULL;
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;
    gsize n;
    const uint8_t *p;

    g_assert_true(fsn_save_image_build_stub("<domain/>", &bytes, &error));
    p = g_bytes_get_data(bytes, &n);
    g_assert_cmpuint(n, ==, 92 + 10);
    g_assert_cmpuint(fsn_get_le32(p + 20), ==, 10);
    g_assert_true(fsn_save_image_parse(p, n, &image, &error));
    g_assert_cmpstr(image->xml, ==, "<domain/>");
    g_assert_cmpuint(image->stream_offset, ==, n);
    g_clear_pointer(&bytes, g_bytes_unref);
    g_assert_false(fsn_save_image_build_stub("", &bytes, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream/save-image/annotated", test_annotated);
    g_test_add_func("/stream/save-image/truncations", test_truncations);
    g_test_add_func("/stream/save-image/refused", test_refused);
    g_test_add_func("/stream/save-image/round-trip", test_round_trip);
    g_test_add_func("/stream/save-image/native", test_native);
    g_test_add_func("/stream/save-image/stub", test_stub);
    return g_test_run();
}
