/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "repo/repo.h"

G_BEGIN_DECLS

/* What became of each granule of the image being written. */
typedef enum {
    FSN_MAP_ZERO = 0, /* zero, or never put, which is the same */
    FSN_MAP_DATA = 1, /* stored by this writer */
    FSN_MAP_SAME = 2, /* as in the parent */
} FsnMapKind;

typedef struct {
    FsnHash128 hash;
    uint32_t frame; /* of the pack writer */
    uint8_t slot;
    uint8_t kind;
    uint16_t unused;
} FsnMapEntry;

/* An array of FsnMapEntry, all ZERO at first. A large one is in a mapped scratch file of the
 * repository and costs disk cache, not memory of the process. FSN_ERROR_NO_SPACE if there is
 * no room for that; using it never fails. */
typedef struct FsnGranuleMap FsnGranuleMap;

FsnGranuleMap *fsn_granule_map_new(FsnRepo *repo, uint64_t n_granules, GError **error);
void fsn_granule_map_free(FsnGranuleMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnGranuleMap, fsn_granule_map_free)

/* Entry 0; valid until freed. */
FsnMapEntry *fsn_granule_map_entries(FsnGranuleMap *map);

/* Gives the memory back that the map now takes; its contents stay. */
void fsn_granule_map_trim(FsnGranuleMap *map);

G_END_DECLS
