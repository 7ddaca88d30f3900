/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/bytes.h"
#include "base/hash.h"
#include "base/id.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Bytes of a granule: the unit that is compared, addressed and verified. */
#define FSN_GRANULE_SIZE 4096

typedef enum {
    FSN_GRANULE_ZERO = 0, /* all bytes are zero */
    FSN_GRANULE_DATA = 1, /* in a pack */
    FSN_GRANULE_HOLE = 2, /* unallocated on the disk it came from; reads as zero */
} FsnGranuleKind;

/* Where a granule is and what it hashes to; @hash and later members only for DATA. */
typedef struct {
    FsnGranuleKind kind;
    FsnHash128 hash;
    FsnId pack;
    uint32_t offset; /* of the frame in the pack */
    uint8_t slot;    /* of the granule in the frame */
} FsnGranule;

/* An index entry, 24 bytes little-endian: hash low, hash high, and a location of
 *   bits 0-31 frame offset, 32-55 number in the pack table, 56-61 slot, 62-63 kind.
 * ZERO and HOLE have all other bits zero. */
#define FSN_ENTRY_SIZE      24
#define FSN_ENTRY_MAX_PACKS (1u << 24)

typedef struct {
    FsnGranuleKind kind;
    FsnHash128 hash;
    uint32_t pack; /* number in the pack table that goes with the entry */
    uint32_t offset;
    uint8_t slot;
} FsnEntry;

static inline void
fsn_entry_put(uint8_t *p, const FsnEntry *e)
{
    fsn_put_le64(p, e->hash.low);
    fsn_put_le64(p + 8, e->hash.high);
    fsn_put_le64(p + 16, (uint64_t)e->kind << 62 | (uint64_t)e->slot << 56 |
                             (uint64_t)e->pack << 32 | e->offset);
}

/* False if the bytes are no entry: unknown kind, or a slot or pack out of range. */
static inline bool
fsn_entry_get(const uint8_t *p, uint32_t n_packs, FsnEntry *out)
{
    uint64_t loc = fsn_get_le64(p + 16);

    out->hash = (FsnHash128){ .low = fsn_get_le64(p), .high = fsn_get_le64(p + 8) };
    out->kind = (FsnGranuleKind)(loc >> 62);
    out->slot = loc >> 56 & 0x3f;
    out->pack = loc >> 32 & 0xffffff;
    out->offset = loc & 0xffffffff;
    if (out->kind == FSN_GRANULE_DATA) {
        return out->pack < n_packs;
    }
    return out->kind <= FSN_GRANULE_HOLE && (loc << 2) == 0;
}

G_END_DECLS
