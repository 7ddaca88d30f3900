/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "repofmt/granule.h"
#include "repofmt/header.h"
#include "repofmt/segment.h"

G_BEGIN_DECLS

/* The root of an image's index; its id is the first half of its seal, so that a root can
 * not be mistaken for another. Little-endian, after the object header "FSNROOT1":
 *   64   8  granules of the image
 *   72   4  granule size (4096)
 *   76   4  granules per segment (16384)
 *   80   4  number of bundles
 *   84   4  number of packs
 *   88   4  number of segments: granules / 16384, rounded up
 *   92   4  number of overlay entries
 *   96      bundles: 24 bytes each: id, length (8)
 *     …     packs:   24 bytes each: id, length (8); every pack that the image needs
 *     …     segments: 48 bytes each: bundle number (4; ffffffff: all granules are zero,
 *           fffffffe: all are holes), length (4), offset in the bundle (8), SHA-256
 *     …     overlay: 32 bytes each, ascending: granule number (8), entry (24) whose pack
 *           counts in the root's table; it overrides the entry in the segment
 *     …  32 SHA-256 of all before
 * One with segments of holes has FSN_INCOMPAT_HOLE_SEGMENTS in its header. */
#define FSN_ROOT_FIXED_SIZE   96
#define FSN_ROOT_MAX_GRANULES ((uint64_t)1 << 36) /* 256 TiB */
#define FSN_ROOT_MAX_OVERLAY  65536
#define FSN_ROOT_MAX_SIZE     (512u * 1024 * 1024)
#define FSN_ROOT_ZERO_SEGMENT 0xffffffffu
#define FSN_ROOT_HOLE_SEGMENT 0xfffffffeu

typedef struct {
    FsnId id;
    uint64_t length;
} FsnObjectRef;

typedef struct {
    uint32_t bundle; /* in the root's table, or FSN_ROOT_ZERO_SEGMENT, _HOLE_SEGMENT */
    uint32_t length;
    uint64_t offset;
    uint8_t sha256[FSN_SHA256_SIZE];
} FsnSegmentRef;

typedef struct {
    uint64_t granule;
    FsnEntry entry;
} FsnOverlayEntry;

typedef struct {
    FsnId writer;
    uint64_t n_granules;
    GArray *bundles;  /* FsnObjectRef */
    GArray *packs;    /* FsnObjectRef */
    GArray *segments; /* FsnSegmentRef */
    GArray *overlay;  /* FsnOverlayEntry, ascending */
} FsnRoot;

/* Whether all granules of a segment are of one kind, for which no bundle is needed. */
static inline bool
fsn_segment_ref_uniform(const FsnSegmentRef *ref)
{
    return ref->bundle >= FSN_ROOT_HOLE_SEGMENT;
}

/* The kind of the granules of a uniform segment. */
static inline FsnGranuleKind
fsn_segment_ref_kind(const FsnSegmentRef *ref)
{
    return ref->bundle == FSN_ROOT_HOLE_SEGMENT ? FSN_GRANULE_HOLE : FSN_GRANULE_ZERO;
}

FsnRoot *fsn_root_new(uint64_t n_granules);
void fsn_root_free(FsnRoot *root);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnRoot, fsn_root_free)

uint32_t fsn_root_segments_for(uint64_t n_granules);
/* Granules in segment @segment of an image of @n_granules. */
uint32_t fsn_root_segment_count(uint64_t n_granules, uint32_t segment);

/* The bytes of @root and its id. */
GByteArray *fsn_root_build(const FsnRoot *root, FsnId *out_id);

/* Checks everything, the seal first; @expected is the id it was asked for by. */
bool fsn_root_parse(const uint8_t *data,
                    size_t len,
                    const FsnId *expected,
                    const char *what,
                    FsnRoot **out_root,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
