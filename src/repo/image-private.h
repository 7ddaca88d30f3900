/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/image.h"

#include "repofmt/root.h"
#include "repofmt/segment.h"

G_BEGIN_DECLS

FsnRepo *fsn_image_repo(FsnImage *image);
const FsnRoot *fsn_image_root(FsnImage *image);

/* Segment @segment, verified; one whose granules are all of one kind has no entries (count
 * 0). */
bool fsn_image_segment(FsnImage *image,
                       uint32_t segment,
                       FsnSegment *out_segment,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The kind of all granules of a segment without entries, but for its overlay. */
FsnGranuleKind fsn_image_uniform_kind(FsnImage *image, uint32_t segment);

/* The ids (FsnId) of the packs that the entries of segment @segment name, without reading
 * these. They are verified only in so far as each must be in the root's table. */
bool fsn_image_segment_packs(FsnImage *image,
                             uint32_t segment,
                             GArray **out_packs,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The overlay entries of segment @segment: @out_n of them, ascending. */
const FsnOverlayEntry *fsn_image_overlay(FsnImage *image,
                                         uint32_t segment,
                                         size_t *out_n);

/* The kind of entry @i of a segment with entries. */
static inline FsnGranuleKind
fsn_segment_kind(const FsnSegment *segment, uint32_t i)
{
    return (FsnGranuleKind)(fsn_get_le64(segment->entries + (size_t)i * FSN_ENTRY_SIZE +
                                         16) >>
                            62);
}

/* The entry of @granule and, in @out_segment, whose pack table it counts in; null packs
 * there mean the root's. */
bool fsn_image_entry(FsnImage *image,
                     uint64_t granule,
                     FsnEntry *out_entry,
                     FsnSegment *out_segment,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
