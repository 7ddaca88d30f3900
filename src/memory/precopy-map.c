/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stored guest as a migration stream that can be read anywhere. The memory is cut into
 * chunks of pages; what each takes in the stream depends only on which of its pages are zero,
 * which the index of the image tells. The chunk that was read last is kept, for readers go on.
 */
#include "config.h"

#include "memory/precopy-map.h"

#include "base/error.h"
#include "repo/image-runs.h"
#include "stream/page-map.h"
#include "stream/writer.h"

#include <string.h>

#define CHUNK_PAGES 256u
#define NO_CHUNK    G_MAXUINT

typedef struct {
    uint64_t offset;  /* in the file */
    uint64_t granule; /* in the image */
    uint64_t page;    /* in the block */
    uint32_t block;
    uint32_t pages;
} Chunk;

struct FsnPrecopyMap {
    FsnImage *image; /* borrowed, as is the next */
    const FsnRamLayout *layout;
    FsnImageReader *reader;
    GByteArray *head; /* all before the first page */
    GByteArray *tail; /* all after the last one */
    GArray *chunks;
    uint64_t tail_offset;
    GByteArray *current; /* bytes of chunk number @current_chunk */
    guint current_chunk;
};

void
fsn_precopy_map_free(FsnPrecopyMap *map)
{
    if (!map) {
        return;
    }
    fsn_image_reader_free(map->reader);
    g_byte_array_unref(map->head);
    g_byte_array_unref(map->tail);
    g_byte_array_unref(map->current);
    g_array_unref(map->chunks);
    g_free(map);
}

/* It depends on the page only in so far as the first one @names the block. */
static size_t
header_size(const FsnPrecopyMap *map, uint32_t block, bool names, bool zero)
{
    uint8_t header[FSN_STREAM_PAGE_HEADER_MAX];

    return fsn_stream_page_header(header, map->layout, block, 0, zero, !names);
}

/* Bytes of a run of pages of one kind, of which none names its block. */
static uint64_t
run_size(const FsnPrecopyMap *map, const Chunk *chunk, bool zero, uint64_t pages)
{
    return pages *
           (header_size(map, chunk->block, false, zero) + (zero ? 0 : FSN_PAGE_SIZE));
}

static bool
chunk_size(const FsnPrecopyMap *map,
           const Chunk *chunk,
           uint64_t *out_size,
           GError **error)
{
    uint64_t granule = chunk->granule;
    uint64_t end = granule + chunk->pages;
    uint64_t size = 0;

    while (granule < end) {
        FsnGranuleKind kind;
        uint64_t run;
        bool zero;

        if (!fsn_image_next_run(map->image, granule, end - granule, &kind, &run, error)) {
            return false;
        }
        zero = kind != FSN_GRANULE_DATA;
        size += run_size(map, chunk, zero, run);
        if (granule == chunk->granule && chunk->page == 0) {
            /* It names its block. */
            size += header_size(map, chunk->block, true, zero);
            size -= header_size(map, chunk->block, false, zero);
        }
        granule += run;
    }
    *out_size = size;
    return true;
}

static bool
lay_out(FsnPrecopyMap *map, GError **error)
{
    uint64_t offset = map->head->len;
    uint64_t granule = 0;

    for (uint32_t block = 0; block < map->layout->n_blocks; block++) {
        uint64_t pages = map->layout->blocks[block].length / FSN_PAGE_SIZE;

        for (uint64_t page = 0; page < pages; page += CHUNK_PAGES) {
            Chunk chunk = { .offset = offset,
                            .granule = granule + page,
                            .page = page,
                            .block = block,
                            .pages = (uint32_t)MIN(CHUNK_PAGES, pages - page) };
            uint64_t size;

            if (!chunk_size(map, &chunk, &size, error)) {
                return false;
            }
            g_array_append_val(map->chunks, chunk);
            offset += size;
        }
        granule += pages;
    }
    map->tail_offset = offset;
    return true;
}

