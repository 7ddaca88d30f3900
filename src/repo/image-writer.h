/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/image.h"
#include "repo/repo.h"
#include "repofmt/codec.h"

G_BEGIN_DECLS

/* Writes one image. Only granules that differ from the parent's at the same place are
 * stored, and those that are all zero not at all. */
typedef struct FsnImageWriter FsnImageWriter;

typedef struct {
    uint64_t n_granules;
    FsnImage *parent; /* compared with; borrowed, must outlive the writer; may be null */
    bool inherit;     /* granules never put are as in @parent, which then must be given */
    FsnCodec codec;
    int level;        /* 0: the codec's usual one */
    unsigned threads; /* that compress; 0: one per processor */
} FsnImageWriterOptions;

typedef struct {
    char root[FSN_ID_HEX + 1]; /* names the image from now on */
    uint64_t granules_put;     /* each is one of the next four */
    uint64_t zero;             /* or a hole */
    uint64_t same;             /* as in the parent, or as put before */
    uint64_t duplicate;        /* as another granule of this image */
    uint64_t stored;
    uint64_t bytes_logical; /* n_granules × 4096 */
    uint64_t bytes_stored;  /* all this image added to the repository, index included */
    uint64_t bytes_index;   /* of these, the index */
} FsnImageStats;

FsnImageWriter *fsn_image_writer_new(FsnRepo *repo,
                                     const FsnImageWriterOptions *options,
                                     GError **error);

/* Puts granule @granule: 4096 bytes at @data, or null for zero. A later put of the same
 * granule counts, not an earlier one. One calling thread; @data is not kept. */
bool fsn_image_writer_put(FsnImageWriter *writer,
                          uint64_t granule,
                          const uint8_t *data,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts @count granules from @first, all of which are of @kind: FSN_GRANULE_ZERO or
 * FSN_GRANULE_HOLE, which reads as zero too but is kept as what it is. Costs next to nothing
 * for segments (64 MiB) that lie in it as a whole. What was put there before is forgotten. */
bool fsn_image_writer_put_range(FsnImageWriter *writer,
                                uint64_t first,
                                uint64_t count,
                                FsnGranuleKind kind,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes all that was put so far durable and indexes it, so that the commit costs only what
 * is put after this. May be called several times. */
bool fsn_image_writer_settle(FsnImageWriter *writer, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Finishes the image. Granules that were never put are zero, whatever the parent has
 * there; with options.inherit they are as in the parent, beyond whose end they are zero. What
 * is inherited costs the commit no more than an entry per segment (64 MiB) and what the root
 * of the parent has. On return the root and all it names are durable; nothing may be put any more. */
bool fsn_image_writer_commit(FsnImageWriter *writer,
                             FsnImageStats *out_stats,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Aborts unless committed: what was stored becomes garbage. */
void fsn_image_writer_free(FsnImageWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnImageWriter, fsn_image_writer_free)

/* What was put so far; the root is not yet filled in, and the bytes are exact after a settle. */
void fsn_image_writer_peek_stats(FsnImageWriter *writer, FsnImageStats *out_stats);

G_END_DECLS
