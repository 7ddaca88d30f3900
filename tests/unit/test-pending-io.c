/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/pending-io.c: what the kernel writes is read and nothing else; a thread that hangs
 * is told from those that merely wait often. */
#include "config.h"

#include "cycle/pending-io.h"

#include <string.h>

/* As Linux 6.18 writes it, without some of the lines between. */
#define TEXT(name, state, voluntary, involuntary)                     \
    "Name:\t" name "\nUmask:\t0022\nState:\t" state                   \
    "\nTgid:\t110\nNgid:\t0\nPid:\t131\nGroups:\t107 \nThreads:\t5\n" \
    "Mems_allowed_list:\t0\nvoluntary_ctxt_switches:\t" voluntary     \
    "\nnonvoluntary_ctxt_switches:\t" involuntary "\n"

#define WORKER TEXT("worker", "D (disk sleep)", "5", "3")

static bool
parse(const char *text, size_t len, FsnThreadLook *out)
{
    /* Exactly so long, so that valgrind sees a read beyond. */
    g_autofree char *copy = g_memdup2(text, len);

    return fsn_thread_look_parse(copy, len, out);
}

static void
test_parse(void)
{
    static const struct {
        const char *text;
        bool ok;
        bool waits;
        uint64_t switches;
    } table[] = {
        { WORKER, true, true, 8 },
        { TEXT("CPU 0/KVM", "S (sleeping)", "356", "4597"), true, false, 4953 },
        { TEXT("idle", "I (idle)", "0", "0"), true, false, 0 },
        { TEXT("long", "D (disk sleep)", "18446744073709551615", "0"), true, true,
          G_MAXUINT64 },
        { TEXT("wraps", "D (disk sleep)", "18446744073709551615", "2"), true, true, 1 },
        /* names that a process may give its threads, as the kernel shows them */
        { TEXT("a) D (", "S (sleeping)", "1", "1"), true, false, 2 },
        { TEXT("a\\nState:\tD", "S (sleeping)", "1", "1"), true, false, 2 },
        { TEXT("State:\tD", "R (running)", "1", "1"), true, false, 2 },
        /* what it never writes */
        { "", false, false, 0 },
        { "\n\n\n", false, false, 0 },
        { "State:\tD (disk sleep)\n", false, false, 0 },
        { "131 (worker) D 1 110 110 0 -1 4194304 97 0 0 0\n", false, false, 0 },
        { TEXT("a\nState:\tD", "S (sleeping)", "1", "1"), false, false, 0 },
        { TEXT("a", "", "1", "1"), false, false, 0 },
        { TEXT("a", "D", "", "1"), false, false, 0 },
        { TEXT("a", "D", "1", "-1"), false, false, 0 },
        { TEXT("a", "D", "+1", "1"), false, false, 0 },
        { TEXT("a", "D", "1 ", "1"), false, false, 0 },
        { TEXT("a", "D", "0x1", "1"), false, false, 0 },
        { TEXT("a", "D", "18446744073709551616", "1"), false, false, 0 },
        { TEXT("a", "D", "000000000000000000001", "1"), false, false, 0 },
        { TEXT("a", "D", "1\nvoluntary_ctxt_switches:\t1", "1"), false, false, 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        FsnThreadLook look = { .tid = 7 };

        g_test_message("%s", table[i].text);
        g_assert_cmpint(parse(table[i].text, strlen(table[i].text), &look), ==,
                        table[i].ok);
        g_assert_cmpint(look.waits, ==, table[i].waits);
        g_assert_cmpuint(look.switches, ==, table[i].switches);
        g_assert_cmpint(look.tid, ==, 7);
    }
}

/* The counters end the text: one that is cut has none. */
static void
test_truncations(void)
{
    FsnThreadLook look;

    for (size_t len = 0; len < strlen(WORKER); len++) {
        g_assert_false(parse(WORKER, len, &look));
    }
    g_assert_true(parse(WORKER, strlen(WORKER), &look));
}

/* Any byte, anywhere: an answer or none, and a NUL in a number is none. */
static void
test_flips(void)
{
    for (size_t at = 0; at < strlen(WORKER); at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            char text[] = WORKER;
            FsnThreadLook look = { 0 };

            text[at] = (char)byte;
            if (parse(text, strlen(WORKER), &look)) {
                g_assert_cmpuint(look.switches, <=, 9 + 9);
            }
        }
    }
}

#define S 1000000

