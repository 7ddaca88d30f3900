/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images by their index: root, segments, overlay. The root is read and verified when the
 * image is opened, a segment when the first of its granules is asked for, so that an image
 * of any size opens at once. Granules themselves are read in image-reader.c.
 */
#include "config.h"

#include "repo/image-private.h"

#include "base/error.h"
#include "repo/repo-private.h"

#include <string.h>

typedef struct {
    FsnSegment segment;
    int ready; /* atomic: segment is verified */
} SegmentState;

struct FsnImage {
    FsnRepo *repo; /* borrowed */
    char *root_id;
    FsnRoot *root;
    SegmentState *segments;
    uint32_t *overlay_start; /* per segment, and one past the last */
    GMutex lock;
    FsnBlob **bundles; /* opened when needed; guarded by lock until set */
};

/* Where the overlay entries of each segment begin. */
static uint32_t *
overlay_starts(const FsnRoot *root)
{
    uint32_t n = root->segments->len;
    uint32_t *starts = g_new0(uint32_t, n + 1);
    uint32_t i = 0;

    for (uint32_t s = 0; s <= n; s++) {
        while (i < root->overlay->len &&
               g_array_index(root->overlay, FsnOverlayEntry, i).granule <
                   (uint64_t)s * FSN_SEGMENT_GRANULES) {
            i++;
        }
        starts[s] = s == n ? root->overlay->len : i;
    }
    return starts;
}

FsnImage *
fsn_image_open(FsnRepo *repo, const char *root_id, GError **error)
{
    g_autoptr(FsnRoot) root = NULL;
    g_autoptr(GBytes) bytes = NULL;
    g_autofree char *key = NULL;
    FsnImage *image;
    FsnId id;

    if (!fsn_id_parse(root_id, &id)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "'%.80s' names no image",
                    root_id);
        return NULL;
    }
    key = fsn_repo_id_key(FSN_DIR_ROOTS, &id);
    if (!fsn_repo_get_blob(repo, key, FSN_ROOT_MAX_SIZE, &bytes, error) ||
        !fsn_root_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &id, key,
                        &root, error)) {
        return NULL;
    }
    image = g_new0(FsnImage, 1);
    g_mutex_init(&image->lock);
    image->repo = repo;
    image->root_id = fsn_id_to_string(&id);
    image->overlay_start = overlay_starts(root);
    image->segments = g_new0(SegmentState, root->segments->len);
    image->bundles = g_new0(FsnBlob *, root->bundles->len);
    image->root = g_steal_pointer(&root);
    return image;
}

void
fsn_image_free(FsnImage *image)
{
    if (image) {
        for (guint i = 0; i < image->root->bundles->len; i++) {
            fsn_blob_free(image->bundles[i]);
        }
        fsn_root_free(image->root);
        g_mutex_clear(&image->lock);
        g_free(image->bundles);
        g_free(image->segments);
        g_free(image->overlay_start);
        g_free(image->root_id);
        g_free(image);
    }
}

uint64_t
fsn_image_n_granules(FsnImage *image)
{
    return image->root->n_granules;
}

const char *
fsn_image_root_id(FsnImage *image)
{
    return image->root_id;
}

FsnRepo *
fsn_image_repo(FsnImage *image)
{
    return image->repo;
}

const FsnRoot *
fsn_image_root(FsnImage *image)
{
    return image->root;
}

/* Called with the lock held. */
static FsnBlob *
open_bundle(FsnImage *image, uint32_t number, GError **error)
{
    const FsnObjectRef *ref = &g_array_index(image->root->bundles, FsnObjectRef, number);
    g_autofree char *key = fsn_repo_id_key(FSN_DIR_BUNDLES, &ref->id);
    g_autoptr(FsnBlob) blob = NULL;
    uint8_t header[FSN_OBJECT_HEADER_SIZE];

    if (!image->bundles[number]) {
        blob = fsn_repo_open_blob(image->repo, key, error);
        if (!blob) {
            return NULL;
        }
        if (fsn_blob_length(blob) != ref->length) {
            fsn_set_damaged(error, key,
                            "it has %" G_GUINT64_FORMAT
                            " bytes and should have %" G_GUINT64_FORMAT,
                            fsn_blob_length(blob), ref->length);
            return NULL;
        }
        if (!fsn_blob_pread(blob, header, sizeof header, 0, error) ||
            !fsn_object_header_check(header, sizeof header, FSN_MAGIC_BUNDLE, &ref->id,
                                     key, error)) {
            return NULL;
        }
        image->bundles[number] = g_steal_pointer(&blob);
    }
    return image->bundles[number];
}

/* Verifies segment @number; called with the lock held. */
static bool
load_segment(FsnImage *image, uint32_t number, GError **error)
{
    const FsnSegmentRef *ref =
        &g_array_index(image->root->segments, FsnSegmentRef, number);
    SegmentState *state = &image->segments[number];
    uint8_t sha[FSN_SHA256_SIZE];
    const uint8_t *data;
    FsnBlob *blob;

    if (fsn_segment_ref_uniform(ref)) {
        return true;
    }
    blob = open_bundle(image, ref->bundle, error);
    if (!blob || !(data = fsn_blob_map(blob, error))) {
        return false;
    }
    data += ref->offset;
    fsn_sha256(data, ref->length, sha);
    if (memcmp(sha, ref->sha256, sizeof sha) != 0) {
        return fsn_set_damaged(
            error, fsn_blob_key(blob),
            "the SHA-256 of the segment at %" G_GUINT64_FORMAT " is wrong", ref->offset);
    }
    return fsn_segment_parse(data, ref->length, (uint64_t)number * FSN_SEGMENT_GRANULES,
                             fsn_root_segment_count(image->root->n_granules, number),
                             fsn_blob_key(blob), &state->segment, error);
}

