/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cli/units.c: every boundary between two units. */
#include "config.h"

#include "cli/units.h"

static void
test_size(void)
{
    const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        { 0, "0 B" },
        { 1023, "1023 B" },
        { 1024, "1.0 KiB" },
        { 102348, "99.9 KiB" },
        { 102400, "100 KiB" },
        { 1048063, "1023 KiB" },
        { 1048065, "1.0 MiB" },
        { 2 * UINT64_C(1073741824), "2.0 GiB" },
        { UINT64_MAX, "16.0 EiB" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = fsn_cli_size_text(cases[i].bytes);

        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

static void
test_duration(void)
{
    const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        { -1, "0 µs" },
        { 999, "999 µs" },
        { 1000, "1.0 ms" },
        { 99949, "99.9 ms" },
        { 99951, "100 ms" },
        { 1000000, "1.00 s" },
        { 59990000, "59.99 s" },
        { 60000000, "1 min 00 s" },
        { INT64_C(3600) * 1000000, "1 h 00 min" },
        { INT64_C(100000) * 1000000, "27 h 46 min" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = fsn_cli_duration_text(cases[i].us);

        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

static void
test_instant(void)
{
    g_autofree char *good = fsn_cli_instant_text("2026-11-21T04:50:15Z");
    g_autofree char *bad = fsn_cli_instant_text("yesterday");

    g_assert_cmpstr(good, ==, "2026-11-21 04:50");
    g_assert_cmpstr(bad, ==, "yesterday");
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/units/size", test_size);
    g_test_add_func("/cli/units/duration", test_duration);
    g_test_add_func("/cli/units/instant", test_instant);
    return g_test_run();
}
