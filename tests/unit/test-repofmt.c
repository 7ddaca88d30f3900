/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/repofmt: golden bytes by field, every truncation, every flipped byte. */
#include "config.h"

#include "base/error.h"
#include "repofmt/codec.h"
#include "repofmt/envelope.h"
#include "repofmt/frame.h"
#include "repofmt/pack.h"
#include "repofmt/root.h"
#include "repofmt/segment.h"
#include "repofmt/superblock.h"

#include <string.h>

static FsnId
id_of(uint8_t first)
{
    FsnId id;

    for (unsigned i = 0; i < FSN_ID_SIZE; i++) {
        id.bytes[i] = (uint8_t)(first + i);
    }
    return id;
}

/* @hex may have spaces, so that a field stands in each group. */
static void
assert_hex(const uint8_t *data, size_t len, const char *hex)
{
    g_autofree char *found = fsn_hex(data, len);
    g_autoptr(GString) wanted = g_string_new(hex);

    g_string_replace(wanted, " ", "", 0);
    g_assert_cmpstr(found, ==, wanted->str);
}

static void
assert_refused(GError *error)
{
    g_assert_true(g_error_matches(error, FSN_ERROR, FSN_ERROR_CORRUPT) ||
                  g_error_matches(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED));
}

typedef bool (*ParseFunc)(const uint8_t *data, size_t len, GError **error);

/* Whatever is cut off or flipped is refused; the whole is not. */
static void
assert_every_damage(const uint8_t *data, size_t len, ParseFunc parse)
{
    g_autoptr(GError) good = NULL;

    g_assert_true(parse(data, len, &good));
    g_assert_no_error(good);
    for (size_t cut = 0; cut < len; cut++) {
        /* Of exactly that size, so that sanitizers see a read past the end. */
        g_autofree uint8_t *copy = g_memdup2(data, cut);
        g_autoptr(GError) error = NULL;

        g_assert_false(parse(copy, cut, &error));
        assert_refused(error);
    }
    for (size_t at = 0; at < len; at++) {
        g_autofree uint8_t *copy = g_memdup2(data, len);
        g_autoptr(GError) error = NULL;

        copy[at] ^= (uint8_t)(1 << at % 8);
        g_assert_false(parse(copy, len, &error));
        assert_refused(error);
    }
}

static bool
parse_superblock(const uint8_t *data, size_t len, GError **error)
{
    FsnSuperblock sb;

    return fsn_superblock_parse(data, len, "superblock", &sb, error);
}

static void
test_superblock(void)
{
    FsnSuperblock sb = { .id = id_of(0x10), .frame_granules = 32 }, back;
    g_autoptr(GByteArray) bytes = NULL;

    memset(sb.secret, 0xab, sizeof sb.secret);
    bytes = fsn_superblock_build(&sb);
    g_assert_cmpint(bytes->len, ==, 336);
    assert_hex(bytes->data, 112,
               "46534e5355504552 "                 /* FSNSUPER */
               "01000000 00000000 00000000 "       /* version, incompat, compat */
               "00000000 "                         /* zero */
               "101112131415161718191a1b1c1d1e1f " /* id of the repository */
               "00000000000000000000000000000000 " /* no writer */
               "0000000000000000 "                 /* zero */
               "00100000 20000000 00400000 "       /* granule, frame, segment */
               "00000000 "                         /* zero */
               "787868332d3132382d6b657965640000"  /* xxh3-128-keyed */
               "00000000000000000000000000000000");
    assert_hex(bytes->data + 112, 4, "abababab"); /* the secret */
    g_assert_true(fsn_superblock_parse(bytes->data, bytes->len, "x", &back, NULL));
    g_assert_cmpint(back.frame_granules, ==, 32);
    g_assert_cmpmem(back.secret, 192, sb.secret, 192);
    assert_every_damage(bytes->data, bytes->len, parse_superblock);
}

