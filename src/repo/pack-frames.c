/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which frames a pack has, for those who look at packs as a whole: verifying, thinning,
 * copying to a tier. No frame itself is read.
 */
#include "config.h"

#include "repo/pack-frames.h"

#include <string.h>

bool
fsn_pack_read_frames(FsnBlob *blob,
                     uint8_t out_header[FSN_OBJECT_HEADER_SIZE],
                     GArray **out_frames,
                     GError **error)
{
    const char *what = fsn_blob_key(blob);
    uint64_t size = fsn_blob_length(blob);
    uint8_t header[FSN_OBJECT_HEADER_SIZE], trailer[FSN_PACK_TRAILER_SIZE];
    g_autofree uint8_t *footer = NULL;
    size_t len;

    if (size < sizeof header + sizeof trailer) {
        return fsn_set_damaged(error, what, "it is too short");
    }
    if (!fsn_blob_pread(blob, header, sizeof header, 0, error) ||
        !fsn_blob_pread(blob, trailer, sizeof trailer, size - sizeof trailer, error) ||
        !fsn_pack_parse_trailer(trailer, size, what, &len, error)) {
        return false;
    }
    footer = g_malloc(len); /* at most the size of a pack */
    if (!fsn_blob_pread(blob, footer, len, size - len, error) ||
        !fsn_pack_parse(header, footer, len, size, what, out_frames, error)) {
        return false;
    }
    if (out_header) {
        memcpy(out_header, header, sizeof header);
    }
    return true;
}
