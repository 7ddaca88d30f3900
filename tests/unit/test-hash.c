/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/base/hash.c and id.c: known answers, the key matters, hex is strict. */
#include "config.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/id.h"

static void
test_sha256(void)
{
    /* FIPS 180-2, appendix B.1 */
    uint8_t out[FSN_SHA256_SIZE];
    FsnSha256 *sha = fsn_sha256_new();
    g_autofree char *at_once = NULL;
    g_autofree char *in_steps = NULL;

    fsn_sha256("abc", 3, out);
    at_once = fsn_hex(out, sizeof(out));
    g_assert_cmpstr(at_once, ==,
                    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    fsn_sha256_update(sha, "a", 1);
    fsn_sha256_update(sha, "bc", 2);
    fsn_sha256_finish(sha, out);
    in_steps = fsn_hex(out, sizeof(out));
    g_assert_cmpstr(in_steps, ==, at_once);
}

static void
test_hash128_is_keyed(void)
{
    uint8_t one[FSN_HASH_SECRET_SIZE];
    uint8_t two[FSN_HASH_SECRET_SIZE];
    uint8_t page[4096] = { 7 };

    fsn_random_bytes(one, sizeof(one));
    fsn_random_bytes(two, sizeof(two));
    g_assert_true(fsn_hash128_equal(fsn_hash128(one, page, sizeof(page)),
                                    fsn_hash128(one, page, sizeof(page))));
    g_assert_false(fsn_hash128_equal(fsn_hash128(one, page, sizeof(page)),
                                     fsn_hash128(two, page, sizeof(page))));
}

static void
test_ids(void)
{
    FsnId id = fsn_id_new();
    FsnId back;
    g_autofree char *text = fsn_id_to_string(&id);

    g_assert_true(fsn_id_parse(text, &back));
    g_assert_true(fsn_id_equal(&id, &back));
    g_assert_false(fsn_id_parse("12", &back));
    text[5] = 'x';
    g_assert_false(fsn_id_parse(text, &back));
}

static void
test_is_zero(void)
{
    uint8_t page[4096] = { 0 };

    g_assert_true(fsn_is_zero(page, sizeof(page)));
    for (size_t i = 0; i < sizeof(page); i += 511) {
        page[i] = 1;
        g_assert_false(fsn_is_zero(page, sizeof(page)));
        page[i] = 0;
    }
    page[4095] = 1;
    g_assert_false(fsn_is_zero(page, sizeof(page)));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hash/sha256", test_sha256);
    g_test_add_func("/hash/hash128-is-keyed", test_hash128_is_keyed);
    g_test_add_func("/id/round-trip", test_ids);
    g_test_add_func("/bytes/is-zero", test_is_zero);
    return g_test_run();
}
