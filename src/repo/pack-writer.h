/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"
#include "repofmt/frame.h"
#include "repofmt/root.h"

G_BEGIN_DECLS

/* Turns granules into durable packs: compresses on all cores, writes in order, syncs full
 * packs in the background. One calling thread. A failure in the background is reported by
 * the next call, and every later one. */
typedef struct FsnPackWriter FsnPackWriter;

/* @threads compressors; 0: one per processor. */
FsnPackWriter *fsn_pack_writer_new(
    FsnRepo *repo, FsnCodec codec, int level, unsigned threads, GError **error);
void fsn_pack_writer_free(FsnPackWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnPackWriter, fsn_pack_writer_free)

/* Stores one granule; *out_frame (counting from 0) and *out_slot say where. */
bool fsn_pack_writer_add(FsnPackWriter *writer,
                         const uint8_t *granule,
                         uint32_t *out_frame,
                         uint8_t *out_slot,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Waits until everything added is in durable packs. Then all frames can be located. */
bool fsn_pack_writer_flush(FsnPackWriter *writer, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Where frame @frame is; only after a flush. *out_pack counts in @packs. */
void fsn_pack_writer_locate(FsnPackWriter *writer,
                            uint32_t frame,
                            uint32_t *out_pack,
                            uint32_t *out_offset);
/* Id and length of pack @pack; only after a flush. */
FsnObjectRef fsn_pack_writer_pack(FsnPackWriter *writer, uint32_t pack);

/* Bytes of all packs so far; only after a flush. */
uint64_t fsn_pack_writer_bytes(FsnPackWriter *writer);

G_END_DECLS
