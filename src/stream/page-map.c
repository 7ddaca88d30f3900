/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bitmap over all pages of a guest, and the numbering of these pages. Words are 64 bits in
 * the order of the host: a map in shared memory is for processes of one host and is not a
 * file format. There is one writer; readers in other processes see each bit whole.
 */
#include "config.h"

#include "stream/page-map.h"

#define WORD_BITS 64u

struct FsnPageMap {
    uint64_t *words;
    uint64_t n_pages;
    bool owned;
};

uint64_t
fsn_page_map_base(const FsnRamLayout *layout, uint32_t block)
{
    uint64_t base = 0;

    g_assert(block <= layout->n_blocks);
    for (uint32_t i = 0; i < block; i++) {
        base += layout->blocks[i].length / FSN_PAGE_SIZE;
    }
    return base;
}

uint64_t
fsn_page_map_pages(const FsnRamLayout *layout)
{
    return fsn_ram_layout_length(layout) / FSN_PAGE_SIZE;
}

bool
fsn_page_map_locate(const FsnRamLayout *layout,
                    uint64_t granule,
                    uint32_t *out_block,
                    uint64_t *out_page)
{
    for (size_t i = 0; i < layout->n_blocks; i++) {
        uint64_t pages = layout->blocks[i].length / FSN_PAGE_SIZE;

        if (granule < pages) {
            *out_block = (uint32_t)i;
            *out_page = granule;
            return true;
        }
        granule -= pages;
    }
    return false;
}

size_t
fsn_page_map_bytes(uint64_t n_pages)
{
    return (size_t)((n_pages + WORD_BITS - 1) / WORD_BITS * sizeof(uint64_t));
}

FsnPageMap *
fsn_page_map_wrap(void *memory, uint64_t n_pages)
{
    FsnPageMap *map = g_new0(FsnPageMap, 1);

    g_assert((uintptr_t)memory % sizeof(uint64_t) == 0);
    map->words = memory;
    map->n_pages = n_pages;
    return map;
}

FsnPageMap *
fsn_page_map_new(uint64_t n_pages)
{
    FsnPageMap *map = fsn_page_map_wrap(g_malloc0(fsn_page_map_bytes(n_pages)), n_pages);

    map->owned = true;
    return map;
}

void
fsn_page_map_free(FsnPageMap *map)
{
    if (!map) {
        return;
    }
    if (map->owned) {
        g_free(map->words);
    }
    g_free(map);
}

uint64_t
fsn_page_map_length(const FsnPageMap *map)
{
    return map->n_pages;
}

static uint64_t
load_word(const FsnPageMap *map, uint64_t index)
{
    return __atomic_load_n(&map->words[index], __ATOMIC_ACQUIRE);
}

static uint64_t
mask_of(uint64_t granule)
{
    return UINT64_C(1) << granule % WORD_BITS;
}

bool
fsn_page_map_test(const FsnPageMap *map, uint64_t granule)
{
    g_assert(granule < map->n_pages);
    return load_word(map, granule / WORD_BITS) & mask_of(granule);
}

bool
fsn_page_map_set(FsnPageMap *map, uint64_t granule)
{
    uint64_t mask = mask_of(granule);

    g_assert(granule < map->n_pages);
    return !(__atomic_fetch_or(&map->words[granule / WORD_BITS], mask, __ATOMIC_ACQ_REL) &
             mask);
}

void
fsn_page_map_clear(FsnPageMap *map, uint64_t granule)
{
    g_assert(granule < map->n_pages);
    __atomic_fetch_and(&map->words[granule / WORD_BITS], ~mask_of(granule),
                       __ATOMIC_ACQ_REL);
}

/* Word @index with the bits beyond the end of the map unset. */
static uint64_t
valid_word(const FsnPageMap *map, uint64_t index)
{
    uint64_t left = map->n_pages - index * WORD_BITS;
    uint64_t word = load_word(map, index);

    return left >= WORD_BITS ? word : word & (mask_of(left) - 1);
}

uint64_t
fsn_page_map_count(const FsnPageMap *map)
{
    uint64_t n_words = fsn_page_map_bytes(map->n_pages) / sizeof(uint64_t);
    uint64_t count = 0;

    for (uint64_t i = 0; i < n_words; i++) {
        count += (uint64_t)__builtin_popcountll(valid_word(map, i));
    }
    return count;
}

/* The first bit at or after @from whose value differs from that of @skip's bits. */
static uint64_t
next_differing(const FsnPageMap *map, uint64_t from, uint64_t skip)
{
    uint64_t keep = ~UINT64_C(0) << from % WORD_BITS;

    for (uint64_t i = from / WORD_BITS; i * WORD_BITS < map->n_pages; i++) {
        uint64_t found = (load_word(map, i) ^ skip) & keep;

        if (found) {
            uint64_t bit = i * WORD_BITS + (uint64_t)__builtin_ctzll(found);

            return MIN(bit, map->n_pages);
        }
        keep = ~UINT64_C(0);
    }
    return map->n_pages;
}

uint64_t
fsn_page_map_next_unset(const FsnPageMap *map, uint64_t from)
{
    return next_differing(map, from, ~UINT64_C(0));
}

uint64_t
fsn_page_map_next_set(const FsnPageMap *map, uint64_t from)
{
    return next_differing(map, from, 0);
}

void
fsn_page_map_load(FsnPageMap *map, uint64_t base, const uint8_t *bits, uint64_t n_bits)
{
    g_assert(base <= map->n_pages && n_bits <= map->n_pages - base);
    for (uint64_t i = 0; i < n_bits; i++) {
        if (bits[i / 8] >> i % 8 & 1) {
            (void)fsn_page_map_set(map, base + i); /* what it was before is replaced */
        } else {
            fsn_page_map_clear(map, base + i);
        }
    }
}
