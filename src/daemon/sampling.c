/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One thread, one loop: connect if there is no connection, sample, wait for the next round or
 * for something to happen. The mutex guards what other threads see and is never held in a call
 * of libvirt or SQLite. Events arrive in libvirt's own thread and only leave a note.
 */
#include "config.h"

#include "daemon/sampling.h"

#include "base/clock.h"
#include "base/error.h"
#include "daemon/log.h"
#include "history/sampler.h"
#include "virt/stats.h"
#include "virt/watch.h"

#include <string.h>

#define SEC          ((gint64)G_USEC_PER_SEC)
#define RETRY_US     SEC
/* After an event a round comes early, but not more often than this. */
#define EVENT_GAP_US SEC
#define IDLE_US      (3600 * SEC)

struct FsnSampling {
    GThread *thread;
    GMutex mutex;
    GCond cond;
    /* under the mutex */
    char *uri;
    unsigned interval_s;
    bool stop;
    bool ended;
    bool changed;   /* something happened to a domain */
    bool closed;    /* the connection is no good any more */
    gint64 call_us; /* when the call began; 0: none */
    FsnSamplingState state;
    /* of the thread */
    char *history_path;
    FsnHistory *history;
    FsnSampler *sampler;
    FsnVirt *virt;
    FsnVirtWatch *watch;
    char *trouble; /* what was said last of it; NULL: all is well */
    bool slow;     /* that rounds take longer than they may was said */
    FsnSamplingFunc connected;
    FsnSamplingNews news;
    gpointer user;
};

/* Each trouble is said once, and its end. */
static void
say_trouble(FsnSampling *s, const char *what, const char *message)
{
    if (g_strcmp0(s->trouble, message) != 0) {
        g_free(s->trouble);
        s->trouble = g_strdup(message);
        fsn_log(FSN_LOG_WARNING, NULL, "%s: %s; it is tried again", what, message);
    }
}

static void
end_trouble(FsnSampling *s)
{
    if (s->trouble) {
        fsn_log(FSN_LOG_NOTICE, NULL, "sampling again");
        g_clear_pointer(&s->trouble, g_free);
    }
}

static void
on_event(const FsnVirtEvent *event, const char *name, gpointer user)
{
    FsnSampling *s = user;

    g_mutex_lock(&s->mutex);
    if (event) {
        s->changed = true;
        s->state.events++;
    } else {
        s->closed = true;
    }
    g_cond_signal(&s->cond);
    g_mutex_unlock(&s->mutex);
    if (event) {
        const char *word = fsn_virt_event_name(event->kind);
        const char *const fields[] = { "FORESNAP_DOMAIN",
                                       name,
                                       "FORESNAP_UUID",
                                       event->uuid,
                                       "FORESNAP_EVENT",
                                       word,
                                       NULL };

        fsn_log(FSN_LOG_INFO, fields, "domain '%s' %s", name, word);
        s->news(event->uuid, s->user);
    }
}

static void
note_call(FsnSampling *s, bool begins)
{
    g_mutex_lock(&s->mutex);
    s->call_us = begins ? fsn_monotonic_us() : 0;
    g_mutex_unlock(&s->mutex);
}

static void
set_connected(FsnSampling *s, bool connected)
{
    g_mutex_lock(&s->mutex);
    s->state.connected = connected;
    s->state.connections += connected;
    s->closed = false;
    g_mutex_unlock(&s->mutex);
}

static void
disconnect(FsnSampling *s)
{
    g_clear_pointer(&s->watch, fsn_virt_watch_free);
    g_clear_pointer(&s->virt, fsn_virt_free);
    set_connected(s, false);
}

static void
connect_to_libvirt(FsnSampling *s)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *uri = NULL;

    g_mutex_lock(&s->mutex);
    uri = g_strdup(s->uri);
    s->closed = false;
    g_mutex_unlock(&s->mutex);
    note_call(s, true);
    if (fsn_virt_open(uri, &s->virt, &error) &&
        fsn_virt_watch_new(s->virt, on_event, s, &s->watch, &error)) {
        note_call(s, false);
        set_connected(s, true);
        fsn_log(FSN_LOG_NOTICE, NULL, "connected to libvirt at %s",
                fsn_virt_uri(s->virt));
        s->connected(s->user);
        return;
    }
    note_call(s, false);
    say_trouble(s, "no libvirt", error->message);
    disconnect(s);
}

static bool
open_history(FsnSampling *s, GError **error)
{
    if (!s->history) {
        s->history = fsn_history_open(s->history_path, FSN_HISTORY_CREATE, error);
    }
    if (s->history && !s->sampler) {
        s->sampler = fsn_sampler_new(s->history, s->history_path, error);
    }
    return s->sampler != NULL;
}

static bool
sample(FsnSampling *s, GError **error)
{
    g_autoptr(GPtrArray) readings = NULL;
    size_t values = 0;
    guint domains;

    if (!open_history(s, error) ||
        !fsn_virt_read_stats(s->virt, NULL, &readings, error)) {
        return false;
    }
    domains = readings->len;
    if (!fsn_sampler_feed(s->sampler, readings, &values, error)) {
        return false;
    }
    g_mutex_lock(&s->mutex);
    s->state.domains = domains;
    s->state.rounds++;
    s->state.values += values;
    g_mutex_unlock(&s->mutex);
    return true;
}

