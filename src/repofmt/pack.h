/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "repofmt/frame.h"
#include "repofmt/header.h"

G_BEGIN_DECLS

/* A pack: object header "FSNPACK1" (64 bytes), frames without gaps, then the footer:
 * per frame, 40 bytes:
 *    0   4  offset in the pack
 *    4   4  length with its header
 *    8  32  SHA-256 of the whole frame
 * and the trailer, 64 bytes:
 *    0   8  magic "FSNPKEND"
 *    8   4  number of frames
 *   12   4  zero
 *   16   8  length of the pack with all of this
 *   24   8  zero
 *   32  32  SHA-256 of object header, frame table and the first 32 bytes of the trailer
 * The digests of the frames make the last one cover every byte, and can be computed on
 * several cores and checked frame by frame.
 * A thin pack (FSN_INCOMPAT_THIN_PACK in its header) lacks frames that nobody needs: their
 * SHA-256 in the table is zero, and so are their bytes, which take no space where the file
 * system has holes. All others are where they were, so that no index needs to change. */
#define FSN_PACK_MAX_SIZE     (64u * 1024 * 1024)
#define FSN_PACK_FRAME_ENTRY  40
#define FSN_PACK_TRAILER_SIZE 64

typedef struct {
    uint32_t offset;
    uint32_t length;
    uint8_t sha256[FSN_SHA256_SIZE];
} FsnPackFrame;

static inline bool
fsn_pack_frame_removed(const FsnPackFrame *frame)
{
    return fsn_is_zero(frame->sha256, sizeof frame->sha256);
}

/* The header of a thin pack made from the pack with @header. */
GBytes *fsn_pack_thin_header(const uint8_t header[FSN_OBJECT_HEADER_SIZE]);

/* The header of pack @id, written by @writer. */
GBytes *fsn_pack_header(const FsnId *id, const FsnId *writer);

/* Footer for @frames (array of FsnPackFrame) after @header. */
GBytes *fsn_pack_footer(GBytes *header, GArray *frames);

/* Length of the footer, from the trailer at @trailer of a pack with @pack_size bytes. */
bool fsn_pack_parse_trailer(const uint8_t trailer[FSN_PACK_TRAILER_SIZE],
                            uint64_t pack_size,
                            const char *what,
                            size_t *out_footer_len,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Checks header and footer of a pack against each other; *out_frames (FsnPackFrame) are
 * then contiguous and fill the space between them. */
bool fsn_pack_parse(const uint8_t header[FSN_OBJECT_HEADER_SIZE],
                    const uint8_t *footer,
                    size_t footer_len,
                    uint64_t pack_size,
                    const char *what,
                    GArray **out_frames,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
