/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/image.h"

G_BEGIN_DECLS

/* Images in runs of granules, for readers of whole disks. A part whose granules are all zero
 * or all holes costs nothing per granule. */

/* The run of granules of one kind that begins at @granule: *out_count of them, at least 1
 * and at most @limit (> 0), and none beyond the image. @granule is < n_granules. */
bool fsn_image_next_run(FsnImage *image,
                        uint64_t granule,
                        uint64_t limit,
                        FsnGranuleKind *out_kind,
                        uint64_t *out_count,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads @count granules from @first, all within the image, into the @count × 4096 bytes at
 * @out, each verified; zero for ZERO and HOLE. On error @out may hold anything. */
bool fsn_image_reader_read_run(FsnImageReader *reader,
                               uint64_t first,
                               uint64_t count,
                               uint8_t *out,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Called with runs of granules whose contents differ; neighbouring ones are one run. False,
 * with the error set, ends the comparison. */
typedef bool (*FsnImageDiffFunc)(gpointer user,
                                 uint64_t first,
                                 uint64_t count,
                                 GError **error);

/* Calls @each with all runs that differ between @a and @b, ascending. A hole is as good as
 * zero, and beyond its end an image counts as zero. Parts of the index that both share cost
 * nothing. */
bool fsn_image_diff(FsnImage *a,
                    FsnImage *b,
                    FsnImageDiffFunc each,
                    gpointer user,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
