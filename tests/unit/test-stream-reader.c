/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/stream/reader*.c against streams that QEMU 7.2 wrote (tests/golden/README.md): events
 * as expected, however the stream is cut; every truncation and every refusal is an error.
 */
#include "config.h"

#include "stream-fixture.h"

#include "stream/wire.h"

/* Offsets in precopy.stream, as annotated in tests/golden/README.md. */
#define AT_RAM_START  23
#define AT_BLOCKS     48
#define AT_FIRST_PART 193
#define AT_FIRST_PAGE 198

/* Every byte is tried, but under valgrind, where that takes too long, only some. */
static size_t
stride(void)
{
    return g_getenv("FSN_VALGRIND") ? 997 : 1;
}

static bool
read_in_chunks(Record *rec, const uint8_t *p, size_t n, size_t chunk, GError **error)
{
    g_autoptr(FsnStreamReader) r = fsn_stream_reader_new(&record_handlers, rec);

    for (size_t at = 0; at < n; at += chunk) {
        /* A copy of its own: reading beyond the chunk is seen by valgrind and sanitizers. */
        g_autofree uint8_t *copy = g_memdup2(p + at, MIN(chunk, n - at));

        if (!fsn_stream_reader_push(r, copy, MIN(chunk, n - at), error)) {
            return false;
        }
    }
    return fsn_stream_reader_end(r, error);
}

static void
assert_golden_counts(const Record *rec, unsigned int parts)
{
    g_assert_cmpstr(rec->machine, ==, "pc-q35-7.2");
    g_assert_cmpuint(rec->configs, ==, 1);
    g_assert_cmpuint(rec->commands, ==, 0);
    g_assert_cmpuint(rec->starts, ==, 1);
    g_assert_cmpuint(rec->data_pages, ==, 6);
    g_assert_cmpuint(rec->zero_pages, ==, 332);
    g_assert_cmpuint(rec->parts, ==, parts);
    g_assert_cmpuint(rec->ends, ==, 1);
}

static void
test_precopy(void)
{
    g_autoptr(GBytes) bytes = golden("precopy.stream");
    g_auto(Record) rec = { 0 };
    g_autoptr(FsnStreamReader) r = fsn_stream_reader_new(&record_handlers, &rec);
    g_autoptr(GError) error = NULL;
    const FsnRamLayout *layout;
    const char *text;
    gsize len;
    uint32_t block;
    gsize n;
    const uint8_t *p = g_bytes_get_data(bytes, &n);

    g_assert_null(fsn_stream_reader_layout(r));
    g_assert_null(fsn_stream_reader_head(r));
    g_assert_true(fsn_stream_reader_push(r, p, n, &error));
    g_assert_null(fsn_stream_reader_description(r));
    g_assert_true(fsn_stream_reader_end(r, &error));
    assert_golden_counts(&rec, 3);

    layout = fsn_stream_reader_layout(r);
    g_assert_cmpuint(layout->section_id, ==, 2);
    g_assert_cmpuint(layout->version, ==, 4);
    g_assert_cmpuint(layout->n_blocks, ==, 6);
    g_assert_true(fsn_ram_layout_find(layout, "pc.ram", &block));
    g_assert_cmpuint(layout->blocks[block].length, ==, 1 << 20);
    g_assert_cmpuint(fsn_ram_layout_length(layout), ==, 338 * 4096);

    g_assert_cmpuint(g_bytes_get_size(fsn_stream_reader_head(r)), ==, AT_RAM_START);
    text = g_bytes_get_data(fsn_stream_reader_description(r), &len);
    g_assert_true(g_str_has_prefix(text, "{\"page_size\": 4096,"));
    g_assert_cmpint(text[len - 1], ==, '}');
    text = g_bytes_get_data(fsn_stream_reader_device_state(r), &len);
    g_assert_cmpint(text[0], ==, FSN_WIRE_SECTION_FULL);
    g_assert_cmpint(text[len - 5], ==, FSN_WIRE_FOOTER);
    g_assert_cmpmem(text + 6, 5, "timer", 5);
}

static void
test_background(void)
{
    g_autoptr(GBytes) bytes = golden("background.stream");
    g_autoptr(GError) error = NULL;
    g_auto(Record) rec = { 0 };
    gsize n;
    const uint8_t *p = g_bytes_get_data(bytes, &n);

    g_assert_true(read_in_chunks(&rec, p, n, n, &error));
    assert_golden_counts(&rec, 2);
}

static uint64_t
whole_digest(const uint8_t *p, size_t n)
{
    g_autoptr(GError) error = NULL;
    g_auto(Record) rec = { 0 };

    g_assert_true(read_in_chunks(&rec, p, n, n, &error));
    return rec.digest;
}

