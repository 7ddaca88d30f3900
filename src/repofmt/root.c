/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Roots of images: everything an image needs, by name, length and digest, in one small
 * object. It knows nothing of where objects live.
 */
#include "config.h"

#include "repofmt/root.h"

#include <string.h>

#define REF_SIZE     24
#define SEGMENT_SIZE 48
#define OVERLAY_SIZE 32

FsnRoot *
fsn_root_new(uint64_t n_granules)
{
    FsnRoot *root = g_new0(FsnRoot, 1);

    root->n_granules = n_granules;
    root->bundles = g_array_new(FALSE, FALSE, sizeof(FsnObjectRef));
    root->packs = g_array_new(FALSE, FALSE, sizeof(FsnObjectRef));
    root->segments = g_array_new(FALSE, FALSE, sizeof(FsnSegmentRef));
    root->overlay = g_array_new(FALSE, FALSE, sizeof(FsnOverlayEntry));
    return root;
}

void
fsn_root_free(FsnRoot *root)
{
    if (root) {
        g_array_unref(root->bundles);
        g_array_unref(root->packs);
        g_array_unref(root->segments);
        g_array_unref(root->overlay);
        g_free(root);
    }
}

uint32_t
fsn_root_segments_for(uint64_t n_granules)
{
    return (uint32_t)((n_granules + FSN_SEGMENT_GRANULES - 1) / FSN_SEGMENT_GRANULES);
}

uint32_t
fsn_root_segment_count(uint64_t n_granules, uint32_t segment)
{
    uint64_t first = (uint64_t)segment * FSN_SEGMENT_GRANULES;

    return (uint32_t)MIN(n_granules - first, FSN_SEGMENT_GRANULES);
}

static void
append_refs(GByteArray *out, GArray *refs)
{
    for (guint i = 0; i < refs->len; i++) {
        const FsnObjectRef *ref = &g_array_index(refs, FsnObjectRef, i);

        g_byte_array_append(out, ref->id.bytes, FSN_ID_SIZE);
        fsn_append_le64(out, ref->length);
    }
}

static uint32_t
features_of(const FsnRoot *root)
{
    for (guint i = 0; i < root->segments->len; i++) {
        if (g_array_index(root->segments, FsnSegmentRef, i).bundle ==
            FSN_ROOT_HOLE_SEGMENT) {
            return FSN_INCOMPAT_HOLE_SEGMENTS;
        }
    }
    return 0;
}

static void
append_segments(GByteArray *out, GArray *segments)
{
    for (guint i = 0; i < segments->len; i++) {
        const FsnSegmentRef *seg = &g_array_index(segments, FsnSegmentRef, i);

        fsn_append_le32(out, seg->bundle);
        fsn_append_le32(out, seg->length);
        fsn_append_le64(out, seg->offset);
        g_byte_array_append(out, seg->sha256, sizeof seg->sha256);
    }
}

GByteArray *
fsn_root_build(const FsnRoot *root, FsnId *out_id)
{
    GByteArray *out = g_byte_array_new();
    FsnObjectHeader header = { .incompat = features_of(root), .writer = root->writer };

    g_assert(root->segments->len == fsn_root_segments_for(root->n_granules));
    g_assert(root->overlay->len <= FSN_ROOT_MAX_OVERLAY);
    fsn_object_header_append(out, FSN_MAGIC_ROOT, &header);
    fsn_append_le64(out, root->n_granules);
    fsn_append_le32(out, FSN_GRANULE_SIZE);
    fsn_append_le32(out, FSN_SEGMENT_GRANULES);
    fsn_append_le32(out, root->bundles->len);
    fsn_append_le32(out, root->packs->len);
    fsn_append_le32(out, root->segments->len);
    fsn_append_le32(out, root->overlay->len);
    append_refs(out, root->bundles);
    append_refs(out, root->packs);
    append_segments(out, root->segments);
    for (guint i = 0; i < root->overlay->len; i++) {
        const FsnOverlayEntry *o = &g_array_index(root->overlay, FsnOverlayEntry, i);
        uint8_t bytes[FSN_ENTRY_SIZE];

        fsn_append_le64(out, o->granule);
        fsn_entry_put(bytes, &o->entry);
        g_byte_array_append(out, bytes, sizeof bytes);
    }
    fsn_object_seal(out);
    memcpy(out_id->bytes, out->data + out->len - FSN_SHA256_SIZE, FSN_ID_SIZE);
    return out;
}

static const uint8_t *
parse_refs(const uint8_t *p, uint32_t n, GArray *refs)
{
    for (uint32_t i = 0; i < n; i++, p += REF_SIZE) {
        FsnObjectRef ref = { .length = fsn_get_le64(p + FSN_ID_SIZE) };

        memcpy(ref.id.bytes, p, FSN_ID_SIZE);
        g_array_append_val(refs, ref);
    }
    return p;
}

