/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/stream/writer.c: a stream of QEMU that is read and written again is the same, byte for
 * byte; the postcopy pieces are compared with bytes annotated by field.
 */
#include "config.h"

#include "stream-fixture.h"

#include "stream/writer.h"

/* Writes what a reader reports. */
typedef struct {
    GByteArray *out;
    FsnRamLayout *layout;
    int64_t last_block;
    unsigned int parts;
    bool part_open;
} Copier;

static bool
copy_start(gpointer user, const FsnRamLayout *layout, GError **error)
{
    Copier *c = user;

    c->layout = fsn_ram_layout_copy(layout);
    c->last_block = -1;
    return true;
}

static bool
copy_page(
    gpointer user, uint32_t block, uint64_t page, const uint8_t *data, GError **error)
{
    Copier *c = user;
    uint8_t header[FSN_STREAM_PAGE_HEADER_MAX];
    size_t len = fsn_stream_page_header(header, c->layout, block, page, !data,
                                        c->last_block == block);

    if (!c->part_open) {
        fsn_stream_write_part_begin(c->out, c->layout);
        c->part_open = true;
    }
    g_byte_array_append(c->out, header, (guint)len);
    if (data) {
        g_byte_array_append(c->out, data, FSN_PAGE_SIZE);
    }
    c->last_block = block;
    return true;
}

static bool
copy_part(gpointer user, GError **error)
{
    Copier *c = user;

    if (c->parts++ == 0) {
        fsn_stream_write_ram_start(c->out, c->layout);
    } else if (c->part_open) {
        fsn_stream_write_ram_section_end(c->out, c->layout);
        c->part_open = false;
    }
    return true;
}

static void
test_copy_is_identical(gconstpointer name)
{
    static const FsnStreamHandlers handlers = {
        .ram_start = copy_start,
        .page = copy_page,
        .ram_part = copy_part,
    };
    g_autoptr(GBytes) bytes = golden(name);
    g_autoptr(GByteArray) ram = g_byte_array_new();
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    Copier c = { .out = ram };
    g_autoptr(FsnStreamReader) r = fsn_stream_reader_new(&handlers, &c);
    gsize n;
    const uint8_t *p = g_bytes_get_data(bytes, &n);

    g_assert_true(fsn_stream_reader_push(r, p, n, &error));
    g_assert_true(fsn_stream_reader_end(r, &error));
    fsn_stream_write_head(out, fsn_stream_reader_head(r));
    g_byte_array_append(out, ram->data, ram->len);
    if (strcmp(name, "precopy.stream") == 0) { /* the other has no SECTION_END */
        fsn_stream_write_ram_end(out, c.layout);
    }
    fsn_stream_write_precopy_tail(out, fsn_stream_reader_device_state(r),
                                  fsn_stream_reader_description(r));
    g_assert_cmpmem(out->data, out->len, p, n);
    fsn_ram_layout_free(c.layout);
}

static FsnRamBlock two_blocks[] = { { (char *)"a", 2 * 4096 },
                                    { (char *)"rom", 64 * 4096 } };
static const FsnRamLayout two = {
    .section_id = 3, .instance = 0, .version = 4, .blocks = two_blocks, .n_blocks = 2
};

#define ASSERT_BYTES(out, text) \
    g_assert_cmpmem((out)->data, (out)->len, text, sizeof(text) - 1)

static void
test_advise(void)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    fsn_stream_write_postcopy_advise(out);
    ASSERT_BYTES(out, "\x08\0\1\0\0"         /* OPEN_RETURN_PATH */
                      "\x08\0\2\0\4\0\0\0\1" /* PING 1 */
                      "\x08\0\3\0\x10"       /* POSTCOPY_ADVISE, 16 bytes: */
                      "\0\0\0\0\0\0\x10\0"   /* host page sizes */
                      "\0\0\0\0\0\0\x10\0"); /* target page size */
}

