/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hashes and randomness: the only user of xxHash and GnuTLS. A keyed 128-bit hash says
 * "same granule as before"; SHA-256 protects whole objects. No policy is decided here.
 */
#include "config.h"

#include "base/hash.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <xxhash.h>

struct FsnSha256 {
    gnutls_hash_hd_t handle;
};

G_STATIC_ASSERT(FSN_HASH_SECRET_SIZE >= XXH3_SECRET_SIZE_MIN);

FsnHash128
fsn_hash128(const uint8_t secret[FSN_HASH_SECRET_SIZE], const void *data, size_t len)
{
    XXH128_hash_t h = XXH3_128bits_withSecret(data, len, secret, FSN_HASH_SECRET_SIZE);

    return (FsnHash128){ .low = h.low64, .high = h.high64 };
}

uint64_t
fsn_hash64(const void *data, size_t len)
{
    return XXH3_64bits(data, len);
}

void
fsn_sha256(const void *data, size_t len, uint8_t out[FSN_SHA256_SIZE])
{
    int rc = gnutls_hash_fast(GNUTLS_DIG_SHA256, data, len, out);

    g_assert(rc == 0);
}

FsnSha256 *
fsn_sha256_new(void)
{
    FsnSha256 *sha = g_new0(FsnSha256, 1);
    int rc = gnutls_hash_init(&sha->handle, GNUTLS_DIG_SHA256);

    g_assert(rc == 0);
    return sha;
}

void
fsn_sha256_update(FsnSha256 *sha, const void *data, size_t len)
{
    int rc = gnutls_hash(sha->handle, data, len);

    g_assert(rc == 0);
}

void
fsn_sha256_finish(FsnSha256 *sha, uint8_t out[FSN_SHA256_SIZE])
{
    gnutls_hash_deinit(sha->handle, out);
    g_free(sha);
}

void
fsn_sha256_free(FsnSha256 *sha)
{
    uint8_t ignored[FSN_SHA256_SIZE];

    if (sha) {
        fsn_sha256_finish(sha, ignored);
    }
}

char *
fsn_hex(const uint8_t *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    char *text = g_malloc(2 * len + 1);

    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[data[i] >> 4];
        text[2 * i + 1] = digits[data[i] & 15];
    }
    text[2 * len] = '\0';
    return text;
}

bool
fsn_unhex(const char *text, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int high = g_ascii_xdigit_value(text[2 * i]);
        int low = high < 0 ? -1 : g_ascii_xdigit_value(text[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return text[2 * len] == '\0';
}

void
fsn_random_bytes(void *out, size_t len)
{
    int rc = gnutls_rnd(GNUTLS_RND_RANDOM, out, len);

    g_assert(rc == 0);
}
