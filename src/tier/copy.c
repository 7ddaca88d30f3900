/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of a copy in a tier. Its own hashes let a reader notice damage at once, whatever
 * part of whatever object it reads, and turn to the repository instead; readers of the
 * repository's formats never learn of it. Pure.
 */
#include "config.h"

#include "tier/copy.h"

#include "base/bytes.h"

#include <string.h>

#define MAGIC       "FSNTIER1"
#define TABLE_HASH  32 /* offsets in the trailer */
#define SEALED_SIZE 48

struct FsnTierSums {
    uint8_t secret[FSN_HASH_SECRET_SIZE];
    GByteArray *hashes;
    uint64_t length;
    size_t pending; /* bytes in block */
    uint8_t block[FSN_TIER_BLOCK];
};

uint64_t
fsn_tier_hashes_size(uint64_t length)
{
    return (length / FSN_TIER_BLOCK + (length % FSN_TIER_BLOCK != 0)) *
           FSN_TIER_HASH_SIZE;
}

uint64_t
fsn_tier_copy_size(uint64_t length)
{
    return length + fsn_tier_hashes_size(length) + FSN_TIER_TRAILER_SIZE;
}

static void
put_hash(uint8_t *p, const uint8_t *secret, const void *data, size_t len)
{
    FsnHash128 hash = fsn_hash128(secret, data, len);

    fsn_put_le64(p, hash.low);
    fsn_put_le64(p + 8, hash.high);
}

static bool
hash_is(const uint8_t *p, const uint8_t *secret, const void *data, size_t len)
{
    uint8_t found[FSN_TIER_HASH_SIZE];

    put_hash(found, secret, data, len);
    return memcmp(found, p, sizeof found) == 0;
}

FsnTierSums *
fsn_tier_sums_new(const uint8_t secret[FSN_HASH_SECRET_SIZE])
{
    FsnTierSums *sums = g_new(FsnTierSums, 1);

    memcpy(sums->secret, secret, sizeof sums->secret);
    sums->hashes = g_byte_array_new();
    sums->length = 0;
    sums->pending = 0;
    return sums;
}

void
fsn_tier_sums_free(FsnTierSums *sums)
{
    if (sums) {
        g_byte_array_unref(sums->hashes);
        g_free(sums);
    }
}

static void
add_block(FsnTierSums *sums, const void *data, size_t len)
{
    uint8_t hash[FSN_TIER_HASH_SIZE];

    put_hash(hash, sums->secret, data, len);
    g_byte_array_append(sums->hashes, hash, sizeof hash);
}

void
fsn_tier_sums_update(FsnTierSums *sums, const void *data, size_t len)
{
    const uint8_t *p = data;

    sums->length += len;
    while (len > 0) {
        size_t n = MIN(len, FSN_TIER_BLOCK - sums->pending);

        if (n == FSN_TIER_BLOCK) {
            add_block(sums, p, n);
        } else {
            memcpy(sums->block + sums->pending, p, n);
            sums->pending += n;
            if (sums->pending == FSN_TIER_BLOCK) {
                add_block(sums, sums->block, FSN_TIER_BLOCK);
                sums->pending = 0;
            }
        }
        p += n;
        len -= n;
    }
}

/* The hash over the sealed part of a trailer and the key. */
static void
put_seal(uint8_t *p, const uint8_t *secret, const uint8_t *trailer, const char *key)
{
    g_autoptr(GByteArray) sealed = g_byte_array_new();

    g_byte_array_append(sealed, trailer, SEALED_SIZE);
    g_byte_array_append(sealed, (const uint8_t *)key, (guint)strlen(key));
    put_hash(p, secret, sealed->data, sealed->len);
}

GByteArray *
fsn_tier_sums_finish(FsnTierSums *sums, const char *key)
{
    uint8_t trailer[FSN_TIER_TRAILER_SIZE] = { 0 };

    if (sums->pending > 0) {
        add_block(sums, sums->block, sums->pending);
        sums->pending = 0;
    }
    memcpy(trailer, MAGIC, FSN_MAGIC_SIZE);
    fsn_put_le32(trailer + 8, FSN_TIER_BLOCK);
    fsn_put_le64(trailer + 16, sums->length);
    put_hash(trailer + TABLE_HASH, sums->secret, sums->hashes->data, sums->hashes->len);
    put_seal(trailer + SEALED_SIZE, sums->secret, trailer, key);
    g_byte_array_append(sums->hashes, trailer, sizeof trailer);
    return g_byte_array_ref(sums->hashes);
}

bool
fsn_tier_trailer_parse(const uint8_t secret[FSN_HASH_SECRET_SIZE],
                       const char *key,
                       const uint8_t trailer[FSN_TIER_TRAILER_SIZE],
                       uint64_t size,
                       uint64_t *out_length,
                       GError **error)
{
    uint64_t length = fsn_get_le64(trailer + 16);
    uint8_t seal[FSN_TIER_HASH_SIZE];

    put_seal(seal, secret, trailer, key);
    if (memcmp(trailer, MAGIC, FSN_MAGIC_SIZE) != 0 ||
        memcmp(seal, trailer + SEALED_SIZE, sizeof seal) != 0) {
        return fsn_set_damaged(error, key, "the copy does not end with its trailer");
    }
    if (fsn_get_le32(trailer + 8) != FSN_TIER_BLOCK || length > FSN_TIER_MAX_OBJECT ||
        fsn_tier_copy_size(length) != size) {
        return fsn_set_damaged(error, key, "the copy has %" G_GUINT64_FORMAT " bytes",
                               size);
    }
    *out_length = length;
    return true;
}

bool
fsn_tier_hashes_match(const uint8_t secret[FSN_HASH_SECRET_SIZE],
                      const uint8_t trailer[FSN_TIER_TRAILER_SIZE],
                      const uint8_t *hashes,
                      size_t len)
{
    return hash_is(trailer + TABLE_HASH, secret, hashes, len);
}

bool
fsn_tier_block_matches(const uint8_t secret[FSN_HASH_SECRET_SIZE],
                       const uint8_t *hashes,
                       uint64_t block,
                       const void *data,
                       size_t len)
{
    return hash_is(hashes + block * FSN_TIER_HASH_SIZE, secret, data, len);
}
