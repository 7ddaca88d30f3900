/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "stream/types.h"

G_BEGIN_DECLS

/*
 * Granules number all pages of a layout from 0: the blocks one after the other, in the order
 * of the layout. They are what images are indexed by.
 */

/* The granule of page 0 of @block; with @block == n_blocks the number of all granules. */
uint64_t fsn_page_map_base(const FsnRamLayout *layout, uint32_t block);

/* Number of granules of @layout. */
uint64_t fsn_page_map_pages(const FsnRamLayout *layout);

/* Where @granule is; false if it is beyond the last one. */
bool fsn_page_map_locate(const FsnRamLayout *layout,
                         uint64_t granule,
                         uint32_t *out_block,
                         uint64_t *out_page) G_GNUC_WARN_UNUSED_RESULT;

/* One bit per granule. Bits are read and changed atomically, one by one, so that a process
 * may look at a map in shared memory while another one, the only writer, sets bits in it. */
typedef struct FsnPageMap FsnPageMap;

/* All bits unset. */
FsnPageMap *fsn_page_map_new(uint64_t n_pages);

/* A map over foreign memory of fsn_page_map_bytes(n_pages) bytes, 8-byte aligned, whose
 * contents are taken as they are; the caller keeps it until the map is freed. */
FsnPageMap *fsn_page_map_wrap(void *memory, uint64_t n_pages);
size_t fsn_page_map_bytes(uint64_t n_pages);
void fsn_page_map_free(FsnPageMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnPageMap, fsn_page_map_free)

uint64_t fsn_page_map_length(const FsnPageMap *map); /* in bits */
bool fsn_page_map_test(const FsnPageMap *map, uint64_t granule);

/* Sets one bit; true if it was unset before. */
bool fsn_page_map_set(FsnPageMap *map, uint64_t granule);
void fsn_page_map_clear(FsnPageMap *map, uint64_t granule);

/* Number of bits that are set. */
uint64_t fsn_page_map_count(const FsnPageMap *map);

/* The first unset (set) bit at or after @from; the length of the map if there is none. */
uint64_t fsn_page_map_next_unset(const FsnPageMap *map, uint64_t from);
uint64_t fsn_page_map_next_set(const FsnPageMap *map, uint64_t from);

/* Replaces @n_bits bits from granule @base by the little-endian bitmap @bits, as a received
 * bitmap of the return path has it (bit 0 of byte 0 first). */
void fsn_page_map_load(FsnPageMap *map,
                       uint64_t base,
                       const uint8_t *bits,
                       uint64_t n_bits);

G_END_DECLS
