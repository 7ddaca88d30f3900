/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "memory/precopy-out.h"

G_BEGIN_DECLS

/*
 * The same stream as fsn_precopy_write(), as a file that can be read anywhere: its length is
 * known without reading memory, and only what is asked for is read from the repository.
 */
typedef struct FsnPrecopyMap FsnPrecopyMap;

/* @prefix comes before the stream (libvirt's header). Image and layout of @source are
 * borrowed, its bytes are not. Reads the image's index, not its data. */
FsnPrecopyMap *fsn_precopy_map_new(const FsnPrecopySource *source,
                                   GBytes *prefix,
                                   GError **error);
void fsn_precopy_map_free(FsnPrecopyMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnPrecopyMap, fsn_precopy_map_free)

/* Bytes of prefix and stream. */
uint64_t fsn_precopy_map_size(const FsnPrecopyMap *map);
/* Offset of the first byte after all memory: no guest runs without what follows. */
uint64_t fsn_precopy_map_tail(const FsnPrecopyMap *map);

/* Reads up to @len bytes at @offset; *@out_len is less only at the end. Every page is
 * verified. One thread at a time. */
bool fsn_precopy_map_pread(FsnPrecopyMap *map,
                           void *out,
                           size_t len,
                           uint64_t offset,
                           size_t *out_len,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
