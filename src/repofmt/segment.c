/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segments of an image's index. All entries are checked once when a segment is parsed, so
 * that later look-ups need no checks. Nothing is copied.
 */
#include "config.h"

#include "repofmt/segment.h"

#include <string.h>

#define MAGIC "FSNSEGM1"

GByteArray *
fsn_segment_build(uint64_t first, GArray *packs, GArray *entries)
{
    GByteArray *out = g_byte_array_new();

    g_assert(entries->len <= FSN_SEGMENT_GRANULES && packs->len <= FSN_SEGMENT_MAX_PACKS);
    g_byte_array_append(out, (const uint8_t *)MAGIC, FSN_MAGIC_SIZE);
    fsn_append_le64(out, first);
    fsn_append_le32(out, entries->len);
    fsn_append_le32(out, packs->len);
    for (guint i = 0; i < packs->len; i++) {
        g_byte_array_append(out, g_array_index(packs, FsnId, i).bytes, FSN_ID_SIZE);
    }
    for (guint i = 0; i < entries->len; i++) {
        uint8_t bytes[FSN_ENTRY_SIZE];

        fsn_entry_put(bytes, &g_array_index(entries, FsnEntry, i));
        g_byte_array_append(out, bytes, sizeof bytes);
    }
    return out;
}

bool
fsn_segment_parse(const uint8_t *data,
                  size_t len,
                  uint64_t first,
                  uint32_t count,
                  const char *what,
                  FsnSegment *out_segment,
                  GError **error)
{
    FsnSegment seg;
    FsnEntry entry;

    if (len < FSN_SEGMENT_HEADER_SIZE || memcmp(data, MAGIC, FSN_MAGIC_SIZE) != 0) {
        return fsn_set_damaged(error, what, "no index segment begins there");
    }
    seg.first = fsn_get_le64(data + 8);
    seg.count = fsn_get_le32(data + 16);
    seg.n_packs = fsn_get_le32(data + 20);
    if (seg.first != first || seg.count != count || seg.count > FSN_SEGMENT_GRANULES) {
        return fsn_set_damaged(error, what, "the index segment is for other granules");
    }
    if (seg.n_packs > FSN_SEGMENT_MAX_PACKS ||
        len != FSN_SEGMENT_HEADER_SIZE + (size_t)seg.n_packs * FSN_ID_SIZE +
                   (size_t)seg.count * FSN_ENTRY_SIZE) {
        return fsn_set_damaged(error, what, "the index segment has another length");
    }
    seg.packs = data + FSN_SEGMENT_HEADER_SIZE;
    seg.entries = seg.packs + (size_t)seg.n_packs * FSN_ID_SIZE;
    for (uint32_t i = 0; i < seg.count; i++) {
        if (!fsn_entry_get(seg.entries + (size_t)i * FSN_ENTRY_SIZE, seg.n_packs,
                           &entry)) {
            return fsn_set_damaged(error, what, "index entry %" G_GUINT64_FORMAT,
                                   first + i);
        }
    }
    *out_segment = seg;
    return true;
}
