/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of a copy in a tier: golden bytes, every truncation, a flipped bit anywhere.
 */
#include "config.h"

#include "tier/copy.h"

#include "base/bytes.h"
#include "base/error.h"

#include <string.h>

#define KEY "packs/ab/abcd"

static uint8_t secret[FSN_HASH_SECRET_SIZE];

static GByteArray *
make_copy(const uint8_t *data, size_t len, size_t step)
{
    g_autoptr(FsnTierSums) sums = fsn_tier_sums_new(secret);
    g_autoptr(GByteArray) tail = NULL;
    GByteArray *copy = g_byte_array_new();

    for (size_t at = 0; at < len; at += step) {
        fsn_tier_sums_update(sums, data + at, MIN(step, len - at));
    }
    tail = fsn_tier_sums_finish(sums, KEY);
    g_byte_array_append(copy, data, (guint)len);
    g_byte_array_append(copy, tail->data, tail->len);
    return copy;
}

/* Is @copy, with all its parts, a copy of @len bytes that we made? */
static bool
is_whole(const uint8_t *copy, size_t size, const char *key, uint64_t len)
{
    const uint8_t *trailer = copy + size - FSN_TIER_TRAILER_SIZE;
    const uint8_t *hashes = copy + len;
    uint64_t found;

    if (size < FSN_TIER_TRAILER_SIZE ||
        !fsn_tier_trailer_parse(secret, key, trailer, size, &found, NULL)) {
        return false;
    }
    g_assert_cmpuint(found, ==, len);
    if (!fsn_tier_hashes_match(secret, trailer, hashes, fsn_tier_hashes_size(len))) {
        return false;
    }
    for (uint64_t at = 0; at < len; at += FSN_TIER_BLOCK) {
        if (!fsn_tier_block_matches(secret, hashes, at / FSN_TIER_BLOCK, copy + at,
                                    (size_t)MIN(FSN_TIER_BLOCK, len - at))) {
            return false;
        }
    }
    return true;
}

static void
test_golden(void)
{
    g_autoptr(GByteArray) copy = make_copy((const uint8_t *)"object", 6, 6);
    const uint8_t *trailer = copy->data + 6 + 16;
    uint8_t sealed[48 + sizeof KEY - 1];

    g_assert_cmpuint(copy->len, ==, 6 + 16 + 64);
    g_assert_cmpmem(trailer, 8, "FSNTIER1", 8);
    g_assert_cmphex(fsn_get_le32(trailer + 8), ==, 0x4000);
    g_assert_cmphex(fsn_get_le32(trailer + 12), ==, 0);
    g_assert_cmphex(fsn_get_le64(trailer + 16), ==, 6);
    g_assert_cmphex(fsn_get_le64(trailer + 24), ==, 0);
    g_assert_cmphex(fsn_get_le64(copy->data + 6), ==,
                    fsn_hash128(secret, "object", 6).low);
    g_assert_cmphex(fsn_get_le64(copy->data + 14), ==,
                    fsn_hash128(secret, "object", 6).high);
    g_assert_cmphex(fsn_get_le64(trailer + 32), ==,
                    fsn_hash128(secret, copy->data + 6, 16).low);
    memcpy(sealed, trailer, 48);
    memcpy(sealed + 48, KEY, sizeof KEY - 1);
    g_assert_cmphex(fsn_get_le64(trailer + 56), ==,
                    fsn_hash128(secret, sealed, sizeof sealed).high);
}

/* However it comes in, and whatever its length. */
static void
test_steps(void)
{
    static const size_t lengths[] = { 0, 1, 16383, 16384, 16385, 32768, 40000, 100001 };
    g_autofree uint8_t *data = g_malloc(100001);

    for (size_t i = 0; i < 100001; i++) {
        data[i] = (uint8_t)(i * 7 + i / 251);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(GByteArray) once = make_copy(data, lengths[i], 1000000);
        g_autoptr(GByteArray) odd = make_copy(data, lengths[i], 4999);

        g_assert_cmpuint(once->len, ==, fsn_tier_copy_size(lengths[i]));
        g_assert_cmpmem(once->data, once->len, odd->data, odd->len);
        g_assert_true(is_whole(once->data, once->len, KEY, lengths[i]));
        g_assert_false(is_whole(once->data, once->len, "packs/ab/abce", lengths[i]));
    }
}

static void
test_damage(void)
{
    uint8_t data[FSN_TIER_BLOCK + 100];
    g_autoptr(GByteArray) copy = NULL;

    memset(data, 0x5a, sizeof data);
    copy = make_copy(data, sizeof data, sizeof data);
    for (size_t i = 0; i < copy->len; i += i < 200 || i + 400 > copy->len ? 1 : 97) {
        copy->data[i] ^= 0x10;
        g_assert_false(is_whole(copy->data, copy->len, KEY, sizeof data));
        copy->data[i] ^= 0x10;
    }
    for (size_t n = 0; n < copy->len; n++) {
        g_assert_false(n >= sizeof data + 100 &&
                       is_whole(copy->data, n, KEY, sizeof data));
    }
    g_assert_true(is_whole(copy->data, copy->len, KEY, sizeof data));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < sizeof secret; i++) {
        secret[i] = (uint8_t)(i * 11 + 3);
    }
    g_test_add_func("/tier/copy/golden", test_golden);
    g_test_add_func("/tier/copy/steps", test_steps);
    g_test_add_func("/tier/copy/damage", test_damage);
    return g_test_run();
}
