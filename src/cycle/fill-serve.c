/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping a server alive. The thread that starts nbdkit waits for its end, because the kernel
 * ends a child with the thread that started it. What connects while there is none waits in
 * the listening socket, which is not nbdkit's.
 */
#include "config.h"

#include "cycle/fill-private.h"

#include "disk/nbd-server.h"

#include <poll.h>

#define FIRST_WAIT_MS 50
#define MAX_WAIT_MS   5000
/* One that ran for so long had a good start: the next one need not wait long. */
#define GOOD_US       (10 * (int64_t)G_USEC_PER_SEC)

struct FsnFillServer {
    char *plugin;
    char *repo;
    char *snapshot;
    char *target;
    int listener;
    int record;
    GCancellable *stop;
    GThread *thread;
    GMutex lock; /* of the next two */
    GCond changed;
    bool begun; /* the first start has succeeded or failed */
    GError *error;
};

static void
tell_begun(FsnFillServer *s, const GError *error)
{
    g_mutex_lock(&s->lock);
    if (!s->begun) {
        s->begun = true;
        s->error = error ? g_error_copy(error) : NULL;
        g_cond_signal(&s->changed);
    }
    g_mutex_unlock(&s->lock);
}

/* One nbdkit from its start to its end. */
static void
serve_once(FsnFillServer *s)
{
    const FsnNbdServerOptions options = { .plugin = s->plugin,
                                          .repo = s->repo,
                                          .snapshot = s->snapshot,
                                          .target = s->target,
                                          .record = s->record,
                                          .listener = s->listener };
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnNbdServer) server = fsn_nbd_server_start(&options, &error);

    tell_begun(s, error);
    if (!server || !fsn_nbd_server_wait(server, s->stop, &error)) {
        g_message("disk %s: %s", s->target, error->message);
    }
}

/* True if it is to end. */
static bool
wait_ms(FsnFillServer *s, int ms)
{
    struct pollfd p = { .fd = g_cancellable_get_fd(s->stop), .events = POLLIN };

    if (!g_cancellable_is_cancelled(s->stop)) {
        (void)poll(&p, 1, ms); /* whatever it says, the flag is looked at */
    }
    g_cancellable_release_fd(s->stop);
    return g_cancellable_is_cancelled(s->stop);
}

static gpointer
keep(gpointer data)
{
    FsnFillServer *s = data;
    int wait = FIRST_WAIT_MS;

    do {
        int64_t begun_us = g_get_monotonic_time();

        serve_once(s);
        wait = g_get_monotonic_time() - begun_us > GOOD_US ? FIRST_WAIT_MS
                                                           : MIN(2 * wait, MAX_WAIT_MS);
    } while (!wait_ms(s, wait));
    return NULL;
}

FsnFillServer *
fsn_fill_server_new(const FsnFillServerOptions *options, GError **error)
{
    g_autoptr(FsnFillServer) s = g_new0(FsnFillServer, 1);

    s->plugin = g_strdup(options->plugin);
    s->repo = g_strdup(options->repo);
    s->snapshot = g_strdup(options->snapshot);
    s->target = g_strdup(options->target);
    s->listener = options->listener;
    s->record = options->record;
    s->stop = g_cancellable_new();
    g_mutex_init(&s->lock);
    g_cond_init(&s->changed);
    s->thread = g_thread_try_new("serve", keep, s, error);
    if (!s->thread) {
        return NULL;
    }
    g_mutex_lock(&s->lock);
    while (!s->begun) {
        g_cond_wait(&s->changed, &s->lock);
    }
    g_mutex_unlock(&s->lock);
    if (s->error) {
        g_propagate_error(error, g_steal_pointer(&s->error));
        return NULL;
    }
    return g_steal_pointer(&s);
}

void
fsn_fill_server_free(FsnFillServer *s)
{
    if (!s) {
        return;
    }
    g_cancellable_cancel(s->stop);
    if (s->thread) {
        (void)g_thread_join(s->thread); /* has no result */
    }
    g_object_unref(s->stop);
    g_mutex_clear(&s->lock);
    g_cond_clear(&s->changed);
    g_clear_error(&s->error);
    g_free(s->plugin);
    g_free(s->repo);
    g_free(s->snapshot);
    g_free(s->target);
    g_free(s);
}