static void
test_chunks(gconstpointer name)
{
    static const size_t sizes[] = { 1,    2,    3,    5,    7,    8,    9,    64,   1000,
                                    4095, 4096, 4097, 4104, 8191, 8192, 8193, 20000 };
    g_autoptr(GBytes) bytes = golden(name);
    gsize n;
    const uint8_t *p = g_bytes_get_data(bytes, &n);
    uint64_t want = whole_digest(p, n);

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(Record) rec = { 0 };

        g_assert_true(read_in_chunks(&rec, p, n, sizes[i], &error));
        g_assert_cmpuint(rec.digest, ==, want);
    }
}

/* Cut in two at every byte up to the middle of the devices, then at some. */
static void
test_splits(gconstpointer name)
{
    g_autoptr(GBytes) bytes = golden(name);
    gsize n;
    const uint8_t *p = g_bytes_get_data(bytes, &n);
    uint64_t want = whole_digest(p, n);

    for (size_t cut = 1; cut < n; cut += cut < 40000 ? stride() : 997) {
        g_autoptr(GError) error = NULL;
        g_auto(Record) rec = { 0 };
        g_autoptr(FsnStreamReader) r = fsn_stream_reader_new(&record_handlers, &rec);

        g_assert_true(fsn_stream_reader_push(r, p, cut, &error));
        g_assert_true(fsn_stream_reader_push(r, p + cut, n - cut, &error));
        g_assert_true(fsn_stream_reader_end(r, &error));
        g_assert_cmpuint(rec.digest, ==, want);
    }
}