static void
look_at_time(FsnSampling *s, gint64 took_us, unsigned interval_s)
{
    bool slow = took_us > interval_s * SEC;

    if (slow && !s->slow) {
        fsn_log(
            FSN_LOG_WARNING, NULL,
            "a round of sampling took %.1f s, longer than its interval of %u s: rounds "
            "stretch",
            (double)took_us / (double)SEC, interval_s);
    }
    s->slow = slow;
}

static void
one_round(FsnSampling *s, unsigned interval_s)
{
    g_autoptr(GError) error = NULL;
    gint64 begun_us = fsn_monotonic_us();
    bool ok;

    note_call(s, true);
    ok = sample(s, &error);
    note_call(s, false);
    if (ok) {
        end_trouble(s);
        look_at_time(s, fsn_monotonic_us() - begun_us, interval_s);
    } else {
        say_trouble(s, "no sample", error->message);
    }
}

/* Sleeps until @deadline_us, an event, the end of the connection or a change of settings. The
 * mutex is held. */
static void
wait_for_work(FsnSampling *s, gint64 deadline_us, gint64 last_us)
{
    while (!s->stop && !s->closed) {
        gint64 until_us = deadline_us;

        if (s->changed) {
            until_us = MIN(until_us, last_us + EVENT_GAP_US);
        }
        if (fsn_monotonic_us() >= until_us ||
            !g_cond_wait_until(&s->cond, &s->mutex,
                               g_get_monotonic_time() + until_us - fsn_monotonic_us())) {
            return;
        }
    }
}

static void
save(FsnSampling *s)
{
    g_autoptr(GError) error = NULL;

    if (s->sampler && !fsn_sampler_save(s->sampler, &error)) {
        fsn_log(FSN_LOG_WARNING, NULL, "the last readings are lost: %s", error->message);
    }
    g_clear_pointer(&s->sampler, fsn_sampler_free);
    g_clear_pointer(&s->history, fsn_history_free);
}

static gpointer
work(gpointer data)
{
    FsnSampling *s = data;
    gint64 next_us = fsn_monotonic_us();

    g_mutex_lock(&s->mutex);
    while (!s->stop) {
        unsigned interval_s = s->interval_s;
        bool closed = s->closed;
        gint64 last_us = fsn_monotonic_us();

        s->changed = false;
        g_mutex_unlock(&s->mutex);
        if (closed) {
            disconnect(s);
            fsn_log(FSN_LOG_WARNING, NULL, "the connection to libvirt has ended");
        }
        if (!s->virt) {
            connect_to_libvirt(s);
        }
        if (s->virt && interval_s > 0) {
            one_round(s, interval_s);
        }
        g_mutex_lock(&s->mutex);
        next_us = s->virt ? MAX(next_us + (interval_s > 0 ? interval_s * SEC : IDLE_US),
                                fsn_monotonic_us())
                          : fsn_monotonic_us() + RETRY_US;
        wait_for_work(s, next_us, last_us);
        next_us = MIN(next_us, fsn_monotonic_us());
    }
    g_mutex_unlock(&s->mutex);
    disconnect(s);
    save(s);
    g_mutex_lock(&s->mutex);
    s->ended = true;
    g_cond_broadcast(&s->cond);
    g_mutex_unlock(&s->mutex);
    return NULL;
}

FsnSampling *
fsn_sampling_new(const char *uri,
                 const char *history_path,
                 unsigned interval_s,
                 FsnSamplingFunc connected,
                 FsnSamplingNews news,
                 gpointer user)
{
    FsnSampling *s = g_new0(FsnSampling, 1);

    g_mutex_init(&s->mutex);
    g_cond_init(&s->cond);
    s->uri = g_strdup(uri);
    s->history_path = g_strdup(history_path);
    s->interval_s = interval_s;
    s->connected = connected;
    s->news = news;
    s->user = user;
    s->thread = g_thread_new("sampling", work, s);
    return s;
}

void
fsn_sampling_set(FsnSampling *s, const char *uri, unsigned interval_s)
{
    g_mutex_lock(&s->mutex);
    if (g_strcmp0(uri, s->uri) != 0) {
        g_free(s->uri);
        s->uri = g_strdup(uri);
        s->closed = true;
    }
    s->interval_s = interval_s;
    s->changed = true; /* the next round comes at once, with the new interval behind it */
    g_cond_signal(&s->cond);
    g_mutex_unlock(&s->mutex);
}

void
fsn_sampling_look(FsnSampling *s, FsnSamplingState *out_state)
{
    g_mutex_lock(&s->mutex);
    *out_state = s->state;
    out_state->busy_us = s->call_us > 0 ? fsn_monotonic_us() - s->call_us : 0;
    g_mutex_unlock(&s->mutex);
}

bool
fsn_sampling_end(FsnSampling *s, gint64 wait_us)
{
    gint64 end_us = g_get_monotonic_time() + wait_us;
    bool ended;

    g_mutex_lock(&s->mutex);
    s->stop = true;
    g_cond_broadcast(&s->cond);
    while (!s->ended && g_cond_wait_until(&s->cond, &s->mutex, end_us)) {
        continue;
    }
    ended = s->ended;
    g_mutex_unlock(&s->mutex);
    if (!ended) {
        return false;
    }
    g_thread_join(s->thread);
    g_mutex_clear(&s->mutex);
    g_cond_clear(&s->cond);
    g_free(s->uri);
    g_free(s->history_path);
    g_free(s->trouble);
    g_free(s);
    return true;
}
