/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"
#include "repofmt/granule.h"

G_BEGIN_DECLS

/* A complete, immutable image: an array of granules of 4096 bytes. Its index is mapped and
 * each part of it verified when first used. Several threads may use one FsnImage. */
typedef struct FsnImage FsnImage;

/* Opens the image whose index has the root @root (32 hex digits). @repo must outlive it. */
FsnImage *fsn_image_open(FsnRepo *repo, const char *root, GError **error);
void fsn_image_free(FsnImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnImage, fsn_image_free)

uint64_t fsn_image_n_granules(FsnImage *image);
const char *fsn_image_root_id(FsnImage *image);

/* Where granule @granule (< n_granules) is. */
bool fsn_image_lookup(FsnImage *image,
                      uint64_t granule,
                      FsnGranule *out_granule,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Counts the granules whose contents differ; those that only one image has count if they
 * are not zero there. Parts that both images share cost nothing. */
bool fsn_image_changed(FsnImage *a, FsnImage *b, uint64_t *out_changed, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Gives back the memory of the index that the kernel can read again. */
void fsn_image_trim(FsnImage *image);

/* Reads granules; one thread each. Keeps the frames and packs it used last: at most
 * FSN_IMAGE_READER_MEMORY bytes. */
#define FSN_IMAGE_READER_MEMORY (5u * 1024 * 1024)
typedef struct FsnImageReader FsnImageReader;

FsnImageReader *fsn_image_reader_new(FsnImage *image);
void fsn_image_reader_free(FsnImageReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnImageReader, fsn_image_reader_free)

/* Reads one granule and verifies it; *out_zero says whether it is all zero. On error @out
 * may hold anything and must not be used; the message names pack, offset and granule. */
bool fsn_image_reader_read(FsnImageReader *reader,
                           uint64_t granule,
                           uint8_t out[FSN_GRANULE_SIZE],
                           bool *out_zero,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