FsnPrecopyMap *
fsn_precopy_map_new(const FsnPrecopySource *source, GBytes *prefix, GError **error)
{
    g_autoptr(FsnPrecopyMap) map = g_new0(FsnPrecopyMap, 1);

    map->image = source->image;
    map->layout = source->layout;
    map->reader = fsn_image_reader_new(source->image);
    map->head = g_byte_array_new();
    map->tail = g_byte_array_new();
    map->current = g_byte_array_new();
    map->current_chunk = NO_CHUNK;
    map->chunks = g_array_new(FALSE, FALSE, sizeof(Chunk));
    if (fsn_image_n_granules(source->image) != fsn_page_map_pages(source->layout)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "the image of the memory is not as long as its blocks");
        return NULL;
    }
    g_byte_array_append(map->head, g_bytes_get_data(prefix, NULL),
                        (guint)g_bytes_get_size(prefix));
    fsn_stream_write_head(map->head, source->head);
    fsn_stream_write_ram_start(map->head, source->layout);
    fsn_stream_write_part_begin(map->head, source->layout);
    fsn_stream_write_ram_section_end(map->tail, source->layout);
    fsn_stream_write_ram_end(map->tail, source->layout);
    fsn_stream_write_precopy_tail(map->tail, source->device_state, source->description);
    return lay_out(map, error) ? g_steal_pointer(&map) : NULL;
}

uint64_t
fsn_precopy_map_size(const FsnPrecopyMap *map)
{
    return map->tail_offset + map->tail->len;
}

uint64_t
fsn_precopy_map_tail(const FsnPrecopyMap *map)
{
    return map->tail_offset;
}

static bool
load_page(FsnPrecopyMap *map, const Chunk *chunk, uint32_t i, GError **error)
{
    uint8_t header[FSN_STREAM_PAGE_HEADER_MAX];
    uint8_t data[FSN_PAGE_SIZE];
    uint64_t page = chunk->page + i;
    size_t len;
    bool zero;

    if (!fsn_image_reader_read(map->reader, chunk->granule + i, data, &zero, error)) {
        return false;
    }
    len = fsn_stream_page_header(header, map->layout, chunk->block, page, zero, page > 0);
    g_byte_array_append(map->current, header, (guint)len);
    if (!zero) {
        g_byte_array_append(map->current, data, FSN_PAGE_SIZE);
    }
    return true;
}

static bool
load_chunk(FsnPrecopyMap *map, guint number, GError **error)
{
    const Chunk *chunk = &g_array_index(map->chunks, Chunk, number);

    if (map->current_chunk == number) {
        return true;
    }
    map->current_chunk = NO_CHUNK;
    g_byte_array_set_size(map->current, 0);
    for (uint32_t i = 0; i < chunk->pages; i++) {
        if (!load_page(map, chunk, i, error)) {
            return false;
        }
    }
    map->current_chunk = number;
    return true;
}

/* The chunk that has the byte at @offset, which is in the memory. */
static guint
find_chunk(const FsnPrecopyMap *map, uint64_t offset)
{
    guint low = 0;
    guint high = map->chunks->len;

    while (high - low > 1) {
        guint middle = low + (high - low) / 2;

        if (g_array_index(map->chunks, Chunk, middle).offset <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* What is at @offset, in one piece of at least one byte; NULL on error. */
static const uint8_t *
piece_at(FsnPrecopyMap *map, uint64_t offset, size_t *out_len, GError **error)
{
    guint number;
    uint64_t skip;

    if (offset < map->head->len) {
        *out_len = map->head->len - (size_t)offset;
        return map->head->data + offset;
    }
    if (offset >= map->tail_offset) {
        *out_len = (size_t)(fsn_precopy_map_size(map) - offset);
        return map->tail->data + (offset - map->tail_offset);
    }
    number = find_chunk(map, offset);
    if (!load_chunk(map, number, error)) {
        return NULL;
    }
    skip = offset - g_array_index(map->chunks, Chunk, number).offset;
    if (skip >= map->current->len) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT,
                    "a page that the index calls zero is not, or the other way round");
        return NULL;
    }
    *out_len = map->current->len - (size_t)skip;
    return map->current->data + skip;
}

bool
fsn_precopy_map_pread(FsnPrecopyMap *map,
                      void *out,
                      size_t len,
                      uint64_t offset,
                      size_t *out_len,
                      GError **error)
{
    uint8_t *to = out;
    size_t done = 0;

    while (done < len && offset + done < fsn_precopy_map_size(map)) {
        size_t n;
        const uint8_t *piece = piece_at(map, offset + done, &n, error);

        if (!piece) {
            return false;
        }
        n = MIN(n, len - done);
        memcpy(to + done, piece, n);
        done += n;
    }
    *out_len = done;
    return true;
}
