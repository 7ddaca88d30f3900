/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/image.h"
#include "repo/repo.h"
#include "repofmt/codec.h"

G_BEGIN_DECLS

/* A sequence: chosen granules of an image with their contents, in a chosen order, so that
 * they can be read in one pass (the working set of a resume). A copy only: whatever happens
 * to it, the image is complete without it.
 *
 * Stored as sequences/NAME, little-endian: object header "FSNSEQU1" (64 bytes; its id is
 * the root of the image), then
 *   64   8  number of granules
 *   72   8  zero
 *   80   8  per granule: its number; bit 63: it is zero and not stored
 *     …  32  SHA-256 of all before
 *     …      frames (foresnap-pack(5)) of 32 stored granules each, in order
 * NAME is one word. One that begins with a snapshot's id (32 digits, then nothing or a dot)
 * goes when that snapshot is deleted. */
#define FSN_SEQUENCE_MAX ((size_t)1 << 26)

/* Writes @granules (each < n_granules of @image) in this order; replaces one of that name.
 * Durable on return. */
bool fsn_sequence_write(FsnRepo *repo,
                        const char *name,
                        FsnImage *image,
                        const uint64_t *granules,
                        size_t n,
                        FsnCodec codec,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Called with each granule; @data is null if it is zero. False ends the reading. */
typedef bool (*FsnSequenceFunc)(gpointer user,
                                uint64_t granule,
                                const uint8_t *data,
                                GError **error);

/* Reads in order. Each granule is verified against @image; one that is not as in @image
 * (which may be a later one than it was written from) is skipped. Absent: FSN_ERROR_NOT_FOUND;
 * damaged: FSN_ERROR_CORRUPT, after the granules before the damage. */
bool fsn_sequence_read(FsnRepo *repo,
                       const char *name,
                       FsnImage *image,
                       FsnSequenceFunc each,
                       gpointer user,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the sequence is as it was written; its frames only with @read_data. */
bool fsn_sequence_check(FsnRepo *repo, const char *name, bool read_data, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* True also if it was not there. */
bool fsn_sequence_remove(FsnRepo *repo, const char *name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
