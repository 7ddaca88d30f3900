/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs of granules of one kind, from the index alone: a segment that is zero or a hole as a
 * whole is one step, whatever its size.
 */
#include "config.h"

#include "repo/image-runs.h"

#include "repo/image-private.h"

/* The granules of one kind from @granule within its segment; none at @end or after. */
static bool
run_in_segment(FsnImage *image,
               uint64_t granule,
               uint64_t end,
               FsnGranuleKind *out_kind,
               uint64_t *out_count,
               GError **error)
{
    uint32_t s = (uint32_t)(granule / FSN_SEGMENT_GRANULES);
    uint64_t first = (uint64_t)s * FSN_SEGMENT_GRANULES;
    uint32_t count = (uint32_t)MIN(end - first, FSN_SEGMENT_GRANULES);
    uint32_t start = (uint32_t)(granule - first), i = start;
    size_t n;
    const FsnOverlayEntry *overlay = fsn_image_overlay(image, s, &n);
    FsnGranuleKind kind = FSN_GRANULE_ZERO;
    FsnSegment segment;

    if (!fsn_image_segment(image, s, &segment, error)) {
        return false;
    }
    for (; n > 0 && overlay->granule < granule; n--) {
        overlay++;
    }
    while (i < count) {
        bool overlaid = n > 0 && overlay->granule == first + i;
        FsnGranuleKind here = overlaid            ? overlay->entry.kind
                              : segment.count > 0 ? fsn_segment_kind(&segment, i)
                                                  : fsn_image_uniform_kind(image, s);

        if (i == start) {
            kind = here;
        } else if (here != kind) {
            break;
        }
        if (overlaid) {
            overlay++;
            n--;
            i++;
        } else if (segment.count > 0) {
            i++;
        } else {
            i = n > 0 ? (uint32_t)MIN(overlay->granule - first, count) : count;
        }
    }
    *out_kind = kind;
    *out_count = i - start;
    return true;
}

bool
fsn_image_next_run(FsnImage *image,
                   uint64_t granule,
                   uint64_t limit,
                   FsnGranuleKind *out_kind,
                   uint64_t *out_count,
                   GError **error)
{
    uint64_t end = fsn_image_n_granules(image);
    FsnGranuleKind kind, here;
    uint64_t count, more;

    g_assert(granule < end && limit > 0);
    end = limit < end - granule ? granule + limit : end;
    if (!run_in_segment(image, granule, end, &kind, &count, error)) {
        return false;
    }
    /* A run that does not end where its segment does ends there for good. */
    while (granule + count < end && (granule + count) % FSN_SEGMENT_GRANULES == 0) {
        if (!run_in_segment(image, granule + count, end, &here, &more, error)) {
            return false;
        }
        if (here != kind) {
            break;
        }
        count += more;
    }
    *out_kind = kind;
    *out_count = count;
    return true;
}
