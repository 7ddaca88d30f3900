/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that must not die: one loop around the connection to QEMU, the worker and the
 * peer. It allocates next to nothing, opens no file, and trusts neither worker nor peer to
 * live: a worker is replaced at once, and without a peer the load goes on.
 */
#include "config.h"

#include "memory/pager-supervisor.h"

#include "base/clock.h"
#include "base/error.h"
#include "memory/pager-control.h"
#include "memory/pager-policy.h"
#include "memory/pager-protocol.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS       100
#define LEARN_WAIT_US 15000000 /* for the worker to store what was learned */
#define PORTIONS      8        /* written between two looks at the answers */

typedef struct {
    FsnArena *arena;
    const FsnSupervisorOptions *o;
    FsnRequestBook *requests;
    FsnPagerProtocol *protocol; /* NULL before the peer has handed the socket over */
    pid_t worker;               /* 0: none */
    int lifeline;
    int64_t restart_at_us;
    unsigned failures;
    uint64_t pages_at_spawn;
    bool peer_gone;
    bool quit;
    bool ready_told;
    bool started_told;
    bool sent_told;
    bool stalled;
    int64_t next_report_us;
} Supervisor;

static void
tell(Supervisor *s, FsnControlType type, const char *text)
{
    if (!s->peer_gone) {
        fsn_control_send(s->o->control, type, text, -1);
    }
}

static void
report(Supervisor *s, const char *phase, const char *text)
{
    if (s->peer_gone && s->o->report) {
        s->o->report(s->o->user, phase, text);
    }
}

static bool
spawn(Supervisor *s, GError **error)
{
    fsn_arena_set(s->arena, worker_state, (uint32_t)FSN_WORKER_STARTING);
    s->pages_at_spawn = s->arena->shared->pages_sent;
    if (!s->o->spawn_worker(s->o->user, &s->worker, &s->lifeline, error)) {
        s->worker = 0;
        return false;
    }
    fsn_request_book_rewind(s->requests);
    fsn_request_book_push(s->requests);
    return true;
}

/* The worker is gone: when may the next one start? One that moved pages is replaced at
 * once; one that said that pages cannot be had, or did nothing, later and later. */
static void
bury(Supervisor *s)
{
    uint32_t state = fsn_arena_get(s->arena, worker_state);

    (void)waitpid(s->worker, NULL, 0); /* the lifeline is its end: it is dead or dying */
    close(s->lifeline);
    s->worker = 0;
    s->failures =
        state != FSN_WORKER_FAILED && s->arena->shared->pages_sent > s->pages_at_spawn
            ? 0
            : s->failures + 1;
    s->restart_at_us = fsn_monotonic_us() + fsn_policy_restart_delay_us(s->failures);
    s->arena->shared->restarts++;
    if (state == FSN_WORKER_FAILED) {
        g_autofree char *text = fsn_arena_dup_error(s->arena);

        s->stalled = true;
        tell(s, FSN_CONTROL_STALLED, text);
    } else {
        tell(s, FSN_CONTROL_RESTARTED, NULL);
    }
}

/* Before the guest's state is sent nothing is lost by giving up, and the caller learns at
 * once that the snapshot cannot be read. */
static bool
care_for_worker(Supervisor *s, bool lifeline_ended, GError **error)
{
    if (s->worker > 0 && lifeline_ended) {
        bury(s);
        if (!s->protocol && (s->failures > 3 || fsn_arena_get(s->arena, worker_state) ==
                                                    FSN_WORKER_FAILED)) {
            g_autofree char *text = fsn_arena_dup_error(s->arena);

            g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "%s",
                        *text ? text : "the pager's worker does not start");
            return false;
        }
    }
    if (s->worker == 0 && fsn_monotonic_us() >= s->restart_at_us) {
        g_autoptr(GError) local = NULL;

        if (!spawn(s, &local)) {
            s->failures++;
            s->restart_at_us =
                fsn_monotonic_us() + fsn_policy_restart_delay_us(s->failures);
        }
    }
    if (fsn_arena_get(s->arena, worker_state) == FSN_WORKER_DONE) {
        s->stalled = false;
    }
    if (!s->ready_told && fsn_arena_get(s->arena, worker_state) == FSN_WORKER_READY) {
        s->ready_told = true;
        tell(s, FSN_CONTROL_READY, NULL);
    }
    return true;
}

static bool
hear_peer(Supervisor *s, GError **error)
{
    FsnControlMessage message;
    int fd;
    FsnControlType type = fsn_control_receive(s->o->control, 0, &message, &fd);

    if (type == FSN_CONTROL_END) {
        s->peer_gone = true;
    } else if (type == FSN_CONTROL_CONNECTED && fd >= 0 && !s->protocol) {
        s->protocol =
            fsn_pager_protocol_new(s->arena, s->o->layout, s->o->mode, s->o->opening,
                                   s->requests, g_steal_fd(&fd), error);
        return s->protocol != NULL;
    } else if (type == FSN_CONTROL_QUIT) {
        s->quit = true;
    }
    if (fd >= 0) {
        close(fd);
    }
    return true;
}