static void
test_ram(void)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    fsn_stream_write_ram_start(out, &two);
    fsn_stream_write_part_begin(out, &two);
    fsn_stream_write_ram_section_end(out, &two);
    fsn_stream_write_ram_end(out, &two);
    fsn_stream_write_eof(out);
    ASSERT_BYTES(out, "\1\0\0\0\3"            /* SECTION_START 3 */
                      "\3ram\0\0\0\0\0\0\0\4" /* name, instance, version */
                      "\0\0\0\0\0\4\x20\4"    /* sum of lengths | MEM_SIZE */
                      "\1"
                      "a"
                      "\0\0\0\0\0\0\x20\0"    /* block a: 8192 bytes */
                      "\3rom\0\0\0\0\0\4\0\0" /* block rom: 262144 bytes */
                      "\0\0\0\0\0\0\0\x10"    /* EOS */
                      "\x7e\0\0\0\3"          /* footer */
                      "\2\0\0\0\3"            /* SECTION_PART */
                      "\0\0\0\0\0\0\0\x10\x7e\0\0\0\3"
                      "\3\0\0\0\3" /* SECTION_END */
                      "\0\0\0\0\0\0\0\x10\x7e\0\0\0\3"
                      "\0"); /* EOF */
}

static void
test_page_headers(void)
{
    uint8_t h[FSN_STREAM_PAGE_HEADER_MAX];

    g_assert_cmpuint(fsn_stream_page_header(h, &two, 1, 63, false, false), ==, 12);
    g_assert_cmpmem(h, 12, "\0\0\0\0\0\3\xf0\x08\3rom", 12);
    g_assert_cmpuint(fsn_stream_page_header(h, &two, 1, 2, false, true), ==, 8);
    g_assert_cmpmem(h, 8, "\0\0\0\0\0\0\x20\x28", 8);
    g_assert_cmpuint(fsn_stream_page_header(h, &two, 0, 1, true, false), ==, 11);
    g_assert_cmpmem(h, 11, "\0\0\0\0\0\0\x10\x02\1a\0", 11);
    g_assert_cmpuint(fsn_stream_page_header(h, &two, 0, 0, true, true), ==, 9);
    g_assert_cmpmem(h, 9, "\0\0\0\0\0\0\0\x22\0", 9);
}

static void
test_discard_all(void)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    fsn_stream_write_discard_all(out, &two);
    ASSERT_BYTES(out, "\x08\0\6\0\x14" /* DISCARD, 20 bytes */
                      "\0\1"
                      "a"
                      "\0"                 /* version, name, NUL */
                      "\0\0\0\0\0\0\0\0"   /* from byte 0 */
                      "\0\0\0\0\0\0\x20\0" /* 8192 bytes */
                      "\x08\0\6\0\x16\0\3rom\0"
                      "\0\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0");
}

static void
test_discard_unsent(void)
{
    g_autoptr(FsnPageMap) sent = fsn_page_map_new(fsn_page_map_pages(&two));
    g_autoptr(GByteArray) out = g_byte_array_new();

    for (uint64_t i = 0; i < 66; i++) {
        if (i != 1 && i != 2 && i != 3 && i != 65) {
            g_assert_true(fsn_page_map_set(sent, i));
        }
    }
    fsn_stream_write_discard_unsent(out, &two, sent);
    ASSERT_BYTES(out, "\x08\0\6\0\x14\0\1"
                      "a"
                      "\0"
                      "\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\x10\0" /* page 1 of a */
                      "\x08\0\6\0\x26\0\3rom\0"
                      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x20\0"     /* pages 0 and 1 of rom */
                      "\0\0\0\0\0\3\xf0\0\0\0\0\0\0\0\x10\0"); /* page 63 of rom */
}

