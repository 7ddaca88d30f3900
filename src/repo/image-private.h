/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/image.h"

#include "repofmt/root.h"
#include "repofmt/segment.h"

G_BEGIN_DECLS

FsnRepo *fsn_image_repo(FsnImage *image);
const FsnRoot *fsn_image_root(FsnImage *image);

/* Segment @segment, verified; all-zero segments have no entries (count 0). */
bool fsn_image_segment(FsnImage *image,
                       uint32_t segment,
                       FsnSegment *out_segment,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The overlay entries of segment @segment: @out_n of them, ascending. */
const FsnOverlayEntry *fsn_image_overlay(FsnImage *image,
                                         uint32_t segment,
                                         size_t *out_n);

/* The entry of @granule and, in @out_segment, whose pack table it counts in; null packs
 * there mean the root's. */
bool fsn_image_entry(FsnImage *image,
                     uint64_t granule,
                     FsnEntry *out_entry,
                     FsnSegment *out_segment,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
