/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/image.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * A stored disk as an array of bytes that many threads read at once. Readers of the image are
 * lent out: their number bounds the memory, and a thread that finds none waits for one.
 */
typedef struct FsnExport FsnExport;

/* @image is borrowed; @size ends within its last granule. At most @max_readers (≥ 1) of
 * FSN_IMAGE_READER_MEMORY each. */
FsnExport *fsn_export_new(FsnImage *image,
                          uint64_t size,
                          unsigned max_readers,
                          GError **error);
void fsn_export_free(FsnExport *export);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnExport, fsn_export_free)

uint64_t fsn_export_size(const FsnExport *export);

/* Reads bytes that lie within the disk, at any offset. */
bool fsn_export_pread(FsnExport *export,
                      void *out,
                      size_t len,
                      uint64_t offset,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Called with neighbouring extents, ascending; false ends it without an error. */
typedef bool (*FsnExportExtentFunc)(
    gpointer user, uint64_t offset, uint64_t len, bool data, bool hole);

/* The extents of [@offset, @offset + @len), within the disk; the first may begin earlier. */
bool fsn_export_extents(FsnExport *export,
                        uint64_t offset,
                        uint64_t len,
                        FsnExportExtentFunc each,
                        gpointer user,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
