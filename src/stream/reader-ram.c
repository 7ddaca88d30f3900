/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps of the stream reader inside RAM: block list, pages, footers. The loop over pages is
 * the hot path: it touches only the eight bytes before each page and hands on a pointer.
 */
#include "config.h"

#include "stream/reader-private.h"

#include "base/bytes.h"
#include "stream/wire.h"

#include <string.h>

gssize
fsn_reader_step_blocks(FsnStreamReader *r, const uint8_t *p, size_t n, GError **error)
{
    FsnRamLayout *layout = r->layout;
    FsnRamBlock *block = &layout->blocks[layout->n_blocks];
    g_autoptr(GError) why = NULL;
    size_t len = p[0];

    if (n < 9 + len) {
        return 0;
    }
    if (layout->n_blocks == FSN_STREAM_MAX_BLOCKS) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT, "more than %d RAM blocks",
                               FSN_STREAM_MAX_BLOCKS);
    }
    if (memchr(p + 1, '\0', len)) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                               "a RAM block's name has a NUL");
    }
    block->name = g_strndup((const char *)p + 1, len);
    block->length = fsn_get_be64(p + 1 + len);
    layout->n_blocks++;
    if (!fsn_ram_layout_check(layout, &why)) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT, "%s", why->message);
    }
    if (block->length > r->blocks_left) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                               "RAM block '%s' exceeds the sum of all blocks",
                               block->name);
    }
    r->blocks_left -= block->length;
    if (r->blocks_left == 0) {
        r->layout_done = true;
        r->state = FSN_READER_RAM;
        if (r->handlers.ram_start && !r->handlers.ram_start(r->user, layout, error)) {
            return -1;
        }
    }
    return 9 + (gssize)len;
}

static gssize
start_block_list(FsnStreamReader *r, uint64_t sum, GError **error)
{
    if (r->layout_done || sum == 0 || sum > FSN_STREAM_MAX_RAM) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                               r->layout_done ? "RAM blocks are listed twice"
                                              : "RAM is empty or larger than 16 TiB");
    }
    r->blocks_left = sum;
    r->state = FSN_READER_BLOCKS;
    return 8;
}

static gssize
refuse_record(FsnStreamReader *r, uint64_t flags, GError **error)
{
    static const struct {
        unsigned int flag;
        const char *name;
    } known[] = {
        { FSN_WIRE_RAM_XBZRLE, "xbzrle" },     { FSN_WIRE_RAM_HOOK, "rdma" },
        { FSN_WIRE_RAM_COMPRESS, "compress" }, { FSN_WIRE_RAM_MULTIFD_FLUSH, "multifd" },
        { FSN_WIRE_RAM_FULL, "full" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (flags & known[i].flag) {
            return fsn_reader_fail(r, error, FSN_ERROR_UNSUPPORTED,
                                   "RAM record of '%s' (flags 0x%03x) is not supported: "
                                   "switch the capability off",
                                   known[i].name, (unsigned int)flags);
        }
    }
    return fsn_reader_fail(r, error, FSN_ERROR_FORMAT, "RAM record with flags 0x%03x",
                           (unsigned int)flags);
}

static bool
find_block(const FsnRamLayout *layout,
           const uint8_t *name,
           size_t len,
           int64_t *out_block)
{
    for (size_t i = 0; i < layout->n_blocks; i++) {
        const char *known = layout->blocks[i].name;

        if (strlen(known) == len && memcmp(known, name, len) == 0) {
            *out_block = (int64_t)i;
            return true;
        }
    }
    return false;
}

/* Finds the block of a page record. Returns the bytes of the record's head, 0 or -1. */
static gssize
select_block(FsnStreamReader *r, const uint8_t *p, size_t n, bool same, GError **error)
{
    size_t len;

    if (!r->layout_done) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                               "a page before the block list");
    }
    if (same) {
        if (r->last_block < 0) {
            return fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                                   "the first page names no block");
        }
        return 8;
    }
    if (n < 9 || n < 9u + p[8]) {
        return 0;
    }
    len = p[8];
    if (!find_block(r->layout, p + 9, len, &r->last_block)) {
        g_autofree char *name = fsn_reader_name(p + 9, len);

        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                               "page of unknown RAM block '%s'", name);
    }
    return 9 + (gssize)len;
}

