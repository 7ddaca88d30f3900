/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Size in bytes of the secret that keys the granule hash; at least XXH3's minimum. */
#define FSN_HASH_SECRET_SIZE 192
#define FSN_SHA256_SIZE      32

/* 128 bits of XXH3 with a secret (Y. Collet, xxHash 0.8). Fast, not cryptographic: the
 * secret keeps a guest from making up pages that collide. */
typedef struct {
    uint64_t low;
    uint64_t high;
} FsnHash128;

static inline bool
fsn_hash128_equal(FsnHash128 a, FsnHash128 b)
{
    return a.low == b.low && a.high == b.high;
}

FsnHash128 fsn_hash128(const uint8_t secret[FSN_HASH_SECRET_SIZE],
                       const void *data,
                       size_t len);

/* XXH3 of 64 bits without a secret: a checksum against accidents, for headers and rings. */
uint64_t fsn_hash64(const void *data, size_t len);

/* SHA-256 at once, and in steps. Steps: new, update…, then finish (which frees). */
void fsn_sha256(const void *data, size_t len, uint8_t out[FSN_SHA256_SIZE]);

typedef struct FsnSha256 FsnSha256;
FsnSha256 *fsn_sha256_new(void);
void fsn_sha256_update(FsnSha256 *sha, const void *data, size_t len);
void fsn_sha256_finish(FsnSha256 *sha, uint8_t out[FSN_SHA256_SIZE]);
void fsn_sha256_free(FsnSha256 *sha);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnSha256, fsn_sha256_free)

/* Lower-case hex of @len bytes; the caller frees. */
char *fsn_hex(const uint8_t *data, size_t len);

/* Parses exactly 2 × @len hex digits of either case; false if @text is anything else. */
bool fsn_unhex(const char *text, uint8_t *out, size_t len);

/* Fills @out from the kernel's random source; never fails (aborts if there is none). */
void fsn_random_bytes(void *out, size_t len);

G_END_DECLS
