/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repofmt/granule.h"
#include "repofmt/header.h"

G_BEGIN_DECLS

/* A segment is the index of 16384 granules in a row (64 MiB; the last of an image may have
 * fewer). Segments stand one after the other in a bundle: object header "FSNINDEX" (64
 * bytes), then segments, each a multiple of 8 bytes; little-endian:
 *    0   8  magic "FSNSEGM1"
 *    8   8  number of its first granule
 *   16   4  number of granules
 *   20   4  number of packs
 *   24  16  per pack: its id
 *     …  24  per granule: an entry (granule.h), whose pack counts in this table
 * The SHA-256 of a segment stands in every root that names it. */
#define FSN_SEGMENT_GRANULES    16384
#define FSN_SEGMENT_HEADER_SIZE 24
#define FSN_SEGMENT_MAX_PACKS   FSN_SEGMENT_GRANULES
#define FSN_SEGMENT_MAX_SIZE                                         \
    (FSN_SEGMENT_HEADER_SIZE + FSN_SEGMENT_MAX_PACKS * FSN_ID_SIZE + \
     FSN_SEGMENT_GRANULES * FSN_ENTRY_SIZE)

typedef struct {
    const uint8_t *packs;   /* n_packs × 16 bytes, borrowed */
    const uint8_t *entries; /* count × 24 bytes, borrowed */
    uint64_t first;
    uint32_t count;
    uint32_t n_packs;
} FsnSegment;

/* Builds a segment; @packs is an array of FsnId, @entries of FsnEntry. */
GByteArray *fsn_segment_build(uint64_t first, GArray *packs, GArray *entries);

/* Checks that @data is a whole segment for granules @first … @first + @count - 1 and that
 * every entry is valid. @out_segment points into @data. */
bool fsn_segment_parse(const uint8_t *data,
                       size_t len,
                       uint64_t first,
                       uint32_t count,
                       const char *what,
                       FsnSegment *out_segment,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
