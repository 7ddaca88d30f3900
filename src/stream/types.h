/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Bytes of a page on the wire. Other target page sizes are refused. */
#define FSN_PAGE_SIZE 4096u

/* Limits of what is accepted, whoever sent it. A guest has about ten blocks. */
#define FSN_STREAM_MAX_BLOCKS 64
#define FSN_STREAM_MAX_NAME   255                 /* bytes; the length is one byte */
#define FSN_STREAM_MAX_RAM    (UINT64_C(1) << 44) /* bytes of all blocks: 16 TiB */

/* One of QEMU's blocks of guest memory: RAM, ROM or firmware tables. */
typedef struct {
    char *name;
    uint64_t length; /* bytes; a multiple of FSN_PAGE_SIZE, not 0 */
} FsnRamBlock;

/* What the start of the RAM section says. The numbers identify the section in the stream
 * and must be repeated when it is written again. */
typedef struct {
    uint32_t section_id;
    uint32_t instance;
    uint32_t version;
    FsnRamBlock *blocks;
    size_t n_blocks;
} FsnRamLayout;

/* A deep copy; the caller frees. */
FsnRamLayout *fsn_ram_layout_copy(const FsnRamLayout *layout);
void fsn_ram_layout_free(FsnRamLayout *layout);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnRamLayout, fsn_ram_layout_free)

/* True if both describe the same section and the same blocks in the same order. */
bool fsn_ram_layout_equal(const FsnRamLayout *a, const FsnRamLayout *b);

/* The index of the block called @name; false if there is none. */
bool fsn_ram_layout_find(const FsnRamLayout *layout,
                         const char *name,
                         uint32_t *out_block) G_GNUC_WARN_UNUSED_RESULT;

/* Bytes of all blocks together. */
uint64_t fsn_ram_layout_length(const FsnRamLayout *layout);

/* Checks a layout that came from outside against the limits above: 1 to 64 blocks, names
 * unique and printable, lengths whole pages. The error (FSN_ERROR_FORMAT) names the
 * block. The writer and the page map may be given only layouts that pass. */
bool fsn_ram_layout_check(const FsnRamLayout *layout, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
