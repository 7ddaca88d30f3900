/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On what each segment of an image in progress rests: of zero, holes and the parent's
 * segment the one from which the fewest of its granules differ. A segment that was never
 * put and is inherited is not read at all.
 */
#include "config.h"

#include "repo/image-writer-private.h"

/* Memory is given back after so many segments. */
#define TRIM_SEGMENTS 24

/* Whether segment @s of the parent is one for the same granules. */
static bool
parent_covers(FsnImageWriter *self, uint32_t s)
{
    return self->parent && s < fsn_image_root(self->parent)->segments->len &&
           fsn_root_segment_count(fsn_image_n_granules(self->parent), s) ==
               fsn_root_segment_count(self->n_granules, s);
}

/* One segment as it is now, and what the parent has in its place. */
typedef struct {
    uint32_t count;
    const FsnMapEntry *entries; /* null: all are of kind fill */
    FsnMapKind fill;
    bool covered;          /* the parent's segment is one for the same granules … */
    FsnSegment base;       /* … and has these entries, unless it is uniform … */
    FsnGranuleKind parent; /* … of this kind … */
    const FsnOverlayEntry *overlay; /* … and is overlaid by these */
    size_t n_overlay;
} View;

static bool
view_segment(FsnImageWriter *self, uint32_t s, View *out_view, GError **error)
{
    View v = { .count = fsn_root_segment_count(self->n_granules, s),
               .fill = fsn_granule_map_fill(self->map, s),
               .covered = parent_covers(self, s) };

    if (v.fill == FSN_MAP_MIXED) {
        v.entries = fsn_granule_map_segment(self->map, s);
    }
    if (self->parent && s < fsn_image_root(self->parent)->segments->len) {
        v.overlay = fsn_image_overlay(self->parent, s, &v.n_overlay);
        v.parent = fsn_image_uniform_kind(self->parent, s);
        if (!fsn_image_segment(self->parent, s, &v.base, error)) {
            return false;
        }
    }
    *out_view = v;
    return true;
}

/* Whether the segment, of which granule @i now is @now, differs there from base @kind.
 * @overlay is what the parent's overlay has there, or null. */
static bool
differs(const View *v,
        uint32_t i,
        FsnMapKind now,
        const FsnOverlayEntry *overlay,
        FsnBaseKind kind)
{
    FsnGranuleKind parent = i < v->base.count ? fsn_segment_kind(&v->base, i) : v->parent;
    bool as_parent = now == FSN_MAP_SAME || now == FSN_MAP_INHERITED;
    FsnGranuleKind is = FSN_GRANULE_DATA;

    if (as_parent) {
        is = overlay ? overlay->entry.kind : parent;
    } else if (now != FSN_MAP_DATA) {
        is = now == FSN_MAP_HOLE ? FSN_GRANULE_HOLE : FSN_GRANULE_ZERO;
    }
    switch (kind) {
    case FSN_BASE_ZERO:
        return is != FSN_GRANULE_ZERO;
    case FSN_BASE_HOLE:
        return is != FSN_GRANULE_HOLE;
    case FSN_BASE_PARENT:
        return as_parent ? overlay != NULL : is == FSN_GRANULE_DATA || is != parent;
    case FSN_BASE_OWN:
        break;
    }
    g_assert_not_reached();
}

/* Counts the granules of the segment from @first that differ from base @kind, and appends
 * them to @out unless that is null. */
static guint
list_differing(const View *v, uint64_t first, FsnBaseKind kind, GArray *out)
{
    const FsnOverlayEntry *overlay = v->overlay;
    size_t n_overlay = v->n_overlay;
    guint n = 0;

    for (uint32_t i = 0; i < v->count; i++) {
        uint64_t granule = first + i;
        FsnMapKind now = v->entries ? v->entries[i].kind : v->fill;
        bool overlaid = n_overlay > 0 && overlay->granule == granule;

        if (differs(v, i, now, overlaid ? overlay : NULL, kind)) {
            n++;
            if (out) {
                g_array_append_val(out, granule);
            }
        }
        if (overlaid) {
            overlay++;
            n_overlay--;
        }
    }
    return n;
}

