/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "repo/repo.h"

G_BEGIN_DECLS

/* What became of a granule of the image being written. */
typedef enum {
    FSN_MAP_ZERO = 0,
    FSN_MAP_HOLE = 1,
    FSN_MAP_INHERITED = 2, /* as in the parent, whatever is there */
    FSN_MAP_SAME = 3,      /* data as in the parent; its hash is known */
    FSN_MAP_DATA = 4,      /* stored by this writer */
    FSN_MAP_MIXED = 5,     /* of a segment: its granules have entries of their own */
} FsnMapKind;

typedef struct {
    FsnHash128 hash; /* of SAME and DATA */
    uint32_t frame;  /* of the pack writer; of DATA */
    uint8_t slot;    /* of DATA */
    uint8_t kind;
    uint16_t unused;
} FsnMapEntry;

/* The granules of an image, by segment. A segment is filled with one kind (ZERO, HOLE or
 * INHERITED), which costs nothing, until one of its granules is set to another. The entries
 * of a large image are in a mapped scratch file of the repository and cost disk cache, not
 * memory of the process. */
typedef struct FsnGranuleMap FsnGranuleMap;

/* All segments are filled with @kind. */
FsnGranuleMap *fsn_granule_map_new(FsnRepo *repo,
                                   uint64_t n_granules,
                                   FsnMapKind kind,
                                   GError **error);
void fsn_granule_map_free(FsnGranuleMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnGranuleMap, fsn_granule_map_free)

/* With what segment @segment is filled, or FSN_MAP_MIXED. */
FsnMapKind fsn_granule_map_fill(const FsnGranuleMap *map, uint32_t segment);
/* Fills it with @kind; what its granules were is forgotten. */
void fsn_granule_map_set_fill(FsnGranuleMap *map, uint32_t segment, FsnMapKind kind);

/* The entries of a mixed segment; its first granule's first. */
const FsnMapEntry *fsn_granule_map_segment(const FsnGranuleMap *map, uint32_t segment);

/* What @granule is now; of a filled segment only the kind means something. */
FsnMapEntry fsn_granule_map_get(const FsnGranuleMap *map, uint64_t granule);

/* Sets @granule. FSN_ERROR_NO_SPACE if there is no room for the entries of its segment, of
 * which this is the first that differs from the rest. */
bool fsn_granule_map_set(FsnGranuleMap *map,
                         uint64_t granule,
                         const FsnMapEntry *entry,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Gives the memory back that the map now takes; its contents stay. */
void fsn_granule_map_trim(FsnGranuleMap *map);

G_END_DECLS
