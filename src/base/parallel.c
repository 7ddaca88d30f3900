/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many small independent pieces of work on all processors. The threads live as long as the
 * call: no pool outlives the work, and nothing is queued. Where no thread can be had, the
 * caller does all of it.
 */
#include "config.h"

#include "base/parallel.h"

#define MAX_THREADS 64

typedef struct {
    size_t n;
    FsnParallelFunc each;
    gpointer user;
    size_t next; /* atomic */
} Work;

static gpointer
run(gpointer data)
{
    Work *work = data;
    size_t i;

    while ((i = __atomic_fetch_add(&work->next, 1, __ATOMIC_RELAXED)) < work->n) {
        work->each(work->user, i);
    }
    return NULL;
}

void
fsn_parallel_for(size_t n, size_t worth, FsnParallelFunc each, gpointer user)
{
    Work work = { .n = n, .each = each, .user = user };
    GThread *threads[MAX_THREADS];
    size_t wanted = MIN(MIN(g_get_num_processors(), MAX_THREADS), n);
    size_t started = 0;

    if (n >= worth) {
        while (started + 1 < wanted &&
               (threads[started] = g_thread_try_new("parallel", run, &work, NULL))) {
            started++;
        }
    }
    (void)run(&work);
    for (size_t i = 0; i < started; i++) {
        (void)g_thread_join(threads[i]);
    }
}
