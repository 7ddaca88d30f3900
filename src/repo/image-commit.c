/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finishing an image: packs, then index segments, then the root that names them, each
 * durable before the next. Until a manifest names the root all of it is garbage that the
 * lease of this process protects.
 */
#include "config.h"

#include "repo/image-writer-private.h"

#include "base/error.h"
#include "repo/repo-private.h"

#include <string.h>

/* Granules that the root may list as different from its segments: at settling, so that the
 * root stays within half a MiB, and at the end, so that nothing but the root need be
 * written then. */
#define SETTLED_OVERLAY   16384
#define COMMITTED_OVERLAY 32768
/* Memory is given back after so many segments, or entries scattered over them: of either
 * little is read, but the kernel maps far more around it. */
#define TRIM_SEGMENTS     24
#define TRIM_ENTRIES      128

G_STATIC_ASSERT(COMMITTED_OVERLAY <= FSN_ROOT_MAX_OVERLAY);

bool
fsn_image_writer_settle(FsnImageWriter *self, GError **error)
{
    return fsn_pack_writer_flush(self->packs, error) &&
           fsn_image_writer_index(self, SETTLED_OVERLAY, error);
}

typedef struct {
    GHashTable *packs; /* FsnId -> number in the root's table */
    GHashTable *bundles;
} Numbers;

/* Names segment @s of the parent in @root, with its bundle and packs. */
static bool
add_parent_segment(
    FsnImageWriter *self, FsnRoot *root, Numbers *numbers, uint32_t s, GError **error)
{
    const FsnRoot *parent = fsn_image_root(self->parent);
    FsnSegmentRef ref = g_array_index(parent->segments, FsnSegmentRef, s);
    g_autoptr(GArray) ids = NULL;

    if (!fsn_image_segment_packs(self->parent, s, &ids, error)) {
        return false;
    }
    ref.bundle =
        fsn_image_writer_number(numbers->bundles, root->bundles,
                                g_array_index(parent->bundles, FsnObjectRef, ref.bundle));
    g_array_append_val(root->segments, ref);
    for (guint i = 0; i < ids->len; i++) {
        FsnObjectRef pack = { .id = g_array_index(ids, FsnId, i) };

        if (!fsn_image_writer_parent_length(self, &pack.id, &pack.length, error)) {
            return false;
        }
        (void)fsn_image_writer_number(numbers->packs, root->packs, pack);
    }
    return true;
}

static void
add_own_segment(FsnRoot *root, Numbers *numbers, const FsnBaseSegment *base)
{
    FsnSegmentRef ref = base->ref;

    ref.bundle = fsn_image_writer_number(numbers->bundles, root->bundles, base->bundle);
    g_array_append_val(root->segments, ref);
    for (guint i = 0; i < base->packs->len; i++) {
        (void)fsn_image_writer_number(numbers->packs, root->packs,
                                      g_array_index(base->packs, FsnObjectRef, i));
    }
}

static bool
add_segments(FsnImageWriter *self, FsnRoot *root, Numbers *numbers, GError **error)
{
    for (uint32_t s = 0; s < self->n_segments; s++) {
        FsnSegmentRef zero = { .bundle = FSN_ROOT_ZERO_SEGMENT };
        FsnSegmentRef hole = { .bundle = FSN_ROOT_HOLE_SEGMENT };

        if (s % TRIM_SEGMENTS == TRIM_SEGMENTS - 1) {
            fsn_image_writer_trim(self);
        }

        switch (self->base[s].kind) {
        case FSN_BASE_ZERO:
            g_array_append_val(root->segments, zero);
            break;
        case FSN_BASE_HOLE:
            g_array_append_val(root->segments, hole);
            break;
        case FSN_BASE_PARENT:
            if (!add_parent_segment(self, root, numbers, s, error)) {
                return false;
            }
            break;
        case FSN_BASE_OWN:
            add_own_segment(root, numbers, &self->base[s]);
            break;
        }
    }
    return true;
}

static bool
add_overlay(FsnImageWriter *self, FsnRoot *root, Numbers *numbers, GError **error)
{
    for (guint i = 0; i < self->differing->len; i++) {
        FsnOverlayEntry o = { .granule = g_array_index(self->differing, uint64_t, i) };
        FsnObjectRef pack;
        FsnGranule g;

        if (i % TRIM_ENTRIES == TRIM_ENTRIES - 1) {
            fsn_image_writer_trim(self);
        }
        if (!fsn_image_writer_current(self, o.granule, &g, &pack.length, error)) {
            return false;
        }
        o.entry = (FsnEntry){
            .kind = g.kind, .hash = g.hash, .offset = g.offset, .slot = g.slot
        };
        if (g.kind == FSN_GRANULE_DATA) {
            pack.id = g.pack;
            o.entry.pack = fsn_image_writer_number(numbers->packs, root->packs, pack);
        }
        g_array_append_val(root->overlay, o);
    }
    return true;
}

static bool
write_root(FsnImageWriter *self, FsnRoot *root, GError **error)
{
    FsnId id;
    g_autoptr(GByteArray) bytes = NULL;
    g_autofree char *hex = NULL;
    g_autofree char *key = NULL;

    root->writer = self->writer;
    bytes = fsn_root_build(root, &id);
    hex = fsn_id_to_string(&id);
    key = fsn_repo_key(FSN_DIR_ROOTS, hex);
    if (!fsn_repo_protect(self->repo, FSN_DIR_ROOTS, hex, error) ||
        !fsn_blob_put(fsn_repo_store(self->repo), key, bytes->data, bytes->len,
                      FSN_BLOB_REPLACE, error)) {
        return false;
    }
    self->stats.bytes_index += bytes->len;
    g_strlcpy(self->stats.root, hex, sizeof self->stats.root);
    fsn_repo_set_parent(self->repo, hex,
                        self->parent ? fsn_image_root_id(self->parent) : "");
    return true;
}

static bool
build_and_write_root(FsnImageWriter *self, GError **error)
{
    g_autoptr(FsnRoot) root = fsn_root_new(self->n_granules);
    g_autoptr(GHashTable) packs = fsn_image_writer_numbers_new();
    g_autoptr(GHashTable) bundles = fsn_image_writer_numbers_new();
    Numbers numbers = { .packs = packs, .bundles = bundles };

    return add_segments(self, root, &numbers, error) &&
           add_overlay(self, root, &numbers, error) && write_root(self, root, error);
}

/* What the parent's overlay had is no reason to write segments: so an image in which nothing
 * changed costs no more than its root. */
static size_t
overlay_limit(FsnImageWriter *self)
{
    size_t inherited = self->parent ? fsn_image_root(self->parent)->overlay->len : 0;

    return self->indexed ? COMMITTED_OVERLAY
                         : CLAMP(inherited, SETTLED_OVERLAY, COMMITTED_OVERLAY);
}

bool
fsn_image_writer_commit(FsnImageWriter *self, FsnImageStats *out_stats, GError **error)
{
    size_t limit = overlay_limit(self);

    g_assert(!self->committed);
    if (!fsn_pack_writer_flush(self->packs, error) ||
        !fsn_image_writer_index(self, limit, error) ||
        !build_and_write_root(self, error)) {
        return false;
    }
    self->committed = true;
    self->stats.bytes_stored =
        fsn_pack_writer_bytes(self->packs) + self->stats.bytes_index;
    *out_stats = self->stats;
    return true;
}