/* Rests segment @s, all of which is as in the parent, on the parent's. */
static void
inherit_segment(FsnImageWriter *self, uint32_t s)
{
    const FsnRoot *parent = fsn_image_root(self->parent);
    const FsnSegmentRef *ref = &g_array_index(parent->segments, FsnSegmentRef, s);
    size_t n;
    const FsnOverlayEntry *overlay = fsn_image_overlay(self->parent, s, &n);

    if (!fsn_segment_ref_uniform(ref)) {
        self->base[s].kind = FSN_BASE_PARENT;
    } else if (fsn_segment_ref_kind(ref) == FSN_GRANULE_HOLE) {
        self->base[s].kind = FSN_BASE_HOLE;
    }
    for (size_t i = 0; i < n; i++) {
        g_array_append_val(self->differing, overlay[i].granule);
    }
}

/* Sets the base of segment @s: the one from which the fewest of its granules differ. Lists
 * those, unless the segment will be written anew. */
static bool
classify(FsnImageWriter *self, uint32_t s, GError **error)
{
    uint64_t first = (uint64_t)s * FSN_SEGMENT_GRANULES;
    FsnMapKind fill = fsn_granule_map_fill(self->map, s);
    guint best = G_MAXUINT;
    View v;

    if (fill == FSN_MAP_ZERO || fill == FSN_MAP_HOLE) {
        self->base[s].kind = fill == FSN_MAP_HOLE ? FSN_BASE_HOLE : FSN_BASE_ZERO;
        return true;
    }
    if (fill == FSN_MAP_INHERITED && parent_covers(self, s)) {
        inherit_segment(self, s);
        return true;
    }
    if (!view_segment(self, s, &v, error)) {
        return false;
    }
    for (FsnBaseKind kind = FSN_BASE_ZERO; kind <= FSN_BASE_PARENT; kind++) {
        bool offered = kind != FSN_BASE_PARENT || (v.covered && v.base.count > 0);
        guint n = offered ? list_differing(&v, first, kind, NULL) : G_MAXUINT;

        if (n < best) {
            best = n;
            self->base[s].kind = kind;
        }
    }
    if (fsn_image_writer_worth_rewriting(self, s, best)) {
        self->base[s].kind = FSN_BASE_ZERO;
        self->rewrite[s] = 1;
    } else {
        (void)list_differing(&v, first, self->base[s].kind, self->differing);
    }
    return true;
}

/* Takes granules of segments that are to be classified off the list: of a segment that was
 * filled anew nothing counts that was known. */
static void
forget_touched(FsnImageWriter *self)
{
    guint n = 0;

    for (guint i = 0; i < self->differing->len; i++) {
        uint64_t granule = g_array_index(self->differing, uint64_t, i);

        if (self->touched[granule / FSN_SEGMENT_GRANULES] != FSN_TOUCHED) {
            g_array_index(self->differing, uint64_t, n++) = granule;
        }
    }
    g_array_set_size(self->differing, n);
}

bool
fsn_image_writer_classify(FsnImageWriter *self, GError **error)
{
    unsigned read = 0;

    forget_touched(self);
    for (uint32_t s = 0; s < self->n_segments; s++) {
        if (self->touched[s] != FSN_TOUCHED) {
            continue;
        }
        g_clear_pointer(&self->base[s].packs, g_array_unref);
        self->base[s] = (FsnBaseSegment){ .kind = FSN_BASE_ZERO };
        if (!classify(self, s, error)) {
            return false;
        }
        self->touched[s] = FSN_CLASSIFIED_NOW;
        if (++read % TRIM_SEGMENTS == 0) {
            fsn_image_writer_trim(self);
        }
    }
    return true;
}