static void
note_progress(Supervisor *s)
{
    if (!s->started_told && fsn_pager_protocol_is_started(s->protocol)) {
        s->started_told = true;
        if (s->arena->shared->started_us == 0) {
            fsn_arena_set(s->arena, started_us, fsn_monotonic_us());
        }
        tell(s, FSN_CONTROL_STARTED, NULL);
    }
    if (!s->sent_told && fsn_pager_protocol_is_sent(s->protocol)) {
        s->sent_told = true;
        tell(s, FSN_CONTROL_SENT_ALL, NULL);
    }
}

/* Reads and writes what can be without waiting; afterwards the bell is armed. */
static bool
converse(Supervisor *s, FsnLinkProgress *out_progress, GError **error)
{
    FsnLinkProgress progress = FSN_LINK_MORE;

    for (int i = 0; i < PORTIONS && progress == FSN_LINK_MORE; i++) {
        if (!fsn_pager_protocol_read(s->protocol, error)) {
            return false;
        }
        if (fsn_pager_protocol_is_done(s->protocol)) {
            break;
        }
        if (!fsn_pager_protocol_write(s->protocol, &progress, error)) {
            return false;
        }
        if (progress == FSN_LINK_IDLE) {
            fsn_bell_arm(&s->arena->supervisor_bell);
            if (!fsn_pager_protocol_write(s->protocol, &progress, error)) {
                return false;
            }
        }
    }
    note_progress(s);
    *out_progress = progress;
    return true;
}

static void
tick(Supervisor *s)
{
    int64_t now = fsn_monotonic_us();
    g_autofree char *text = NULL;

    fsn_request_book_push(s->requests);
    if (!s->peer_gone || now < s->next_report_us) {
        return;
    }
    s->next_report_us = now + 250000;
    if (s->stalled) {
        text = fsn_arena_dup_error(s->arena);
    }
    report(s, text ? "stalled" : "loading", text);
}

/* Waits for QEMU, the peer, the worker or the next tick; *@out_ended: the worker ended. */
static bool
wait_for_events(Supervisor *s, FsnLinkProgress progress, bool *out_ended, GError **error)
{
    struct pollfd p[4] = {
        { .fd = s->peer_gone ? -1 : s->o->control, .events = POLLIN },
        { .fd = s->worker > 0 ? s->lifeline : -1, .events = POLLIN },
        { .fd = s->arena->supervisor_bell.fd, .events = POLLIN },
        { .fd = s->protocol ? fsn_pager_protocol_fd(s->protocol) : -1,
          .events = progress == FSN_LINK_BLOCKED ? POLLIN | POLLOUT : POLLIN },
    };

    if (!s->protocol) {
        fsn_bell_arm(&s->arena->supervisor_bell); /* the worker says when it is ready */
    }
    (void)poll(p, G_N_ELEMENTS(p), progress == FSN_LINK_MORE ? 0 : TICK_MS);
    fsn_bell_disarm(&s->arena->supervisor_bell);
    *out_ended = p[1].revents != 0;
    return p[0].revents == 0 || hear_peer(s, error);
}

static bool
serve(Supervisor *s, GError **error)
{
    bool worker_ended = false;

    while (!s->protocol || !fsn_pager_protocol_is_done(s->protocol)) {
        FsnLinkProgress progress = FSN_LINK_IDLE;

        if (!care_for_worker(s, worker_ended, error)) {
            return false;
        }
        if (s->protocol) {
            if (!converse(s, &progress, error)) {
                return false;
            }
            if (fsn_pager_protocol_is_done(s->protocol)) {
                break;
            }
        } else if (s->quit || s->peer_gone) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_CANCELLED,
                        "the load was called off before it began");
            return false;
        }
        tick(s);
        if (!wait_for_events(s, progress, &worker_ended, error)) {
            return false;
        }
    }
    return true;
}

/* Lets the worker store what was learned, for a while, then ends it. */
static void
finish_worker(Supervisor *s, bool done)
{
    struct pollfd p = { .fd = s->lifeline, .events = POLLIN };

    if (s->worker == 0) {
        return;
    }
    if (done) {
        fsn_arena_set(s->arena, finished, 1u);
        fsn_bell_ring(&s->arena->urgent_bell);
        for (unsigned i = 0; i < s->arena->shared->n_bulk; i++) {
            fsn_bell_ring(&s->arena->bulk_bell[i]);
        }
        (void)poll(&p, 1, LEARN_WAIT_US / 1000); /* ended below if it takes longer */
    }
    (void)kill(s->worker,
               SIGKILL); /* ours, and not reaped yet: the id is still its own */
    (void)waitpid(s->worker, NULL, 0);
    close(s->lifeline);
}

bool
fsn_supervisor_run(FsnArena *arena, const FsnSupervisorOptions *options, GError **error)
{
    g_autoptr(FsnRequestBook) requests = fsn_request_book_new(arena);
    Supervisor s = { .arena = arena, .o = options, .requests = requests, .lifeline = -1 };
    g_autoptr(FsnPagerProtocol) protocol = NULL;
    g_autoptr(GError) local = NULL;
    bool done = serve(&s, &local);

    protocol = s.protocol;
    if (done) {
        tell(&s, FSN_CONTROL_DONE, NULL);
    }
    finish_worker(&s, done);
    if (!done) {
        tell(&s, FSN_CONTROL_BROKEN, local->message);
        report(&s, "failed", local->message);
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    report(&s, "done", NULL);
    return true;
}
