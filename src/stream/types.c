/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The RAM layout: which blocks of memory a guest has. A layout that passes
 * fsn_ram_layout_check() is safe for every other function of this folder. Nothing here
 * knows how a layout is written; see reader.h and writer.h.
 */
#include "config.h"

#include "stream/types.h"

#include "base/error.h"

#include <string.h>

FsnRamLayout *
fsn_ram_layout_copy(const FsnRamLayout *layout)
{
    FsnRamLayout *copy = g_new0(FsnRamLayout, 1);

    *copy = *layout;
    copy->blocks = g_new0(FsnRamBlock, layout->n_blocks);
    for (size_t i = 0; i < layout->n_blocks; i++) {
        copy->blocks[i].name = g_strdup(layout->blocks[i].name);
        copy->blocks[i].length = layout->blocks[i].length;
    }
    return copy;
}

void
fsn_ram_layout_free(FsnRamLayout *layout)
{
    if (!layout) {
        return;
    }
    for (size_t i = 0; i < layout->n_blocks; i++) {
        g_free(layout->blocks[i].name);
    }
    g_free(layout->blocks);
    g_free(layout);
}

bool
fsn_ram_layout_equal(const FsnRamLayout *a, const FsnRamLayout *b)
{
    if (a->section_id != b->section_id || a->instance != b->instance ||
        a->version != b->version || a->n_blocks != b->n_blocks) {
        return false;
    }
    for (size_t i = 0; i < a->n_blocks; i++) {
        if (a->blocks[i].length != b->blocks[i].length ||
            strcmp(a->blocks[i].name, b->blocks[i].name) != 0) {
            return false;
        }
    }
    return true;
}

bool
fsn_ram_layout_find(const FsnRamLayout *layout, const char *name, uint32_t *out_block)
{
    for (size_t i = 0; i < layout->n_blocks; i++) {
        if (strcmp(layout->blocks[i].name, name) == 0) {
            *out_block = (uint32_t)i;
            return true;
        }
    }
    return false;
}

uint64_t
fsn_ram_layout_length(const FsnRamLayout *layout)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < layout->n_blocks; i++) {
        sum += layout->blocks[i].length;
    }
    return sum;
}

static bool
name_is_printable(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++) {
        if (!g_ascii_isprint(name[i])) {
            return false;
        }
    }
    return len > 0 && len <= FSN_STREAM_MAX_NAME;
}

static bool
check_block(const FsnRamLayout *layout, size_t i, uint64_t *sum, GError **error)
{
    const FsnRamBlock *block = &layout->blocks[i];
    uint32_t first;

    if (!block->name || !name_is_printable(block->name)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "name of RAM block %zu is empty, too long or not printable", i);
        return false;
    }
    if (!fsn_ram_layout_find(layout, block->name, &first) || first != i) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "RAM block '%s' is listed twice",
                    block->name);
        return false;
    }
    if (block->length == 0 || block->length % FSN_PAGE_SIZE != 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "length %" G_GUINT64_FORMAT
                    " of RAM block '%s' is not a number of whole pages",
                    block->length, block->name);
        return false;
    }
    if (block->length > FSN_STREAM_MAX_RAM - *sum) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "RAM is larger than 16 TiB with block '%s'", block->name);
        return false;
    }
    *sum += block->length;
    return true;
}

bool
fsn_ram_layout_check(const FsnRamLayout *layout, GError **error)
{
    uint64_t sum = 0;

    if (layout->n_blocks == 0 || layout->n_blocks > FSN_STREAM_MAX_BLOCKS) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "%zu RAM blocks are not between 1 and %d", layout->n_blocks,
                    FSN_STREAM_MAX_BLOCKS);
        return false;
    }
    for (size_t i = 0; i < layout->n_blocks; i++) {
        if (!check_block(layout, i, &sum, error)) {
            return false;
        }
    }
    return true;
}
