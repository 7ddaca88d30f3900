/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "repofmt/header.h"

G_BEGIN_DECLS

/* The superblock says how a repository is laid out and holds the secret of its granule
 * hash; 336 bytes, little-endian, after the object header "FSNSUPER" (whose id is the
 * repository's):
 *    64   4  granule size (4096)
 *    68   4  granules per frame, 1 … 32
 *    72   4  granules per segment (16384)
 *    76   4  zero
 *    80  32  name of the granule hash, "xxh3-128-keyed", padded with zeros
 *   112 192  secret of that hash, random
 *   304  32  SHA-256 of all before */
#define FSN_SUPERBLOCK_SIZE      336
#define FSN_SUPERBLOCK_HASH_NAME "xxh3-128-keyed"

typedef struct {
    FsnId id;
    uint32_t frame_granules;
    uint8_t secret[FSN_HASH_SECRET_SIZE];
} FsnSuperblock;

GByteArray *fsn_superblock_build(const FsnSuperblock *superblock);
bool fsn_superblock_parse(const uint8_t *data,
                          size_t len,
                          const char *what,
                          FsnSuperblock *out_superblock,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