/* One page record; @flags is ZERO or PAGE, perhaps with CONTINUE. */
static gssize
step_page(FsnStreamReader *r, const uint8_t *p, size_t n, uint64_t word, GError **error)
{
    uint64_t offset = word & ~(uint64_t)FSN_WIRE_RAM_FLAGS;
    bool zero = word & FSN_WIRE_RAM_ZERO;
    gssize head = select_block(r, p, n, word & FSN_WIRE_RAM_CONTINUE, error);
    size_t body = zero ? 1 : FSN_PAGE_SIZE;
    const FsnRamBlock *block;

    if (head <= 0) {
        return head;
    }
    block = &r->layout->blocks[r->last_block];
    if (offset >= block->length) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                               "offset 0x%" G_GINT64_MODIFIER
                               "x is beyond RAM block '%s'",
                               offset, block->name);
    }
    if (n - (size_t)head < body) {
        return 0;
    }
    if (zero && p[head] != 0) {
        return fsn_reader_fail(r, error, FSN_ERROR_UNSUPPORTED,
                               "page filled with 0x%02x is not supported", p[head]);
    }
    if (r->handlers.page &&
        !r->handlers.page(r->user, (uint32_t)r->last_block, offset / FSN_PAGE_SIZE,
                          zero ? NULL : p + head, error)) {
        return -1;
    }
    return head + (gssize)body;
}

static gssize
step_end_of_section(FsnStreamReader *r, uint64_t word, GError **error)
{
    if (!r->layout_done) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                               "RAM starts without block list");
    }
    if (word & ~(uint64_t)FSN_WIRE_RAM_FLAGS) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                               "end of section has an offset");
    }
    r->state = FSN_READER_FOOTER;
    return 8;
}

static gssize
step_record(FsnStreamReader *r, const uint8_t *p, size_t n, GError **error)
{
    uint64_t word;
    uint64_t flags;

    if (n < 8) {
        return 0;
    }
    word = fsn_get_be64(p);
    flags = word & FSN_WIRE_RAM_FLAGS;
    switch (flags) {
    case FSN_WIRE_RAM_PAGE:
    case FSN_WIRE_RAM_PAGE | FSN_WIRE_RAM_CONTINUE:
    case FSN_WIRE_RAM_ZERO:
    case FSN_WIRE_RAM_ZERO | FSN_WIRE_RAM_CONTINUE:
        return step_page(r, p, n, word, error);
    case FSN_WIRE_RAM_MEM_SIZE:
        return start_block_list(r, word - flags, error);
    case FSN_WIRE_RAM_EOS:
        return step_end_of_section(r, word, error);
    default: /* a number from outside, not an enum */
        return refuse_record(r, flags, error);
    }
}

gssize
fsn_reader_step_ram(FsnStreamReader *r, const uint8_t *p, size_t n, GError **error)
{
    uint64_t start = r->offset;
    size_t used = 0;

    /* r->offset moves along so that an error tells the record's own place. */
    while (r->state == FSN_READER_RAM && used < n) {
        gssize k = step_record(r, p + used, n - used, error);

        if (k < 0) {
            return -1;
        }
        if (k == 0) {
            break;
        }
        used += (size_t)k;
        r->offset = start + used;
    }
    r->offset = start;
    return (gssize)used;
}

bool
fsn_reader_ram_end(FsnStreamReader *r, GError **error)
{
    r->ram_done = true;
    return !r->handlers.ram_end || r->handlers.ram_end(r->user, error);
}

gssize
fsn_reader_step_footer(FsnStreamReader *r, const uint8_t *p, size_t n, GError **error)
{
    if (n < 5) {
        return 0;
    }
    if (p[0] != FSN_WIRE_FOOTER || fsn_get_be32(p + 1) != r->layout->section_id) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                               "RAM section does not end with its footer");
    }
    r->state = FSN_READER_SECTION;
    if (r->handlers.ram_part && !r->handlers.ram_part(r->user, error)) {
        return -1;
    }
    if (r->section_type == FSN_WIRE_SECTION_END && !fsn_reader_ram_end(r, error)) {
        return -1;
    }
    return 5;
}