static void
test_truncations(gconstpointer name)
{
    g_autoptr(GBytes) bytes = golden(name);
    gsize n;
    const uint8_t *p = g_bytes_get_data(bytes, &n);
    static const FsnStreamHandlers none;

    for (size_t len = 0; len < n; len += stride()) {
        g_autoptr(GError) error = NULL;
        g_autoptr(FsnStreamReader) r = fsn_stream_reader_new(&none, NULL);

        g_assert_true(fsn_stream_reader_push(r, p, len, &error));
        g_assert_false(fsn_stream_reader_end(r, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_null(fsn_stream_reader_device_state(r));
    }
}

/* What the reader hands on of a whole stream: events, layout, head, devices, description. */
static bool
digest_all(const uint8_t *p, size_t n, uint64_t *out_digest)
{
    g_auto(Record) rec = { 0 };
    g_autoptr(FsnStreamReader) r = fsn_stream_reader_new(&record_handlers, &rec);
    GBytes *rest[3];

    if (!fsn_stream_reader_push(r, p, n, NULL) || !fsn_stream_reader_end(r, NULL)) {
        return false;
    }
    record_mix(&rec, 'l', fsn_stream_reader_layout(r)->section_id,
               fsn_stream_reader_layout(r)->instance);
    rest[0] = fsn_stream_reader_head(r);
    rest[1] = fsn_stream_reader_device_state(r);
    rest[2] = fsn_stream_reader_description(r);
    for (size_t i = 0; i < G_N_ELEMENTS(rest); i++) {
        gsize len;
        const uint8_t *data = g_bytes_get_data(rest[i], &len);

        record_mix(&rec, 'r', len, fsn_hash64(data, len));
    }
    *out_digest = rec.digest;
    return true;
}

/* A bit flipped in any byte: refused, or it arrives as what it now is, never unnoticed. */
static void
test_garbled(void)
{
    g_autoptr(GBytes) bytes = golden("precopy.stream");
    gsize n;
    const uint8_t *p = g_bytes_get_data(bytes, &n);
    g_autofree uint8_t *garbled = g_memdup2(p, n);
    uint64_t want = 0;
    size_t refused = 0;

    g_assert_true(digest_all(p, n, &want));
    for (size_t at = 0; at < n; at += stride()) {
        uint64_t got;

        garbled[at] ^= (uint8_t)(1 << at % 8);
        if (!digest_all(garbled, n, &got)) {
            refused++;
        } else if (got == want) {
            g_test_message("a flipped bit at byte %zu goes unnoticed", at);
            g_test_fail();
        }
        garbled[at] = p[at];
    }
    g_assert_cmpuint(refused, >, 0);
    g_test_message("%zu refused", refused);
}

static void
test_trailing_bytes(void)
{
    g_autoptr(GBytes) bytes = golden("precopy.stream");
    g_autoptr(GError) error = NULL;
    g_auto(Record) rec = { 0 };
    gsize n;
    const uint8_t *p = g_bytes_get_data(bytes, &n);
    g_autofree uint8_t *longer = g_malloc(n + 1);

    memcpy(longer, p, n);
    longer[n] = '}';
    g_assert_false(read_in_chunks(&rec, longer, n + 1, n + 1, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

/* Replaces @drop bytes at @at of the golden stream by @with: the reader must refuse it with
 * a message that has @say. */
static void
assert_refused(size_t at,
               size_t drop,
               const char *with,
               size_t with_len,
               FsnError code,
               const char *say)
{
    g_autoptr(GBytes) bytes = golden("precopy.stream");
    g_autoptr(GByteArray) edited = g_byte_array_new();
    gsize n;
    const uint8_t *p = g_bytes_get_data(bytes, &n);

    g_byte_array_append(edited, p, (guint)at);
    g_byte_array_append(edited, (const uint8_t *)with, (guint)with_len);
    g_byte_array_append(edited, p + at + drop, (guint)(n - at - drop));
    for (size_t chunk = 1; chunk <= edited->len; chunk += edited->len - 1) {
        g_autoptr(GError) error = NULL;
        g_auto(Record) rec = { 0 };

        g_assert_false(read_in_chunks(&rec, edited->data, edited->len, chunk, &error));
        g_assert_error(error, FSN_ERROR, (gint)code);
        if (!strstr(error->message, say)) {
            g_error("'%s' does not say '%s'", error->message, say);
        }
    }
}

#define REFUSED(at, drop, with, code, say) \
    assert_refused(at, drop, with, sizeof(with) - 1, FSN_ERROR_##code, say)

static void
test_refused_before_ram(void)
{
    REFUSED(0, 1, "X", FORMAT, "magic");
    REFUSED(7, 1, "\x02", UNSUPPORTED, "version 2 of the stream");
    REFUSED(8, 15, "", UNSUPPORTED, "older than 2.4");
    REFUSED(9, 4, "\xff\xff\xff\xff", FORMAT, "machine name");
    REFUSED(13, 1, "\x01", FORMAT, "not text");
    REFUSED(23, 0,
            "\x05\x13"
            "configuration/other"
            "\0\0\0\1",
            UNSUPPORTED, "'configuration/other'");
    REFUSED(23, 0,
            "\x05\x1a"
            "configuration/capabilities"
            "\0\0\0\1"
            "\0\0\0\1"
            "\x0f"
            "x-ignore-shared",
            UNSUPPORTED, "'x-ignore-shared'");
    REFUSED(23, 0,
            "\x05\x1e"
            "configuration/target-page-bits"
            "\0\0\0\1"
            "\0\0\0\x0e",
            UNSUPPORTED, "2^14");
    REFUSED(23, 0, "\x08\0\x07\0\x04", UNSUPPORTED, "PACKAGED");
    REFUSED(23, 0, "\x08\0\x02\0\x05", UNSUPPORTED, "PING");
    REFUSED(23, 0, "\x08\0\x63\0\0", UNSUPPORTED, "command 99");
    REFUSED(23, 0, "\x09", FORMAT, "unknown type 0x09");
    REFUSED(23, 0,
            "\x01\0\0\0\1\x05"
            "block"
            "\0\0\0\0"
            "\0\0\0\1",
            UNSUPPORTED, "'block'");
    REFUSED(23, 0,
            "\x04\0\0\0\1\x0a"
            "virtio-mem"
            "\0\0\0\0"
            "\0\0\0\1",
            UNSUPPORTED, "'virtio-mem'");
    REFUSED(23, 0, "\x02\0\0\0\2", FORMAT, "not RAM under way");
}

static void
test_refused_in_ram(void)
{
    REFUSED(39, 1, "\x05", UNSUPPORTED, "version 5 of the RAM section");
    REFUSED(40, 8, "\0\0\x20\0\0\0\0\x04", FORMAT, "16 TiB");
    REFUSED(45, 1, "\x14", FORMAT, "exceeds the sum");
    REFUSED(AT_BLOCKS + 27, 2, "\x02\x01", FORMAT, "whole pages");
    REFUSED(AT_BLOCKS + 1, 1, "\0", FORMAT, "NUL");
    REFUSED(188, 5, "\x7e\0\0\0\3", FORMAT, "footer");
    REFUSED(AT_FIRST_PART + 4, 1, "\3", FORMAT, "not RAM under way");
    REFUSED(AT_FIRST_PAGE, 8, "\0\0\0\0\0\0\0\x28", FORMAT, "names no block");
    REFUSED(AT_FIRST_PAGE, 8, "\0\0\0\0\0\x10\0\x08", FORMAT, "beyond RAM block");
    REFUSED(AT_FIRST_PAGE + 9, 1, "X", FORMAT,
            "unknown RAM block 'Xrom@etc/acpi/tables'");
    REFUSED(AT_FIRST_PAGE, 8, "\0\0\0\0\0\0\0\x40", UNSUPPORTED, "xbzrle");
    REFUSED(AT_FIRST_PAGE, 8, "\0\0\0\0\0\0\0\x80", UNSUPPORTED, "rdma");
    REFUSED(AT_FIRST_PAGE, 8, "\0\0\0\0\0\0\x01\0", UNSUPPORTED, "compress");
    REFUSED(AT_FIRST_PAGE, 8, "\0\0\0\0\0\0\x02\0", UNSUPPORTED, "multifd");
    REFUSED(AT_FIRST_PAGE, 8, "\0\0\0\0\0\0\0\x18", FORMAT, "flags 0x018");
    REFUSED(AT_FIRST_PAGE, 8, "\0\0\0\0\0\0\x10\x04", FORMAT, "listed twice");
    REFUSED(AT_FIRST_PAGE, 8, "\0\0\0\0\0\0\x10\x10", FORMAT, "has an offset");
}

static void
test_accepted_extras(void)
{
    static const char extras[] = "\x05\x12"
                                 "configuration/uuid"
                                 "\0\0\0\1"
                                 "0123456789abcdef"
                                 "\x05\x1a"
                                 "configuration/capabilities"
                                 "\0\0\0\1"
                                 "\0\0\0\0"
                                 "\x08\0\1\0\0"
                                 "\x08\0\2\0\4\0\0\0\1"
                                 "\x08\0\x0b\0\0";
    g_autoptr(GBytes) bytes = golden("precopy.stream");
    g_autoptr(GByteArray) edited = g_byte_array_new();
    gsize n;
    const uint8_t *p = g_bytes_get_data(bytes, &n);

    g_byte_array_append(edited, p, AT_RAM_START);
    g_byte_array_append(edited, (const uint8_t *)extras, sizeof(extras) - 1);
    g_byte_array_append(edited, p + AT_RAM_START, (guint)n - AT_RAM_START);
    for (size_t chunk = 1; chunk < 4; chunk++) {
        g_autoptr(GError) error = NULL;
        g_auto(Record) rec = { 0 };

        g_assert_true(read_in_chunks(&rec, edited->data, edited->len, chunk, &error));
        g_assert_cmpuint(rec.commands, ==, 3);
        g_assert_cmpuint(rec.data_pages, ==, 6);
    }
}

static void
test_handler_error_sticks(void)
{
    g_autoptr(GBytes) bytes = golden("precopy.stream");
    g_auto(Record) rec = { .fail_at_page = 7 };
    g_autoptr(FsnStreamReader) r = fsn_stream_reader_new(&record_handlers, &rec);
    g_autoptr(GError) error = NULL;
    gsize n;
    const uint8_t *p = g_bytes_get_data(bytes, &n);

    g_assert_false(fsn_stream_reader_push(r, p, n, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NO_SPACE);
    g_assert_cmpuint(rec.data_pages + rec.zero_pages, ==, 7);
    g_clear_error(&error);
    g_assert_false(fsn_stream_reader_push(r, p, n, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    g_assert_false(fsn_stream_reader_end(r, &error));
    g_assert_nonnull(error);
    g_assert_cmpuint(rec.data_pages + rec.zero_pages, ==, 7);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream/reader/precopy", test_precopy);
    g_test_add_func("/stream/reader/background", test_background);
    g_test_add_data_func("/stream/reader/chunks", "precopy.stream", test_chunks);
    g_test_add_data_func("/stream/reader/background-chunks", "background.stream",
                         test_chunks);
    g_test_add_data_func("/stream/reader/splits", "precopy.stream", test_splits);
    g_test_add_data_func("/stream/reader/background-splits", "background.stream",
                         test_splits);
    g_test_add_data_func("/stream/reader/truncations", "precopy.stream",
                         test_truncations);
    g_test_add_data_func("/stream/reader/background-truncations", "background.stream",
                         test_truncations);
    g_test_add_func("/stream/reader/garbled", test_garbled);
    g_test_add_func("/stream/reader/trailing-bytes", test_trailing_bytes);
    g_test_add_func("/stream/reader/refused-before-ram", test_refused_before_ram);
    g_test_add_func("/stream/reader/refused-in-ram", test_refused_in_ram);
    g_test_add_func("/stream/reader/accepted-extras", test_accepted_extras);
    g_test_add_func("/stream/reader/handler-error", test_handler_error_sticks);
    return g_test_run();
}