/* An unknown incompatible feature is refused by its number, a compatible one is not. */
static void
test_features(void)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    FsnObjectHeader header = { .incompat = 1 << 5, .compat = 1 << 6 };
    g_autoptr(GError) error = NULL;

    fsn_object_header_append(bytes, FSN_MAGIC_ROOT, &header);
    g_assert_false(fsn_object_header_parse(bytes->data, bytes->len, FSN_MAGIC_ROOT,
                                           "roots/x", &header, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
    g_assert_nonnull(strstr(error->message, "feature 5"));
    g_clear_error(&error);
    bytes->data[12] = 0;
    g_assert_true(fsn_object_header_parse(bytes->data, bytes->len, FSN_MAGIC_ROOT,
                                          "roots/x", &header, &error));
    g_assert_cmpint(header.compat, ==, 64);
    bytes->data[8] = 2;
    g_assert_false(fsn_object_header_parse(bytes->data, bytes->len, FSN_MAGIC_ROOT,
                                           "roots/x", &header, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
}

static void
test_entry(void)
{
    uint8_t bytes[FSN_ENTRY_SIZE];
    FsnEntry back,
        entry = { .kind = FSN_GRANULE_DATA,
                  .hash = { .low = 0x0807060504030201, .high = 0x100f0e0d0c0b0a09 },
                  .pack = 0x123456,
                  .offset = 0x89abcdef,
                  .slot = 31 };

    fsn_entry_put(bytes, &entry);
    assert_hex(bytes, sizeof bytes,
               "0102030405060708 090a0b0c0d0e0f10 " /* hash */
               "efcdab89 563412 5f");               /* offset, pack, slot and kind */
    g_assert_true(fsn_entry_get(bytes, 0x123457, &back));
    g_assert_cmpint(back.kind, ==, entry.kind);
    g_assert_true(fsn_hash128_equal(back.hash, entry.hash));
    g_assert_cmpint(back.pack, ==, entry.pack);
    g_assert_cmpint(back.offset, ==, entry.offset);
    g_assert_cmpint(back.slot, ==, entry.slot);
    g_assert_false(fsn_entry_get(bytes, 0x123456, &back));
    memset(bytes, 0, sizeof bytes);
    g_assert_true(fsn_entry_get(bytes, 0, &back));
    g_assert_cmpint(back.kind, ==, FSN_GRANULE_ZERO);
    bytes[23] = 0xc0;
    g_assert_false(fsn_entry_get(bytes, 0, &back));
    bytes[23] = 0x81;
    g_assert_false(fsn_entry_get(bytes, 0, &back));
}

static bool
parse_frame(const uint8_t *data, size_t len, GError **error)
{
    g_autoptr(FsnCodecContext) ctx = fsn_codec_context_new();
    g_autofree uint8_t *raw = g_malloc(FSN_FRAME_MAX_RAW);
    FsnFrameInfo info;

    if (len < FSN_FRAME_HEADER_SIZE || !fsn_frame_parse(data, "frame", &info, error) ||
        len != FSN_FRAME_HEADER_SIZE + info.payload) {
        g_clear_error(error);
        return fsn_set_damaged(error, "frame", "short");
    }
    return fsn_frame_decode(ctx, data, &info, "frame", raw, error);
}

static void
test_frame(void)
{
    g_autoptr(FsnCodecContext) ctx = fsn_codec_context_new();
    g_autofree uint8_t *raw = g_malloc0(FSN_FRAME_MAX_RAW);
    g_autofree uint8_t *back = g_malloc0(FSN_FRAME_MAX_RAW);
    g_autofree uint8_t *frame = g_malloc(FSN_FRAME_MAX_SIZE);
    FsnFrameInfo info;
    size_t len;

    for (FsnCodec codec = FSN_CODEC_NONE; codec <= FSN_CODEC_ZSTD; codec++) {
        for (unsigned count = 1; count <= 32; count += 31) {
            for (size_t i = 0; i < FSN_FRAME_MAX_RAW; i++) {
                raw[i] = (uint8_t)(i / 1024 + i % 7);
            }
            len = fsn_frame_encode(ctx, codec, 0, raw, count, frame);
            g_assert_true(fsn_frame_parse(frame, "f", &info, NULL));
            g_assert_cmpint(info.codec, ==, codec);
            g_assert_cmpint(info.count, ==, count);
            g_assert_cmpint(len, ==, FSN_FRAME_HEADER_SIZE + info.payload);
            g_assert_true((codec == FSN_CODEC_NONE) == (info.payload == count * 4096));
            g_assert_true(fsn_frame_decode(ctx, frame, &info, "f", back, NULL));
            g_assert_cmpmem(back, count * 4096, raw, count * 4096);
        }
        len = fsn_frame_encode(ctx, codec, 0, raw, 1, frame);
        assert_every_damage(frame, len, parse_frame);
    }
    /* Random data are stored as they are, whatever is asked for. */
    fsn_random_bytes(raw, FSN_FRAME_MAX_RAW);
    len = fsn_frame_encode(ctx, FSN_CODEC_ZSTD, 0, raw, 32, frame);
    g_assert_cmpint(len, ==, FSN_FRAME_MAX_SIZE);
    memset(raw, 'x', 4096);
    len = fsn_frame_encode(ctx, FSN_CODEC_NONE, 0, raw, 1, frame);
    assert_hex(frame, 8, "46534e46 00100000"); /* FSNF, 4096 bytes of payload */
    assert_hex(frame + 16, 12,
               "00 01 000000000000 78787878"); /* codec, count, zero, data */
}

static bool
parse_pack(const uint8_t *data, size_t len, GError **error)
{
    g_autoptr(GArray) frames = NULL;
    size_t footer = 0;

    if (len < FSN_OBJECT_HEADER_SIZE + FSN_PACK_TRAILER_SIZE) {
        return fsn_set_damaged(error, "pack", "short");
    }
    if (!fsn_pack_parse_trailer(data + len - FSN_PACK_TRAILER_SIZE, len, "pack", &footer,
                                error) ||
        !fsn_pack_parse(data, data + len - footer, footer, len, "pack", &frames, error)) {
        return false;
    }
    for (guint i = 0; i < frames->len; i++) {
        const FsnPackFrame *frame = &g_array_index(frames, FsnPackFrame, i);
        uint8_t sha[FSN_SHA256_SIZE];

        fsn_sha256(data + frame->offset, frame->length, sha);
        if (memcmp(sha, frame->sha256, sizeof sha) != 0) {
            return fsn_set_damaged(error, "pack", "frame");
        }
    }
    return true;
}

static void
test_pack(void)
{
    FsnId id = id_of(1), writer = id_of(0x81);
    g_autoptr(GBytes) header = fsn_pack_header(&id, &writer);
    g_autoptr(GArray) frames = g_array_new(FALSE, FALSE, sizeof(FsnPackFrame));
    g_autoptr(GBytes) footer = NULL;
    g_autoptr(GByteArray) pack = g_byte_array_new();
    FsnPackFrame a = { .offset = 64, .length = 100 }, b = { .offset = 164, .length = 50 };
    uint8_t data[150];

    memset(data, 'd', sizeof data);
    fsn_sha256(data, 100, a.sha256);
    fsn_sha256(data, 50, b.sha256);
    g_array_append_val(frames, a);
    g_array_append_val(frames, b);
    footer = fsn_pack_footer(header, frames);
    g_byte_array_append(pack, g_bytes_get_data(header, NULL), 64);
    g_byte_array_append(pack, data, sizeof data);
    g_byte_array_append(pack, g_bytes_get_data(footer, NULL),
                        (guint)g_bytes_get_size(footer));
    assert_hex(pack->data, 64,
               "46534e5041434b31 01000000 00000000 00000000 00000000 "
               "0102030405060708090a0b0c0d0e0f10 " /* id */
               "8182838485868788898a8b8c8d8e8f90 " /* writer */
               "0000000000000000");
    assert_hex(pack->data + 214, 8, "40000000 64000000"); /* first frame */
    assert_hex(pack->data + 254, 8, "a4000000 32000000"); /* second frame */
    assert_hex(pack->data + 294, 32,
               "46534e504b454e44 02000000 00000000 " /* FSNPKEND, frames, zero */
               "6601000000000000 0000000000000000"); /* 358 bytes, zero */
    assert_every_damage(pack->data, pack->len, parse_pack);
}

/* A frame without a digest is missing, which only a thin pack may lack. */
static void
test_thin_pack(void)
{
    FsnId id = id_of(1), writer = id_of(0x81);
    g_autoptr(GBytes) header = fsn_pack_header(&id, &writer);
    g_autoptr(GBytes) thin = fsn_pack_thin_header(g_bytes_get_data(header, NULL));
    GBytes *headers[] = { header, thin };
    g_autoptr(GArray) frames = g_array_new(FALSE, FALSE, sizeof(FsnPackFrame));
    FsnPackFrame there = { .offset = 64, .length = 100, .sha256 = { 1 } };
    FsnPackFrame missing = { .offset = 164, .length = 50 };

    g_array_append_val(frames, there);
    g_array_append_val(frames, missing);
    assert_hex(g_bytes_get_data(thin, NULL), 32,
               "46534e5041434b31 01000000 02000000 00000000 00000000 "
               "0102030405060708"); /* as before, but for the feature */
    for (int i = 0; i < 2; i++) {
        g_autoptr(GBytes) footer = fsn_pack_footer(headers[i], frames);
        size_t len = g_bytes_get_size(footer);
        g_autoptr(GArray) back = NULL;

        g_assert_cmpint(fsn_pack_parse(g_bytes_get_data(headers[i], NULL),
                                       g_bytes_get_data(footer, NULL), len, 214 + len,
                                       "pack", &back, NULL),
                        ==, i == 1);
        if (i == 1) {
            g_assert_false(fsn_pack_frame_removed(&g_array_index(back, FsnPackFrame, 0)));
            g_assert_true(fsn_pack_frame_removed(&g_array_index(back, FsnPackFrame, 1)));
        }
    }
}

static bool
parse_segment(const uint8_t *data, size_t len, GError **error)
{
    FsnSegment segment;

    return fsn_segment_parse(data, len, 16384, 2, "segment", &segment, error);
}

static void
test_segment(void)
{
    g_autoptr(GArray) packs = g_array_new(FALSE, FALSE, sizeof(FsnId));
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(FsnEntry));
    g_autoptr(GByteArray) bytes = NULL;
    FsnId id = id_of(0x20);
    FsnEntry zero = { 0 }, data = {
        .kind = FSN_GRANULE_DATA, .hash = { .low = 1, .high = 2 }, .offset = 64, .slot = 3
    };

    g_array_append_val(packs, id);
    g_array_append_val(entries, zero);
    g_array_append_val(entries, data);
    bytes = fsn_segment_build(16384, packs, entries);
    assert_hex(bytes->data, bytes->len,
               "46534e5345474d31 0040000000000000 02000000 01000000 "
               "202122232425262728292a2b2c2d2e2f "                   /* the pack */
               "0000000000000000 0000000000000000 0000000000000000 " /* zero */
               "0100000000000000 0200000000000000 40000000 000000 43");
    g_assert_true(parse_segment(bytes->data, bytes->len, NULL));
    for (size_t cut = 0; cut < bytes->len; cut++) {
        g_autofree uint8_t *copy = g_memdup2(bytes->data, cut);

        g_assert_false(parse_segment(copy, cut, NULL));
    }
}

static FsnId root_id;

/* A segment of holes needs a feature that the header names. */
static void
test_hole_segment(void)
{
    g_autoptr(FsnRoot) root = fsn_root_new(1);
    g_autoptr(FsnRoot) back = NULL;
    g_autoptr(GByteArray) bytes = NULL;
    g_autoptr(GError) error = NULL;
    FsnSegmentRef hole = { .bundle = FSN_ROOT_HOLE_SEGMENT };
    FsnId id;

    g_array_append_val(root->segments, hole);
    bytes = fsn_root_build(root, &id);
    assert_hex(bytes->data + 8, 8, "01000000 01000000"); /* version, feature */
    assert_hex(bytes->data + 96, 8, "feffffff 00000000");
    g_assert_true(fsn_root_parse(bytes->data, bytes->len, &id, "x", &back, NULL));
    hole = g_array_index(back->segments, FsnSegmentRef, 0);
    g_assert_true(fsn_segment_ref_uniform(&hole));
    g_assert_cmpint(fsn_segment_ref_kind(&hole), ==, FSN_GRANULE_HOLE);
    bytes->data[12] = 0;
    g_byte_array_set_size(bytes, bytes->len - FSN_SHA256_SIZE);
    fsn_object_seal(bytes);
    memcpy(id.bytes, bytes->data + bytes->len - FSN_SHA256_SIZE, FSN_ID_SIZE);
    g_clear_pointer(&back, fsn_root_free);
    g_assert_false(fsn_root_parse(bytes->data, bytes->len, &id, "x", &back, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_CORRUPT);
}

static bool
parse_root(const uint8_t *data, size_t len, GError **error)
{
    g_autoptr(FsnRoot) root = NULL;

    return fsn_root_parse(data, len, &root_id, "root", &root, error);
}

static void
test_root(void)
{
    g_autoptr(FsnRoot) root = fsn_root_new(16385);
    g_autoptr(GByteArray) bytes = NULL;
    FsnObjectRef bundle = { .id = id_of(0x30), .length = 1000 };
    FsnObjectRef pack = { .id = id_of(0x40), .length = 5000 };
    FsnSegmentRef first = { .bundle = 0, .length = 936, .offset = 64 };
    FsnSegmentRef second = { .bundle = FSN_ROOT_ZERO_SEGMENT };
    FsnOverlayEntry overlay = { .granule = 16384,
                                .entry = { .kind = FSN_GRANULE_DATA, .offset = 64 } };

    root->writer = id_of(0x50);
    memset(first.sha256, 0xcc, sizeof first.sha256);
    g_array_append_val(root->bundles, bundle);
    g_array_append_val(root->packs, pack);
    g_array_append_val(root->segments, first);
    g_array_append_val(root->segments, second);
    g_array_append_val(root->overlay, overlay);
    bytes = fsn_root_build(root, &root_id);
    assert_hex(bytes->data + 40, bytes->len - 40 - 32,
               "505152535455565758595a5b5c5d5e5f 0000000000000000 " /* writer, zero */
               "0140000000000000 00100000 00400000 "                /* granules, sizes */
               "01000000 01000000 02000000 01000000 "               /* four tables: */
               "303132333435363738393a3b3c3d3e3f e803000000000000 " /* bundle */
               "404142434445464748494a4b4c4d4e4f 8813000000000000 " /* pack */
               "00000000 a8030000 4000000000000000 "                /* segment 0 */
               "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc "
               "ffffffff 00000000 0000000000000000 " /* segment 1: zero */
               "0000000000000000000000000000000000000000000000000000000000000000 "
               "0040000000000000 " /* overlay: granule */
               "0000000000000000 0000000000000000 40000000 000000 40");
    g_assert_cmpmem(root_id.bytes, 16, bytes->data + bytes->len - 32, 16);
    assert_every_damage(bytes->data, bytes->len, parse_root);
    root_id.bytes[0] ^= 1;
    g_assert_false(parse_root(bytes->data, bytes->len, NULL));
}

static bool
parse_envelope(const uint8_t *data, size_t len, GError **error)
{
    const uint8_t *value;
    size_t value_len;

    return fsn_envelope_parse(data, len, "mark", "mark", &value, &value_len, error);
}

static void
test_envelope(void)
{
    g_autoptr(GByteArray) bytes = fsn_envelope_build("mark", "{}", 2);
    const uint8_t *value;
    size_t len;

    g_assert_cmpint(bytes->len, ==, 34 + 2 + FSN_ENVELOPE_TRAILER);
    g_assert_cmpmem(bytes->data, 42, "foresnap mark 1 00000000 00000000\n{}\nsha256 ",
                    42);
    g_assert_true(
        fsn_envelope_parse(bytes->data, bytes->len, "mark", "m", &value, &len, NULL));
    g_assert_cmpmem(value, len, "{}", 2);
    g_assert_false(
        fsn_envelope_parse(bytes->data, bytes->len, "ref", "m", &value, &len, NULL));
    /* Upper and lower case of the digest's digits are the same: bit 5 of a letter. */
    for (size_t i = 0; i < bytes->len; i++) {
        g_autofree uint8_t *copy = g_memdup2(bytes->data, bytes->len);
        g_autoptr(GError) error = NULL;

        copy[i] ^= 1;
        g_assert_false(parse_envelope(copy, bytes->len, &error));
        assert_refused(error);
        g_clear_error(&error);
        g_assert_false(parse_envelope(bytes->data, i, &error));
        assert_refused(error);
    }
}

static void
test_codec(void)
{
    g_autoptr(FsnCodecContext) ctx = fsn_codec_context_new();
    g_autoptr(GError) error = NULL;
    uint8_t out[8192];
    FsnCodec codec;

    g_assert_true(fsn_codec_from_string("lz4", &codec, NULL));
    g_assert_cmpint(codec, ==, FSN_CODEC_LZ4);
    g_assert_false(fsn_codec_from_string("gzip", &codec, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
    for (codec = FSN_CODEC_LZ4; codec <= FSN_CODEC_ZSTD; codec++) {
        uint8_t text[8192], packed[8192];
        size_t n;

        for (size_t i = 0; i < sizeof text; i++) {
            text[i] = (uint8_t)('a' + i % 23);
        }
        n = fsn_codec_compress(ctx, codec, 0, text, sizeof text, packed, sizeof packed);
        g_assert_cmpint(n, >, 0);
        g_assert_cmpint(n, <, 1000);
        g_assert_true(fsn_codec_decompress(ctx, codec, packed, n, out, sizeof out));
        g_assert_cmpmem(out, sizeof out, text, sizeof text);
        /* Another length than asked for is refused. */
        g_assert_false(fsn_codec_decompress(ctx, codec, packed, n, out, 8191));
        g_assert_false(fsn_codec_decompress(ctx, codec, packed, n - 1, out, 8192));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repofmt/superblock", test_superblock);
    g_test_add_func("/repofmt/features", test_features);
    g_test_add_func("/repofmt/entry", test_entry);
    g_test_add_func("/repofmt/frame", test_frame);
    g_test_add_func("/repofmt/pack", test_pack);
    g_test_add_func("/repofmt/segment", test_segment);
    g_test_add_func("/repofmt/root", test_root);
    g_test_add_func("/repofmt/hole-segment", test_hole_segment);
    g_test_add_func("/repofmt/thin-pack", test_thin_pack);
    g_test_add_func("/repofmt/envelope", test_envelope);
    g_test_add_func("/repofmt/codec", test_codec);
    return g_test_run();
}