typedef struct {
    int64_t at_us;
    FsnThreadLook threads[4]; /* up to a tid of 0 */
    FsnIoVerdict verdict;
} Look;

/* Each row of looks is a life; it ends with a verdict that ends the watching. */
static const struct {
    const char *name;
    Look looks[6];
} lives[] = {
    { "no threads", { { 0, { { 0 } }, FSN_IO_MOVES } } },
    { "none waits", { { 0, { { 1, false, 5 }, { 2, false, 9 } }, FSN_IO_MOVES } } },
    { "one waits, then has moved on",
      { { 0, { { 1, false, 5 }, { 2, true, 9 } }, FSN_IO_WAITS },
        { S, { { 1, false, 5 }, { 2, false, 9 } }, FSN_IO_MOVES } } },
    { "waits again",
      { { 0, { { 2, true, 9 } }, FSN_IO_WAITS },
        { S, { { 2, true, 10 } }, FSN_IO_MOVES } } },
    { "ends",
      { { 0, { { 1, false, 5 }, { 2, true, 9 } }, FSN_IO_WAITS },
        { S, { { 1, false, 6 } }, FSN_IO_MOVES } } },
    { "hangs",
      { { 7 * S, { { 1, false, 5 }, { 2, true, 9 } }, FSN_IO_WAITS },
        { 8 * S, { { 1, false, 6 }, { 2, true, 9 } }, FSN_IO_WAITS },
        { 12 * S - 1, { { 2, true, 9 }, { 1, true, 7 } }, FSN_IO_WAITS },
        { 12 * S, { { 1, false, 8 }, { 2, true, 9 } }, FSN_IO_HANGS } } },
    { "moves at the last moment",
      { { 0, { { 2, true, 9 } }, FSN_IO_WAITS },
        { 5 * S - 1, { { 2, true, 9 } }, FSN_IO_WAITS },
        { 5 * S, { { 2, true, 10 } }, FSN_IO_MOVES } } },
    { "one of two hangs",
      { { 0, { { 1, true, 5 }, { 2, true, 9 } }, FSN_IO_WAITS },
        { S, { { 1, true, 5 }, { 2, true, 10 } }, FSN_IO_WAITS },
        { 5 * S, { { 1, true, 5 }, { 2, true, 10 } }, FSN_IO_HANGS } } },
    { "a busy disk: always another thread",
      { { 0, { { 1, true, 5 }, { 2, false, 9 } }, FSN_IO_WAITS },
        { S, { { 1, false, 6 }, { 2, true, 10 } }, FSN_IO_MOVES } } },
    { "one that has moved and stopped anew has not hung for long",
      { { 0, { { 1, true, 5 }, { 2, true, 9 } }, FSN_IO_WAITS },
        { S, { { 1, true, 6 }, { 2, true, 9 } }, FSN_IO_WAITS },
        { 6 * S, { { 1, true, 6 }, { 2, true, 10 } }, FSN_IO_MOVES } } },
    { "the counter of another thread does not count",
      { { 0, { { 1, true, 5 }, { 2, false, 5 } }, FSN_IO_WAITS },
        { 5 * S, { { 1, true, 6 }, { 2, true, 5 } }, FSN_IO_MOVES } } },
    { "a late second look",
      { { 0, { { 1, true, 5 } }, FSN_IO_WAITS },
        { 900 * S, { { 1, true, 5 } }, FSN_IO_HANGS } } },
};

static void
test_judge(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(lives); i++) {
        g_autoptr(FsnPendingIo) io = fsn_pending_io_new();
        const Look *look = lives[i].looks;
        FsnIoVerdict verdict;

        do {
            g_autoptr(GArray) looks = g_array_new(FALSE, FALSE, sizeof(FsnThreadLook));

            for (const FsnThreadLook *t = look->threads; t->tid != 0; t++) {
                g_array_append_vals(looks, t, 1);
            }
            g_test_message("%s, at %" G_GINT64_FORMAT, lives[i].name, look->at_us);
            verdict = fsn_pending_io_judge(io, looks, look->at_us);
            g_assert_cmpint(verdict, ==, look->verdict);
            look++;
        } while (verdict == FSN_IO_WAITS);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pending-io/parse", test_parse);
    g_test_add_func("/pending-io/truncations", test_truncations);
    g_test_add_func("/pending-io/flips", test_flips);
    g_test_add_func("/pending-io/judge", test_judge);
    return g_test_run();
}
