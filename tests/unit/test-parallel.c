/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/base/parallel.c: every number once, also for none and for few. */
#include "config.h"

#include "base/parallel.h"

#include <stdbool.h>

typedef struct {
    int *calls;
    GThread *caller;
    int others; /* atomic: calls from other threads */
} Seen;

static void
note(gpointer user, size_t i)
{
    Seen *seen = user;

    g_atomic_int_inc(&seen->calls[i]);
    if (g_thread_self() != seen->caller) {
        g_atomic_int_inc(&seen->others);
    }
}

static void
test_once(void)
{
    const size_t counts[] = { 0, 1, 2, 63, 1000 };

    for (size_t c = 0; c < G_N_ELEMENTS(counts); c++) {
        g_autofree int *calls = g_new0(int, counts[c] + 1);
        Seen seen = { .calls = calls, .caller = g_thread_self() };

        fsn_parallel_for(counts[c], 1, note, &seen);
        for (size_t i = 0; i < counts[c]; i++) {
            g_assert_cmpint(calls[i], ==, 1);
        }
        g_assert_cmpint(calls[counts[c]], ==, 0);
    }
}

static void
test_few(void)
{
    int calls[8] = { 0 };
    Seen seen = { .calls = calls, .caller = g_thread_self() };

    fsn_parallel_for(8, 9, note, &seen);
    g_assert_cmpint(seen.others, ==, 0);
    g_assert_cmpint(calls[7], ==, 1);
}

typedef struct {
    GMutex lock;
    GCond met;
    int there;
} Meeting;

/* Returns only when two calls are under way at once, or after a long time. */
static void
meet(gpointer user, size_t i)
{
    Meeting *m = user;
    int64_t until = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;

    g_mutex_lock(&m->lock);
    m->there++;
    g_cond_broadcast(&m->met);
    while (m->there < 2 && g_cond_wait_until(&m->met, &m->lock, until)) {
    }
    g_mutex_unlock(&m->lock);
}

static void
test_at_once(void)
{
    Meeting m = { .there = 0 };
    int64_t start = g_get_monotonic_time();

    if (g_get_num_processors() < 2) {
        return; /* then nothing is at once */
    }
    g_mutex_init(&m.lock);
    g_cond_init(&m.met);
    fsn_parallel_for(2, 1, meet, &m);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 29 * G_USEC_PER_SEC);
    g_cond_clear(&m.met);
    g_mutex_clear(&m.lock);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parallel/once", test_once);
    g_test_add_func("/parallel/few", test_few);
    g_test_add_func("/parallel/at-once", test_at_once);
    return g_test_run();
}
