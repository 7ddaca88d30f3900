/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "repofmt/header.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* A copy of an object in a tier is one file: the object as the repository stores it, then
 * per FSN_TIER_BLOCK bytes of it (the last may be short) their hash, 16 bytes, then the
 * trailer; little-endian:
 *    0   8  magic "FSNTIER1"
 *    8   4  bytes per block (16384)
 *   12   4  zero
 *   16   8  length of the object
 *   24   8  zero
 *   32  16  hash of all block hashes
 *   48  16  hash of these 48 bytes and the object's key
 * All hashes are XXH3-128 keyed with the secret of the repository: whoever may write to the
 * tier but not read the repository cannot make up a copy either. */
#define FSN_TIER_BLOCK        16384u
#define FSN_TIER_HASH_SIZE    16u
#define FSN_TIER_TRAILER_SIZE 64u
/* Longest object that is copied; bounds the hashes that a reader holds to 64 MiB. */
#define FSN_TIER_MAX_OBJECT   ((uint64_t)64 << 30)

/* Bytes of the block hashes of an object of @length bytes, and of its whole copy. */
uint64_t fsn_tier_hashes_size(uint64_t length);
uint64_t fsn_tier_copy_size(uint64_t length);

/* Hashes an object as it comes in. */
typedef struct FsnTierSums FsnTierSums;
FsnTierSums *fsn_tier_sums_new(const uint8_t secret[FSN_HASH_SECRET_SIZE]);
void fsn_tier_sums_free(FsnTierSums *sums);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnTierSums, fsn_tier_sums_free)
void fsn_tier_sums_update(FsnTierSums *sums, const void *data, size_t len);
/* What follows the object's bytes in the copy of @key. Nothing may be added any more; the
 * caller unrefs. */
GByteArray *fsn_tier_sums_finish(FsnTierSums *sums, const char *key);

/* The length of the object, from the trailer of a copy of @key with @size bytes in all.
 * Anything but a trailer that finish made for this key is FSN_ERROR_CORRUPT. */
bool fsn_tier_trailer_parse(const uint8_t secret[FSN_HASH_SECRET_SIZE],
                            const char *key,
                            const uint8_t trailer[FSN_TIER_TRAILER_SIZE],
                            uint64_t size,
                            uint64_t *out_length,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Are these the @len bytes of block hashes that @trailer, already parsed, was made with? */
bool fsn_tier_hashes_match(const uint8_t secret[FSN_HASH_SECRET_SIZE],
                           const uint8_t trailer[FSN_TIER_TRAILER_SIZE],
                           const uint8_t *hashes,
                           size_t len);

/* Is this block number @block of the object? */
bool fsn_tier_block_matches(const uint8_t secret[FSN_HASH_SECRET_SIZE],
                            const uint8_t *hashes,
                            uint64_t block,
                            const void *data,
                            size_t len);

G_END_DECLS