bool
fsn_image_segment(FsnImage *image,
                  uint32_t segment,
                  FsnSegment *out_segment,
                  GError **error)
{
    SegmentState *state = &image->segments[segment];

    if (G_UNLIKELY(!g_atomic_int_get(&state->ready))) {
        g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&image->lock);

        if (!g_atomic_int_get(&state->ready)) {
            if (!load_segment(image, segment, error)) {
                return false;
            }
            g_atomic_int_set(&state->ready, 1);
        }
    }
    *out_segment = state->segment;
    return true;
}

FsnGranuleKind
fsn_image_uniform_kind(FsnImage *image, uint32_t segment)
{
    return fsn_segment_ref_kind(
        &g_array_index(image->root->segments, FsnSegmentRef, segment));
}

/* Reads the table of a segment that may not have been verified yet. Its length is known
 * from the root, and the caller finds each id in the root's table. */
static bool
read_packs(FsnImage *image,
           const FsnSegmentRef *ref,
           uint32_t count,
           GArray *packs,
           GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&image->lock);
    FsnBlob *blob = open_bundle(image, ref->bundle, error);
    uint64_t entries = FSN_SEGMENT_HEADER_SIZE + (uint64_t)count * FSN_ENTRY_SIZE;

    if (!blob) {
        return false;
    }
    if (ref->length < entries || (ref->length - entries) % FSN_ID_SIZE != 0) {
        return fsn_set_damaged(error, fsn_blob_key(blob),
                               "the index segment has another length");
    }
    g_array_set_size(packs, (guint)((ref->length - entries) / FSN_ID_SIZE));
    return fsn_blob_pread(blob, packs->data, (size_t)(ref->length - entries),
                          ref->offset + FSN_SEGMENT_HEADER_SIZE, error);
}

bool
fsn_image_segment_packs(FsnImage *image,
                        uint32_t segment,
                        GArray **out_packs,
                        GError **error)
{
    const FsnSegmentRef *ref =
        &g_array_index(image->root->segments, FsnSegmentRef, segment);
    uint32_t count = fsn_root_segment_count(image->root->n_granules, segment);
    g_autoptr(GArray) packs = g_array_new(FALSE, FALSE, sizeof(FsnId));

    if (!fsn_segment_ref_uniform(ref) && !read_packs(image, ref, count, packs, error)) {
        return false;
    }
    *out_packs = g_steal_pointer(&packs);
    return true;
}

const FsnOverlayEntry *
fsn_image_overlay(FsnImage *image, uint32_t segment, size_t *out_n)
{
    uint32_t start = image->overlay_start[segment];

    *out_n = image->overlay_start[segment + 1] - start;
    return (const FsnOverlayEntry *)image->root->overlay->data + start;
}

/* Finds @granule in the overlay of its segment. */
static const FsnOverlayEntry *
find_overlay(FsnImage *image, uint64_t granule)
{
    size_t n;
    const FsnOverlayEntry *o =
        fsn_image_overlay(image, (uint32_t)(granule / FSN_SEGMENT_GRANULES), &n);

    while (n > 0) {
        size_t half = n / 2;

        if (o[half].granule == granule) {
            return &o[half];
        }
        if (o[half].granule < granule) {
            o += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return NULL;
}

bool
fsn_image_entry(FsnImage *image,
                uint64_t granule,
                FsnEntry *out_entry,
                FsnSegment *out_segment,
                GError **error)
{
    uint32_t segment = (uint32_t)(granule / FSN_SEGMENT_GRANULES);
    const FsnOverlayEntry *overlay;

    g_assert(granule < image->root->n_granules);
    overlay = find_overlay(image, granule);
    if (overlay) {
        *out_entry = overlay->entry;
        *out_segment = (FsnSegment){ 0 };
        return true;
    }
    if (!fsn_image_segment(image, segment, out_segment, error)) {
        return false;
    }
    if (out_segment->count == 0) {
        *out_entry = (FsnEntry){ .kind = fsn_image_uniform_kind(image, segment) };
        return true;
    }
    /* Entries were checked when the segment was parsed. */
    (void)fsn_entry_get(out_segment->entries +
                            (granule - out_segment->first) * FSN_ENTRY_SIZE,
                        out_segment->n_packs, out_entry);
    return true;
}

bool
fsn_image_lookup(FsnImage *image,
                 uint64_t granule,
                 FsnGranule *out_granule,
                 GError **error)
{
    FsnSegment segment;
    FsnEntry entry;

    if (!fsn_image_entry(image, granule, &entry, &segment, error)) {
        return false;
    }
    memset(out_granule, 0, sizeof *out_granule);
    out_granule->kind = entry.kind;
    if (entry.kind == FSN_GRANULE_DATA) {
        out_granule->hash = entry.hash;
        out_granule->offset = entry.offset;
        out_granule->slot = entry.slot;
        if (segment.packs) {
            memcpy(out_granule->pack.bytes, segment.packs + entry.pack * FSN_ID_SIZE,
                   FSN_ID_SIZE);
        } else {
            out_granule->pack =
                g_array_index(image->root->packs, FsnObjectRef, entry.pack).id;
        }
    }
    return true;
}

void
fsn_image_trim(FsnImage *image)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&image->lock);

    for (guint i = 0; i < image->root->bundles->len; i++) {
        if (image->bundles[i]) {
            fsn_blob_trim(image->bundles[i]);
        }
    }
}
