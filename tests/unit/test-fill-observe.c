/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/fill-observe.c: the guest's reads are told from those of the filling. */
#include "config.h"

#include "cycle/fill-observe.h"

#define G   4096u
#define MIB (1u << 20)

static char *
text_of(const FsnFillSeen *seen)
{
    GString *text = g_string_new(NULL);

    g_assert_cmpuint(seen->granules->len, ==, seen->at_us->len);
    for (guint i = 0; i < seen->granules->len; i++) {
        g_string_append_printf(text, "%u@%u ", g_array_index(seen->granules, uint32_t, i),
                               g_array_index(seen->at_us, uint32_t, i));
    }
    return g_string_free(text, FALSE);
}

static void
test_nothing(void)
{
    g_auto(FsnFillSeen) seen = { 0 };

    fsn_fill_observe(NULL, 0, NULL, 0, &seen);
    g_assert_cmpuint(seen.granules->len, ==, 0);
    g_assert_cmpuint(seen.window_us, ==, UINT32_MAX);
}

static void
test_mixed(void)
{
    const FsnDiskRead reads[] = {
        { 0, 1000, 512, 0 },               /* the guest */
        { 2 * MIB + 100, 1010, 2 * G, 0 }, /* the guest, over three granules */
        { 0, 1020, G, 0 },                 /* again */
        { MIB, 2010, 65536, 0 },           /* the filling, asked for at 2000 */
        { MIB + 65536, 2020, G, 0 },     /* the guest, before its cluster is asked for */
        { MIB + 65536, 2040, 65536, 0 }, /* the filling */
        { 5 * MIB, 40 * (uint64_t)G_USEC_PER_SEC, G, 0 }, /* too late */
    };
    const FsnFillAsked asked[] = { { MIB, 65536, 2000 }, { MIB + 65536, 65536, 2030 } };
    g_auto(FsnFillSeen) seen = { 0 };
    g_autofree char *text = NULL;

    fsn_fill_observe(reads, G_N_ELEMENTS(reads), asked, G_N_ELEMENTS(asked), &seen);
    text = text_of(&seen);
    g_assert_cmpstr(text, ==, "0@0 512@10 513@10 514@10 272@1020 ");
    g_assert_cmpuint(seen.window_us, ==, 1000);
}

/* A record is bytes from another process: whatever is in it, nothing is written beyond. */
static void
test_odd(void)
{
    const FsnDiskRead reads[] = {
        { UINT64_MAX - 10, 5, 0, 0 },
        { (uint64_t)UINT32_MAX * G, 4, 3 * G, 0 },
        { 0, 3, UINT32_MAX, 0 },
    };
    const FsnFillAsked asked[] = { { 0, 0, 9 } };
    g_auto(FsnFillSeen) seen = { 0 };

    fsn_fill_observe(reads, G_N_ELEMENTS(reads), asked, 1, &seen);
    g_assert_cmpuint(seen.granules->len, ==, FSN_WORKING_SET_MAX);
    g_assert_cmpuint(g_array_index(seen.granules, uint32_t, 0), ==, UINT32_MAX);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fill-observe/nothing", test_nothing);
    g_test_add_func("/fill-observe/mixed", test_mixed);
    g_test_add_func("/fill-observe/odd", test_odd);
    return g_test_run();
}