/* More runs than one command holds: each command is within its 16-bit length. */
static void
test_discard_many(void)
{
    FsnRamBlock block = { (char *)"pc.ram", UINT64_C(10000) * 4096 };
    FsnRamLayout layout = {
        .section_id = 2, .version = 4, .blocks = &block, .n_blocks = 1
    };
    g_autoptr(FsnPageMap) sent = fsn_page_map_new(10000);
    g_autoptr(GByteArray) out = g_byte_array_new();
    uint64_t pages = 0;
    unsigned int commands = 0;

    for (uint64_t i = 0; i < 10000; i += 2) {
        g_assert_true(fsn_page_map_set(sent, i));
    }
    fsn_stream_write_discard_unsent(out, &layout, sent);
    for (guint at = 0; at < out->len; commands++) {
        uint16_t len = fsn_get_be16(out->data + at + 3);

        g_assert_cmpuint(fsn_get_be16(out->data + at + 1), ==, 6);
        for (guint run = at + 5 + 9; run < at + 5 + len; run += 16) {
            g_assert_cmpuint(fsn_get_be64(out->data + run), ==, (2 * pages + 1) * 4096);
            g_assert_cmpuint(fsn_get_be64(out->data + run + 8), ==, 4096);
            pages++;
        }
        at += 5u + len;
    }
    g_assert_cmpuint(pages, ==, 5000);
    g_assert_cmpuint(commands, ==, 3);
}

static void
test_package(void)
{
    g_autoptr(GBytes) devices = g_bytes_new_static("DEVICES", 7);
    g_autoptr(GByteArray) out = g_byte_array_new();

    fsn_stream_write_package(out, devices);
    ASSERT_BYTES(out, "\x08\0\2\0\4\0\0\0\2"   /* PING 2 */
                      "\x08\0\7\0\4\0\0\0\x1a" /* PACKAGED, 26 bytes follow: */
                      "\x08\0\4\0\0"           /* LISTEN */
                      "DEVICES"
                      "\x08\0\2\0\4\0\0\0\3"   /* PING 3 */
                      "\x08\0\5\0\0"           /* RUN */
                      "\x08\0\2\0\4\0\0\0\4"); /* PING 4 */
}

static void
test_recovery(void)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    fsn_stream_write_recover_begin(out);
    fsn_stream_write_recv_bitmap_request(out, "rom");
    fsn_stream_write_postcopy_resume(out);
    ASSERT_BYTES(out, "\x08\0\1\0\0"        /* OPEN_RETURN_PATH */
                      "\x08\0\x0a\0\4\3rom" /* RECV_BITMAP */
                      "\x08\0\x09\0\0");    /* POSTCOPY_RESUME */
}

static void
test_tail_without_description(void)
{
    g_autoptr(GBytes) devices = g_bytes_new_static("DEV", 3);
    g_autoptr(GBytes) text = g_bytes_new_static("{}", 2);
    g_autoptr(GByteArray) out = g_byte_array_new();

    fsn_stream_write_precopy_tail(out, devices, NULL);
    ASSERT_BYTES(out, "DEV\0");
    g_byte_array_set_size(out, 0);
    fsn_stream_write_precopy_tail(out, devices, text);
    ASSERT_BYTES(out, "DEV\0\6\0\0\0\2{}");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/stream/writer/copy-precopy", "precopy.stream",
                         test_copy_is_identical);
    g_test_add_data_func("/stream/writer/copy-background", "background.stream",
                         test_copy_is_identical);
    g_test_add_func("/stream/writer/advise", test_advise);
    g_test_add_func("/stream/writer/ram", test_ram);
    g_test_add_func("/stream/writer/page-headers", test_page_headers);
    g_test_add_func("/stream/writer/discard-all", test_discard_all);
    g_test_add_func("/stream/writer/discard-unsent", test_discard_unsent);
    g_test_add_func("/stream/writer/discard-many", test_discard_many);
    g_test_add_func("/stream/writer/package", test_package);
    g_test_add_func("/stream/writer/recovery", test_recovery);
    g_test_add_func("/stream/writer/tail", test_tail_without_description);
    return g_test_run();
}
