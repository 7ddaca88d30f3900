/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The superblock. Losing the secret would make granules unverifiable, so it is written once
 * and never changed.
 */
#include "config.h"

#include "repofmt/superblock.h"

#include "base/bytes.h"
#include "base/error.h"
#include "repofmt/frame.h"
#include "repofmt/segment.h"

#include <string.h>

#define NAME_SIZE 32

GByteArray *
fsn_superblock_build(const FsnSuperblock *superblock)
{
    GByteArray *out = g_byte_array_new();
    FsnObjectHeader header = { .id = superblock->id };
    uint8_t name[NAME_SIZE] = FSN_SUPERBLOCK_HASH_NAME;

    fsn_object_header_append(out, FSN_MAGIC_SUPERBLOCK, &header);
    fsn_append_le32(out, FSN_GRANULE_SIZE);
    fsn_append_le32(out, superblock->frame_granules);
    fsn_append_le32(out, FSN_SEGMENT_GRANULES);
    fsn_append_le32(out, 0);
    g_byte_array_append(out, name, sizeof name);
    g_byte_array_append(out, superblock->secret, sizeof superblock->secret);
    fsn_object_seal(out);
    g_assert(out->len == FSN_SUPERBLOCK_SIZE);
    return out;
}

bool
fsn_superblock_parse(const uint8_t *data,
                     size_t len,
                     const char *what,
                     FsnSuperblock *out_superblock,
                     GError **error)
{
    FsnSuperblock sb;
    FsnObjectHeader header;
    uint8_t name[NAME_SIZE] = FSN_SUPERBLOCK_HASH_NAME;

    if (!fsn_object_header_parse(data, len, FSN_MAGIC_SUPERBLOCK, what, &header, error)) {
        return false;
    }
    if (len != FSN_SUPERBLOCK_SIZE) {
        return fsn_set_damaged(error, what, "it has %zu bytes", len);
    }
    if (!fsn_object_check_seal(data, len, what, error)) {
        return false;
    }
    sb.id = header.id;
    sb.frame_granules = fsn_get_le32(data + 68);
    memcpy(sb.secret, data + 112, sizeof sb.secret);
    if (fsn_get_le32(data + 64) != FSN_GRANULE_SIZE ||
        fsn_get_le32(data + 72) != FSN_SEGMENT_GRANULES || sb.frame_granules < 1 ||
        sb.frame_granules > FSN_FRAME_MAX_GRANULES ||
        memcmp(data + 80, name, sizeof name) != 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "'%s' describes a layout that this foresnap does not know", what);
        return false;
    }
    *out_superblock = sb;
    return true;
}
