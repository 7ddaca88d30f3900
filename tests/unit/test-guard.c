/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/guard.c, the guard's own side: when recovery is due, and who is killed first. */
#include "config.h"

#include "cycle/guard.h"

#include <sys/wait.h>
#include <unistd.h>

#define STALL_MS 250u

/* A parent that says a byte of @words each 100 ms, at a dot nothing, and then ends or, with
 * @stalls, does not. Returns what the guard makes of it. */
static bool
watch(const char *words, bool stalls, bool *out_killed)
{
    int ends[2];
    int status;
    pid_t parent;
    bool done;

    g_assert_cmpint(pipe(ends), ==, 0);
    parent = fork();
    g_assert_cmpint(parent, >=, 0);
    if (parent == 0) {
        close(ends[0]);
        for (; *words; words++) {
            g_usleep(100 * 1000);
            if (*words != '.' && write(ends[1], words, 1) != 1) {
                _exit(1);
            }
        }
        while (stalls) {
            pause();
        }
        _exit(0);
    }
    close(ends[1]);
    done = fsn_guard_watch(ends[0], parent, STALL_MS);
    close(ends[0]);
    g_assert_cmpint(waitpid(parent, &status, 0), ==, parent);
    *out_killed = WIFSIGNALED(status);
    return done;
}

static void
test_watch(void)
{
    static const struct {
        const char *words;
        bool stalls;
        bool done;
        bool killed;
    } cases[] = {
        { "SBD", false, true, false },    { "....D", false, true, false },
        { "S.B.BD", false, true, false }, { "", false, false, false },
        { "SB", false, false, false },    { "S", true, false, true },
        { "BSB", true, false, true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        bool killed;
        bool done = watch(cases[i].words, cases[i].stalls, &killed);

        g_test_message("'%s': done %d, killed %d", cases[i].words, done, killed);
        g_assert_cmpint(done, ==, cases[i].done);
        g_assert_cmpint(killed, ==, cases[i].killed);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guard/watch", test_watch);
    return g_test_run();
}