static bool
segment_ref_valid(const FsnSegmentRef *seg, const FsnRoot *root, uint32_t incompat)
{
    uint64_t length;

    if (seg->bundle == FSN_ROOT_ZERO_SEGMENT) {
        return true;
    }
    if (seg->bundle == FSN_ROOT_HOLE_SEGMENT) {
        return incompat & FSN_INCOMPAT_HOLE_SEGMENTS;
    }
    if (seg->bundle >= root->bundles->len) {
        return false;
    }
    length = g_array_index(root->bundles, FsnObjectRef, seg->bundle).length;
    return seg->length <= FSN_SEGMENT_MAX_SIZE && seg->offset % 8 == 0 &&
           seg->offset >= FSN_OBJECT_HEADER_SIZE && seg->offset <= length &&
           seg->length <= length - seg->offset;
}

static bool
parse_tables(
    FsnRoot *root, const uint8_t *data, size_t len, const char *what, GError **error)
{
    uint64_t n_bundles = fsn_get_le32(data + 80);
    uint64_t n_packs = fsn_get_le32(data + 84);
    uint64_t n_segments = fsn_get_le32(data + 88);
    uint64_t n_overlay = fsn_get_le32(data + 92);
    uint32_t incompat = fsn_get_le32(data + 12);
    const uint8_t *p = data + FSN_ROOT_FIXED_SIZE;
    uint64_t previous = 0;

    if (n_segments != fsn_root_segments_for(root->n_granules) ||
        n_packs > FSN_ENTRY_MAX_PACKS || n_overlay > FSN_ROOT_MAX_OVERLAY ||
        len != FSN_ROOT_FIXED_SIZE + (n_bundles + n_packs) * REF_SIZE +
                   n_segments * SEGMENT_SIZE + n_overlay * OVERLAY_SIZE +
                   FSN_SHA256_SIZE) {
        return fsn_set_damaged(error, what, "its tables do not fit its length");
    }
    p = parse_refs(p, (uint32_t)n_bundles, root->bundles);
    p = parse_refs(p, (uint32_t)n_packs, root->packs);
    for (uint64_t i = 0; i < n_segments; i++, p += SEGMENT_SIZE) {
        FsnSegmentRef seg = { .bundle = fsn_get_le32(p),
                              .length = fsn_get_le32(p + 4),
                              .offset = fsn_get_le64(p + 8) };

        memcpy(seg.sha256, p + 16, sizeof seg.sha256);
        if (!segment_ref_valid(&seg, root, incompat)) {
            return fsn_set_damaged(error, what, "segment %u", (unsigned)i);
        }
        g_array_append_val(root->segments, seg);
    }
    for (uint64_t i = 0; i < n_overlay; i++, p += OVERLAY_SIZE) {
        FsnOverlayEntry o = { .granule = fsn_get_le64(p) };

        if (!fsn_entry_get(p + 8, (uint32_t)n_packs, &o.entry) ||
            o.granule >= root->n_granules || (i > 0 && o.granule <= previous)) {
            return fsn_set_damaged(error, what, "overlay entry %u", (unsigned)i);
        }
        previous = o.granule;
        g_array_append_val(root->overlay, o);
    }
    return true;
}

bool
fsn_root_parse(const uint8_t *data,
               size_t len,
               const FsnId *expected,
               const char *what,
               FsnRoot **out_root,
               GError **error)
{
    g_autoptr(FsnRoot) root = NULL;
    FsnObjectHeader header;
    uint64_t n_granules;

    if (!fsn_object_header_parse(data, len, FSN_MAGIC_ROOT, what, &header, error)) {
        return false;
    }
    if (len < FSN_ROOT_FIXED_SIZE + FSN_SHA256_SIZE) {
        return fsn_set_damaged(error, what, "it has only %zu bytes", len);
    }
    if (!fsn_object_check_seal(data, len, what, error)) {
        return false;
    }
    if (memcmp(expected->bytes, data + len - FSN_SHA256_SIZE, FSN_ID_SIZE) != 0) {
        return fsn_set_damaged(error, what, "it is the root of another image");
    }
    n_granules = fsn_get_le64(data + 64);
    if (n_granules > FSN_ROOT_MAX_GRANULES ||
        fsn_get_le32(data + 72) != FSN_GRANULE_SIZE ||
        fsn_get_le32(data + 76) != FSN_SEGMENT_GRANULES) {
        return fsn_set_damaged(error, what, "granules or segments of another size");
    }
    root = fsn_root_new(n_granules);
    root->writer = header.writer;
    if (!parse_tables(root, data, len, what, error)) {
        return false;
    }
    *out_root = g_steal_pointer(&root);
    return true;
}
