/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/virt/last-words.c: the line that tells why, and none that is old or tells nothing. */
#include "config.h"

#include "virt/last-words.h"

#include <string.h>

#define DAY   "2026-01-31T12:00:"
#define SINCE (G_GINT64_CONSTANT(1769860800) * G_USEC_PER_SEC) /* DAY 00 */

static void
test_find(void)
{
    static const struct {
        const char *log;
        const char *words;
    } cases[] = {
        { "", NULL },
        { "2026-01-31 12:00:01.000+0000: starting up libvirt version: 9.0.0\n", NULL },
        { "2026-01-31T11:59:59.999999Z qemu-system-x86_64: too old\n", NULL },
        { DAY "00.000000Z qemu-system-x86_64: just in time\n", "just in time" },
        { DAY "01.5Z qemu-system-x86_64: warning: TCG doesn't support this\n" DAY
              "02.0Z qemu-system-x86_64: Size mismatch: pc.ram: 1 != 2: Invalid\n" DAY
              "02.0Z qemu-system-x86_64: load of migration failed\n",
          "Size mismatch: pc.ram: 1 != 2: Invalid" },
        { DAY "01.0Z qemu-system-x86_64: terminating on signal 15 from pid 3\n", NULL },
        { "6_64: cut\n" DAY "01.0Z qemu-system-aarch64: no end of line",
          "no end of line" },
        { "never qemu-system-x86_64: no time\n", NULL },
        { DAY "01.0Z qemu-system-x86_64: \n", NULL },
        { DAY "01.0Z qemu-system-x86_64", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *words =
            fsn_last_words_find(cases[i].log, strlen(cases[i].log), SINCE);

        g_assert_cmpstr(words, ==, cases[i].words);
    }
}

/* Whatever a guest makes QEMU say, a message is made of it: one line, bounded, UTF-8. */
static void
test_hostile(void)
{
    g_autoptr(GString) log = g_string_new(DAY "01.0Z qemu-system-x86_64: \xff");
    g_autofree char *words = NULL;

    for (int i = 0; i < 10000; i++) {
        g_string_append_c(log, 'x');
    }
    words = fsn_last_words_find(log->str, log->len, SINCE);
    g_assert_true(g_utf8_validate(words, -1, NULL));
    g_assert_cmpuint(strlen(words), <, 400);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/last-words/find", test_find);
    g_test_add_func("/last-words/hostile", test_hostile);
    return g_test_run();
}
