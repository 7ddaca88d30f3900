/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which frames are needed, from indexes alone. An entry that the overlay overrides does not
 * count: no image that builds on this one ever takes such an entry up again.
 */
#include "config.h"

#include "repo/live-frames.h"

#include "repo/image-private.h"

#include <string.h>

/* The mapped index gives memory back after so many segments. */
#define TRIM_SEGMENTS 48

struct FsnLiveFrames {
    GHashTable *packs;    /* FsnId -> GHashTable: offsets, as a set */
    GHashTable *segments; /* digests of segments, with what overrides them, seen before */
    FsnId last_pack; /* added last: most granules are in the frame of the one before */
    uint32_t last_offset;
};

static guint
id_hash(gconstpointer key)
{
    guint h;

    memcpy(&h, key, sizeof h);
    return h;
}

static gboolean
id_equal(gconstpointer a, gconstpointer b)
{
    return fsn_id_equal(a, b);
}

FsnLiveFrames *
fsn_live_frames_new(void)
{
    FsnLiveFrames *live = g_new0(FsnLiveFrames, 1);

    live->packs = g_hash_table_new_full(id_hash, id_equal, g_free,
                                        (GDestroyNotify)g_hash_table_unref);
    live->segments = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return live;
}

void
fsn_live_frames_free(FsnLiveFrames *live)
{
    if (live) {
        g_hash_table_unref(live->packs);
        g_hash_table_unref(live->segments);
        g_free(live);
    }
}

static void
add_frame(FsnLiveFrames *live, const FsnId *pack, uint32_t offset)
{
    GHashTable *offsets;

    if (offset == live->last_offset && fsn_id_equal(pack, &live->last_pack)) {
        return;
    }
    live->last_pack = *pack;
    live->last_offset = offset;
    offsets = g_hash_table_lookup(live->packs, pack);
    if (!offsets) {
        offsets = g_hash_table_new(NULL, NULL);
        g_hash_table_insert(live->packs, g_memdup2(pack, sizeof *pack), offsets);
    }
    g_hash_table_add(offsets, GUINT_TO_POINTER(offset));
}

/* Notes segment @s with the granules that override it; false if it was seen before. */
static bool
is_new(FsnLiveFrames *live, FsnImage *image, uint32_t s)
{
    const FsnSegmentRef *ref =
        &g_array_index(fsn_image_root(image)->segments, FsnSegmentRef, s);
    size_t n;
    const FsnOverlayEntry *overlay = fsn_image_overlay(image, s, &n);
    FsnSha256 *sha = fsn_sha256_new();
    uint8_t digest[FSN_SHA256_SIZE];

    fsn_sha256_update(sha, ref->sha256, sizeof ref->sha256);
    for (size_t i = 0; i < n; i++) {
        uint8_t number[8];

        fsn_put_le64(number, overlay[i].granule);
        fsn_sha256_update(sha, number, sizeof number);
    }
    fsn_sha256_finish(sha, digest);
    return g_hash_table_add(live->segments, fsn_hex(digest, sizeof digest));
}

static void
add_entries(FsnLiveFrames *live, FsnImage *image, uint32_t s, const FsnSegment *segment)
{
    size_t n;
    const FsnOverlayEntry *overlay = fsn_image_overlay(image, s, &n);

    for (uint32_t i = 0; i < segment->count; i++) {
        FsnEntry entry;
        FsnId pack;

        if (n > 0 && overlay->granule == segment->first + i) {
            overlay++;
            n--;
            continue;
        }
        /* Entries were checked when the segment was parsed. */
        (void)fsn_entry_get(segment->entries + (size_t)i * FSN_ENTRY_SIZE,
                            segment->n_packs, &entry);
        if (entry.kind == FSN_GRANULE_DATA) {
            memcpy(pack.bytes, segment->packs + (size_t)entry.pack * FSN_ID_SIZE,
                   FSN_ID_SIZE);
            add_frame(live, &pack, entry.offset);
        }
    }
}

static void
add_overlay(FsnLiveFrames *live, const FsnRoot *root)
{
    for (guint i = 0; i < root->overlay->len; i++) {
        const FsnEntry *entry = &g_array_index(root->overlay, FsnOverlayEntry, i).entry;

        if (entry->kind == FSN_GRANULE_DATA) {
            add_frame(live, &g_array_index(root->packs, FsnObjectRef, entry->pack).id,
                      entry->offset);
        }
    }
}

bool
fsn_live_frames_add(FsnLiveFrames *live, FsnImage *image, GError **error)
{
    const FsnRoot *root = fsn_image_root(image);
    unsigned read = 0;

    for (uint32_t s = 0; s < root->segments->len; s++) {
        FsnSegment segment;

        if (fsn_segment_ref_uniform(&g_array_index(root->segments, FsnSegmentRef, s)) ||
            !is_new(live, image, s)) {
            continue;
        }
        if (!fsn_image_segment(image, s, &segment, error)) {
            return false;
        }
        add_entries(live, image, s, &segment);
        if (++read % TRIM_SEGMENTS == 0) {
            fsn_image_trim(image);
        }
    }
    add_overlay(live, root);
    return true;
}

bool
fsn_live_frames_has(const FsnLiveFrames *live, const FsnId *pack, uint32_t offset)
{
    GHashTable *offsets = g_hash_table_lookup(live->packs, pack);

    return offsets && g_hash_table_contains(offsets, GUINT_TO_POINTER(offset));
}

bool
fsn_live_frames_each(const FsnLiveFrames *live,
                     const FsnId *pack,
                     FsnLiveFrameFunc each,
                     gpointer user)
{
    GHashTable *offsets = g_hash_table_lookup(live->packs, pack);
    GHashTableIter iter;
    gpointer offset;

    if (offsets) {
        g_hash_table_iter_init(&iter, offsets);
        while (g_hash_table_iter_next(&iter, &offset, NULL)) {
            if (!each(user, GPOINTER_TO_UINT(offset))) {
                return false;
            }
        }
    }
    return true;
}
