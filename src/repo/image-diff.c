/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between two images, by their indexes alone: no data is read. Where both rest
 * on the same index segment only their overlays are compared, so that images which follow
 * each other cost what changed between them.
 */
#include "config.h"

#include "repo/image-private.h"
#include "repo/image-runs.h"

#include <string.h>

/* The mapped indexes give memory back after so many segments. */
#define TRIM_SEGMENTS 48

typedef struct {
    FsnImage *a;
    FsnImage *b;
    FsnImageDiffFunc each;
    gpointer user;
    uint64_t first; /* of the run that is being collected */
    uint64_t count;
} Diff;

static bool
flush(Diff *d, GError **error)
{
    uint64_t count = d->count;

    d->count = 0;
    return count == 0 || d->each(d->user, d->first, count, error);
}

static bool
add(Diff *d, uint64_t granule, GError **error)
{
    if (d->count > 0 && d->first + d->count == granule) {
        d->count++;
        return true;
    }
    if (!flush(d, error)) {
        return false;
    }
    d->first = granule;
    d->count = 1;
    return true;
}

static bool
entry_or_zero(FsnImage *image, uint64_t granule, FsnEntry *out_entry, GError **error)
{
    FsnSegment segment;

    if (granule >= fsn_image_n_granules(image)) {
        *out_entry = (FsnEntry){ .kind = FSN_GRANULE_ZERO };
        return true;
    }
    return fsn_image_entry(image, granule, out_entry, &segment, error);
}

static bool
compare(Diff *d, uint64_t granule, GError **error)
{
    FsnEntry x, y;

    if (!entry_or_zero(d->a, granule, &x, error) ||
        !entry_or_zero(d->b, granule, &y, error)) {
        return false;
    }
    if ((x.kind == FSN_GRANULE_DATA) == (y.kind == FSN_GRANULE_DATA) &&
        (x.kind != FSN_GRANULE_DATA || fsn_hash128_equal(x.hash, y.hash))) {
        return true;
    }
    return add(d, granule, error);
}

/* Whether segment @s reads as zero but for its overlay; also where the image has ended. */
static bool
reads_as_zero(FsnImage *image, uint32_t s)
{
    GArray *segments = fsn_image_root(image)->segments;

    return s >= segments->len ||
           fsn_segment_ref_uniform(&g_array_index(segments, FsnSegmentRef, s));
}

/* Whether segment @s has the same entries in both, but for the overlays. */
static bool
same_base(Diff *d, uint32_t s)
{
    if (reads_as_zero(d->a, s) || reads_as_zero(d->b, s)) {
        return reads_as_zero(d->a, s) && reads_as_zero(d->b, s);
    }
    return memcmp(g_array_index(fsn_image_root(d->a)->segments, FsnSegmentRef, s).sha256,
                  g_array_index(fsn_image_root(d->b)->segments, FsnSegmentRef, s).sha256,
                  FSN_SHA256_SIZE) == 0;
}

static const FsnOverlayEntry *
overlay_of(FsnImage *image, uint32_t s, size_t *out_n)
{
    *out_n = 0;
    return s < fsn_image_root(image)->segments->len ? fsn_image_overlay(image, s, out_n)
                                                    : NULL;
}

/* Compares the granules that either overlay names. */
static bool
compare_overlays(Diff *d, uint32_t s, GError **error)
{
    size_t n_a, n_b, i = 0, j = 0;
    const FsnOverlayEntry *a = overlay_of(d->a, s, &n_a);
    const FsnOverlayEntry *b = overlay_of(d->b, s, &n_b);

    while (i < n_a || j < n_b) {
        uint64_t x = i < n_a ? a[i].granule : G_MAXUINT64;
        uint64_t y = j < n_b ? b[j].granule : G_MAXUINT64;

        if (!compare(d, MIN(x, y), error)) {
            return false;
        }
        i += x <= y;
        j += y <= x;
    }
    return true;
}

static bool
compare_segment(Diff *d, uint32_t s, uint64_t end, GError **error)
{
    uint64_t granule = (uint64_t)s * FSN_SEGMENT_GRANULES;

    if (same_base(d, s)) {
        return compare_overlays(d, s, error);
    }
    end = MIN(end, granule + FSN_SEGMENT_GRANULES);
    for (; granule < end; granule++) {
        if (!compare(d, granule, error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_image_diff(
    FsnImage *a, FsnImage *b, FsnImageDiffFunc each, gpointer user, GError **error)
{
    uint64_t n = MAX(fsn_image_n_granules(a), fsn_image_n_granules(b));
    uint32_t n_segments = fsn_root_segments_for(n);
    Diff d = { .a = a, .b = b, .each = each, .user = user };

    for (uint32_t s = 0; s < n_segments; s++) {
        if (!compare_segment(&d, s, n, error)) {
            return false;
        }
        if (s % TRIM_SEGMENTS == TRIM_SEGMENTS - 1) {
            fsn_image_trim(a);
            fsn_image_trim(b);
        }
    }
    return flush(&d, error);
}

static bool
count_changed(gpointer user, uint64_t first, uint64_t count, GError **error)
{
    *(uint64_t *)user += count;
    return true;
}

bool
fsn_image_changed(FsnImage *a, FsnImage *b, uint64_t *out_changed, GError **error)
{
    uint64_t changed = 0;

    if (!fsn_image_diff(a, b, count_changed, &changed, error)) {
        return false;
    }
    *out_changed = changed;
    return true;
}
