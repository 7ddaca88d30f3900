/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes around the frames of a pack. Reading a granule needs none of this, only the
 * frame's offset; verifying and rescuing a pack do.
 */
#include "config.h"

#include "repofmt/pack.h"

#include <string.h>

#define END_MAGIC "FSNPKEND"

GBytes *
fsn_pack_header(const FsnId *id, const FsnId *writer)
{
    GByteArray *out = g_byte_array_new();
    FsnObjectHeader header = { .id = *id, .writer = *writer };

    fsn_object_header_append(out, FSN_MAGIC_PACK, &header);
    return g_byte_array_free_to_bytes(out);
}

GBytes *
fsn_pack_thin_header(const uint8_t header[FSN_OBJECT_HEADER_SIZE])
{
    uint8_t *copy = g_memdup2(header, FSN_OBJECT_HEADER_SIZE);

    fsn_put_le32(copy + 12, fsn_get_le32(copy + 12) | FSN_INCOMPAT_THIN_PACK);
    return g_bytes_new_take(copy, FSN_OBJECT_HEADER_SIZE);
}

/* The digest in the trailer: over header and footer up to itself. */
static void
digest(const uint8_t *header, const uint8_t *footer, size_t len, uint8_t *out)
{
    FsnSha256 *sha = fsn_sha256_new();

    fsn_sha256_update(sha, header, FSN_OBJECT_HEADER_SIZE);
    fsn_sha256_update(sha, footer, len);
    fsn_sha256_finish(sha, out);
}

GBytes *
fsn_pack_footer(GBytes *header, GArray *frames)
{
    GByteArray *out = g_byte_array_new();
    uint64_t end = FSN_OBJECT_HEADER_SIZE;
    uint8_t sha[FSN_SHA256_SIZE];

    for (guint i = 0; i < frames->len; i++) {
        const FsnPackFrame *frame = &g_array_index(frames, FsnPackFrame, i);

        fsn_append_le32(out, frame->offset);
        fsn_append_le32(out, frame->length);
        g_byte_array_append(out, frame->sha256, sizeof frame->sha256);
        end = (uint64_t)frame->offset + frame->length;
    }
    end += out->len + FSN_PACK_TRAILER_SIZE;
    g_byte_array_append(out, (const uint8_t *)END_MAGIC, FSN_MAGIC_SIZE);
    fsn_append_le32(out, frames->len);
    fsn_append_le32(out, 0);
    fsn_append_le64(out, end);
    fsn_append_le64(out, 0);
    digest(g_bytes_get_data(header, NULL), out->data, out->len, sha);
    g_byte_array_append(out, sha, sizeof sha);
    return g_byte_array_free_to_bytes(out);
}

bool
fsn_pack_parse_trailer(const uint8_t trailer[FSN_PACK_TRAILER_SIZE],
                       uint64_t pack_size,
                       const char *what,
                       size_t *out_footer_len,
                       GError **error)
{
    uint64_t n = fsn_get_le32(trailer + 8);
    uint64_t len = n * FSN_PACK_FRAME_ENTRY + FSN_PACK_TRAILER_SIZE;

    if (memcmp(trailer, END_MAGIC, FSN_MAGIC_SIZE) != 0) {
        return fsn_set_damaged(error, what, "it does not end with a pack's trailer");
    }
    if (fsn_get_le64(trailer + 16) != pack_size || pack_size > FSN_PACK_MAX_SIZE) {
        return fsn_set_damaged(error, what, "it has %" G_GUINT64_FORMAT " bytes",
                               pack_size);
    }
    if (pack_size < FSN_OBJECT_HEADER_SIZE + len) {
        return fsn_set_damaged(error, what, "%" G_GUINT64_FORMAT " frames", n);
    }
    *out_footer_len = (size_t)len;
    return true;
}

bool
fsn_pack_parse(const uint8_t header[FSN_OBJECT_HEADER_SIZE],
               const uint8_t *footer,
               size_t footer_len,
               uint64_t pack_size,
               const char *what,
               GArray **out_frames,
               GError **error)
{
    g_autoptr(GArray) frames = g_array_new(FALSE, FALSE, sizeof(FsnPackFrame));
    FsnObjectHeader object;
    uint8_t sha[FSN_SHA256_SIZE];
    uint64_t expected = FSN_OBJECT_HEADER_SIZE;
    size_t need;

    if (footer_len < FSN_PACK_TRAILER_SIZE) {
        return fsn_set_damaged(error, what, "it is too short");
    }
    if (!fsn_object_header_parse(header, FSN_OBJECT_HEADER_SIZE, FSN_MAGIC_PACK, what,
                                 &object, error) ||
        !fsn_pack_parse_trailer(footer + footer_len - FSN_PACK_TRAILER_SIZE, pack_size,
                                what, &need, error)) {
        return false;
    }
    if (need != footer_len) {
        return fsn_set_damaged(error, what, "its footer has another length");
    }
    digest(header, footer, footer_len - FSN_SHA256_SIZE, sha);
    if (memcmp(sha, footer + footer_len - FSN_SHA256_SIZE, sizeof sha) != 0) {
        return fsn_set_damaged(error, what, "the SHA-256 of its footer is wrong");
    }
    for (size_t i = 0; i + FSN_PACK_TRAILER_SIZE < footer_len;
         i += FSN_PACK_FRAME_ENTRY) {
        FsnPackFrame frame = { .offset = fsn_get_le32(footer + i),
                               .length = fsn_get_le32(footer + i + 4) };

        memcpy(frame.sha256, footer + i + 8, sizeof frame.sha256);
        if (frame.offset != expected || frame.length <= FSN_FRAME_HEADER_SIZE ||
            frame.length > FSN_FRAME_MAX_SIZE ||
            (fsn_pack_frame_removed(&frame) &&
             !(object.incompat & FSN_INCOMPAT_THIN_PACK))) {
            return fsn_set_damaged(error, what, "frame at %u", frame.offset);
        }
        expected += frame.length;
        g_array_append_val(frames, frame);
    }
    if (expected != pack_size - footer_len) {
        return fsn_set_damaged(error, what, "its frames do not fill it");
    }
    *out_frames = g_steal_pointer(&frames);
    return true;
}
