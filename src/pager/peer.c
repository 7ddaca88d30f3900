/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The peer's process: carries out one plan. The order protects the guest: QEMU is made, the
 * state is sent and loaded, the snapshot is durably marked as run, and only then the guest's
 * CPUs may start. Whatever fails before the mark leaves the snapshot as it was, and so does
 * what fails while a note vouches that the guest has not run (memory/not-run.h); after that
 * a broken connection is continued where that is known to be safe.
 *
 * If this process dies, the supervisor goes on by itself and reports in its place. If the
 * supervisor dies, another one goes on with the connection, of which a copy is kept here:
 * QEMU does not notice. Only if both die the connection is lost.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/faults.h"
#include "memory/pager-session.h"
#include "memory/pager-status.h"
#include "pager/incoming.h"
#include "pager/roles.h"
#include "repo/marks.h"
#include "tier/store.h"

#include <unistd.h>

#define READY_US       60000000  /* for a worker to open the repository */
#define STATE_US       120000000 /* for QEMU to load the device state */
#define TICK_MS        200
#define RUN_TICK_MS    2
#define MAX_RECOVERIES 5
#define MAX_FUTILE     5

typedef struct {
    const FsnPeerOptions *o;
    FsnPagerPlan *plan;
    FsnRepo *repo;         /* for the mark */
    FsnRepo *objects;      /* the same behind its tiers, for reading */
    FsnIncoming *incoming; /* NULL: somebody else made the domain */
    FsnPagerSession *session;
    FsnPagerStatus status;
    GBytes *blobs[FSN_N_BLOBS];
    bool finish_called;
    bool supervisor_died; /* rather than having told why it ends */
    uint64_t replaced_at; /* pages that were sent when it was last replaced */
    unsigned futile;      /* replacements since then that have sent nothing */
} Peer;

static FsnArena *
arena_of(Peer *p)
{
    return p->session ? p->session->arena : NULL;
}

static void
enter(Peer *p, const char *phase, const char *text)
{
    fsn_pager_status_enter(&p->status, arena_of(p), phase, text);
}

static bool
get_blob(Peer *p, const char *object, FsnArenaBlob blob, size_t max, GError **error)
{
    return !object || fsn_repo_get_object(p->repo, object, max, &p->blobs[blob], error);
}

static bool
open_snapshot(Peer *p, GError **error)
{
    const FsnPagerPlan *plan = p->plan;

    p->repo = fsn_repo_open(plan->repository, 0, error);
    p->objects =
        p->repo ? fsn_tier_open_repo(plan->repository, (const char *const *)plan->tiers,
                                     FSN_REPO_READ_ONLY, error)
                : NULL;
    p->blobs[FSN_BLOB_PLAN] = g_bytes_ref(p->o->plan_text);
    return p->objects && get_blob(p, plan->head, FSN_BLOB_HEAD, 65536, error) &&
           get_blob(p, plan->device_state, FSN_BLOB_DEVICE_STATE, 64u << 20, error) &&
           get_blob(p, plan->description, FSN_BLOB_DESCRIPTION, 16u << 20, error);
}

static unsigned
n_bulk(const FsnPagerPlan *plan)
{
    return plan->threads > 0 ? plan->threads : CLAMP(g_get_num_processors(), 1, 3);
}

/* A supervisor, and with it a worker that begins to read at once. */
static bool
start_session(Peer *p, bool recover, GError **error)
{
    FsnArena *arena =
        fsn_arena_new(fsn_page_map_pages(p->plan->ram), n_bulk(p->plan), p->blobs, error);

    if (!arena) {
        return false;
    }
    if (p->session) {
        fsn_arena_inherit(arena, p->session->arena);
        fsn_pager_session_free(g_steal_pointer(&p->session));
    }
    if (p->status.ran) {
        fsn_arena_set(arena, ran, 1u);
    }
    p->session =
        fsn_pager_session_new(arena, recover ? FSN_OPEN_RECOVER : FSN_OPEN_FRESH,
                              p->status.fd, p->o->keep_fds, p->o->n_keep_fds, error);
    return p->session != NULL;
}

/* Takes one message, or none within @tick_ms. True if it is @wanted. */
static bool
hear(Peer *p, FsnControlType wanted, int tick_ms, bool *out_broken, GError **error)
{
    FsnControlMessage message;
    int fd;
    FsnControlType type =
        fsn_control_receive(p->session->control, tick_ms, &message, &fd);

    if (fd >= 0) {
        close(fd);
    }
    if (type == FSN_CONTROL_END || type == FSN_CONTROL_BROKEN) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "%s",
                    type == FSN_CONTROL_END ? "the pager's supervisor died"
                                            : message.text);
        p->supervisor_died = type == FSN_CONTROL_END;
        *out_broken = true;
        return false;
    }
    if (type == FSN_CONTROL_STALLED) {
        enter(p, "stalled", message.text);
    } else if (type == FSN_CONTROL_SENT_ALL) {
        p->status.loaded_us = fsn_monotonic_us();
    }
    return type == wanted;
}

static bool
wait_for(Peer *p, FsnControlType wanted, int64_t timeout_us, GError **error)
{
    int64_t deadline = fsn_monotonic_us() + timeout_us;
    bool broken = false;

    while (!hear(p, wanted, TICK_MS, &broken, error)) {
        if (broken) {
            return false;
        }
        if (timeout_us > 0 && fsn_monotonic_us() > deadline) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT,
                        "QEMU or the repository did not answer in time");
            return false;
        }
        fsn_pager_status_save(&p->status, arena_of(p));
    }
    return true;
}

static bool
get_socket(Peer *p, bool recover, int *out_fd, GError **error)
{
    switch (p->plan->transport) {
    case FSN_TRANSPORT_LIBVIRT:
        return fsn_incoming_prepare(p->incoming, recover, out_fd, error);
    case FSN_TRANSPORT_SOCKET:
        return fsn_pager_connect(p->plan->socket, READY_US, out_fd, error);
    case FSN_TRANSPORT_FD:
        *out_fd = p->o->socket_fd;
        return true;
    }
    g_assert_not_reached();
}

/* From nothing to a QEMU that has its device state and waits for its first instruction. A
 * precopy has loaded all then. */
static bool
send_state(Peer *p, bool recover, GError **error)
{
    bool eager = p->plan->mode == FSN_MODE_EAGER && !recover;
    int fd;

    if (!start_session(p, recover, error) || !get_socket(p, recover, &fd, error)) {
        return false;
    }
    if (!recover) {
        p->status.created_us = fsn_monotonic_us();
        enter(p, "created", NULL);
    }
    if (!wait_for(p, FSN_CONTROL_READY, READY_US, error)) {
        close(fd);
        return false;
    }
    fsn_pager_session_connect(p->session, fd);
    if (!recover) {
        p->status.connected_us = fsn_monotonic_us();
        enter(p, "connected", NULL);
    }
    return wait_for(p, FSN_CONTROL_STARTED, eager ? 0 : STATE_US, error);
}

static bool
mark_ran(Peer *p, GError **error)
{
    g_autoptr(JsonObject) body = json_object_new();
    g_autofree char *now = fsn_rfc3339(fsn_realtime_us());

    json_object_set_string_member(body, "domain", p->plan->domain_name);
    json_object_set_string_member(body, "uuid", p->plan->domain_uuid);
    json_object_set_string_member(body, "time", now);
    if (!fsn_repo_mark_create(p->repo, p->plan->snapshot, "ran", body, error)) {
        return false;
    }
    p->status.ran = true;
    fsn_arena_set(p->session->arena, ran, 1u);
    p->status.ready_us = fsn_monotonic_us();
    fsn_fault_kill_at("ran");
    return true;
}

static void
let_run(Peer *p)
{
    if (p->incoming) {
        fsn_incoming_finish(p->incoming);
        p->finish_called = true;
    }
    if (!p->incoming || p->plan->paused) {
        fsn_arena_set(p->session->arena, running_us, fsn_monotonic_us());
    }
}

static void
look_whether_running(Peer *p)
{
    if (p->status.running_us == 0 && p->incoming && !p->plan->paused &&
        fsn_incoming_is_running(p->incoming)) {
        p->status.running_us = fsn_monotonic_us();
        fsn_arena_set(p->session->arena, running_us, p->status.running_us);
        enter(p, "running", NULL);
    }
}

/* The guest has run, and the supervisor died: another one, unless they die like flies. */
static bool
replace_supervisor(Peer *p)
{
    g_autoptr(GError) error = NULL;
    uint64_t sent = p->session->arena->shared->pages_sent;

    if (!p->supervisor_died || !fsn_pager_session_may_replace(p->session)) {
        return false;
    }
    p->futile = sent == p->replaced_at ? p->futile + 1 : 0;
    p->replaced_at = sent;
    if (p->futile > MAX_FUTILE) {
        return false;
    }
    if (!fsn_pager_session_replace(p->session, p->status.fd, p->o->keep_fds,
                                   p->o->n_keep_fds, &error)) {
        g_printerr("foresnap-pager: %s\n", error->message);
        return false;
    }
    p->status.supervisor_restarts++;
    return true;
}

/* Until QEMU has confirmed everything and the supervisor has ended. */
static bool
watch(Peer *p, GError **error)
{
    bool done = p->plan->mode == FSN_MODE_EAGER;
    int64_t next_save = 0;

    for (;;) {
        bool broken = false;
        g_autoptr(GError) local = NULL;
        bool fast = p->incoming && !p->plan->paused && p->status.running_us == 0;

        look_whether_running(p);
        if (hear(p, FSN_CONTROL_DONE, fast ? RUN_TICK_MS : TICK_MS, &broken, &local)) {
            done = true;
        }
        if (broken) {
            if (done) {
                return true; /* the end after DONE: what was learned is stored */
            }
            if (replace_supervisor(p)) {
                continue;
            }
            fsn_pager_session_disconnect(p->session); /* QEMU shall see it */
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        if (fsn_monotonic_us() > next_save) {
            next_save = fsn_monotonic_us() + TICK_MS * 1000;
            if (p->status.running_us > 0 && g_str_equal(p->status.phase, "running")) {
                p->status.phase = "loading"; /* in the file only */
                fsn_pager_status_save(&p->status, arena_of(p));
                p->status.phase = "running";
            } else {
                fsn_pager_status_save(&p->status, arena_of(p));
            }
        }
    }
}

/* libvirt's word on the whole; it sees a broken connection by itself. */
static bool
libvirt_is_content(Peer *p, GError **error)
{
    bool ok = true;

    if (!p->incoming || !p->finish_called) {
        return true;
    }
    while (!fsn_incoming_is_finished(p->incoming, false, &ok, error)) {
        look_whether_running(p);
        g_usleep(RUN_TICK_MS * 1000); /* the thread has no descriptor to wait for */
    }
    p->finish_called = false;
    look_whether_running(p);
    return ok;
}

static bool
finish_load(Peer *p, GError **error)
{
    g_autoptr(GError) broken = NULL;
    g_autoptr(GError) local = NULL;
    bool loaded = watch(p, &broken);
    bool content = libvirt_is_content(p, &local);

    if (!loaded) {
        g_propagate_error(error, g_steal_pointer(&broken));
        return false;
    }
    if (!content && (p->plan->mode == FSN_MODE_EAGER || p->status.running_us == 0)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    if (!content) {
        /* libvirtd was restarted meanwhile: QEMU, which has confirmed all, knows better */
        g_printerr("foresnap-pager: libvirt: %s\n", local->message);
    }
    return true;
}

/* A new connection, for libvirtd may have been restarted; and its permission. */
static bool
reopen_incoming(Peer *p, GError **error)
{
    FsnIncoming *incoming = fsn_incoming_new(p->plan, error);

    if (!incoming) {
        return false;
    }
    fsn_incoming_free(p->incoming);
    p->incoming = incoming;
    return fsn_incoming_may_recover(incoming, error);
}

/* Continues a broken load, a few times; a connection that was handed over serves once. */
static bool
recover(Peer *p, GError **error)
{
    int tries = p->plan->transport == FSN_TRANSPORT_FD ? 1 : MAX_RECOVERIES;

    for (int i = 0; i < tries; i++) {
        g_clear_error(error);
        if (p->incoming && !reopen_incoming(p, error)) {
            return false;
        }
        p->status.supervisor_restarts++;
        enter(p, "recovering", NULL);
        if (!send_state(p, true, error)) {
            g_usleep(200000u << i); /* QEMU or libvirt may not have noticed yet */
            continue;
        }
        let_run(p);
        enter(p, "running", NULL);
        if (finish_load(p, error)) {
            return true;
        }
    }
    return false;
}

/* Nothing ran: the domain goes, the snapshot stays. */
static void
call_off(Peer *p)
{
    if (p->session) {
        fsn_control_send(p->session->control, FSN_CONTROL_QUIT, NULL, -1);
    }
    if (p->incoming && p->status.created_us > 0) {
        fsn_incoming_cancel(p->incoming);
    }
}

/* All memory first: the mark comes when libvirt has called the load whole, so that whatever
 * fails before leaves the snapshot as it was. */
static bool
load_eagerly(Peer *p, GError **error)
{
    if (!send_state(p, false, error)) {
        return false;
    }
    let_run(p);
    if (!finish_load(p, error) || !mark_ran(p, error)) {
        return false;
    }
    enter(p, "ready", NULL);
    if (p->plan->paused) {
        return true;
    }
    if (!fsn_incoming_continue(p->incoming, error)) {
        g_prefix_error(error, "all memory is loaded, but the guest does not run: ");
        return false;
    }
    p->status.running_us = fsn_monotonic_us();
    enter(p, "running", NULL);
    return true;
}

static bool
load_lazily(Peer *p, GError **error)
{
    if (!send_state(p, false, error) || !mark_ran(p, error)) {
        call_off(p);
        return false;
    }
    /* At once: between the mark and this only the note tells that the guest has not run. */
    let_run(p);
    enter(p, "ready", NULL);
    if (finish_load(p, error)) {
        return true;
    }
    if (p->incoming && !fsn_incoming_was_let_run(p->incoming)) {
        call_off(p);
        return false;
    }
    return p->incoming && recover(p, error);
}

static bool
carry_out(Peer *p, GError **error)
{
    if (!open_snapshot(p, error)) {
        return false;
    }
    if (p->plan->transport == FSN_TRANSPORT_LIBVIRT &&
        !(p->incoming = fsn_incoming_new(p->plan, error))) {
        return false;
    }
    if (p->o->recover) {
        p->status.ran = true;
        return recover(p, error);
    }
    if (p->incoming) {
        fsn_incoming_note_not_run(p->incoming);
    }
    if (p->plan->mode == FSN_MODE_EAGER && p->incoming) {
        bool ok = load_eagerly(p, error);

        if (!ok && !p->status.ran) {
            call_off(p);
        }
        return ok;
    }
    return load_lazily(p, error);
}

/* A QEMU that does not like what it is sent just ends, and tells only its log why. */
static void
add_last_words(Peer *p, int64_t since_us, GError **error)
{
    g_autofree char *words = p->incoming && !p->status.ran
                                 ? fsn_incoming_last_words(p->incoming, since_us)
                                 : NULL;

    if (words) {
        g_prefix_error(error, "QEMU says '%s': ", words);
    }
}

int
fsn_role_peer(const FsnPeerOptions *options)
{
    Peer p = { .o = options, .plan = options->plan };
    g_autoptr(GError) error = NULL;
    int64_t since_us = fsn_realtime_us();
    bool ok;

    p.status = (FsnPagerStatus){ .plan = p.plan,
                                 .begun_us = fsn_monotonic_us(),
                                 .fd = options->status_fd };
    enter(&p, "preparing", NULL);
    fsn_pager_adopt();
    ok = carry_out(&p, &error);
    if (!ok) {
        add_last_words(&p, since_us, &error);
        g_printerr("foresnap-pager: %s\n", error->message);
    }
    enter(&p, ok ? "done" : "failed", ok ? NULL : error->message);
    fsn_pager_session_free(p.session);
    fsn_incoming_free(p.incoming);
    fsn_repo_free(p.objects);
    fsn_repo_free(p.repo);
    for (int i = 0; i < FSN_N_BLOBS; i++) {
        g_bytes_unref(p.blobs[i]);
    }
    g_free(p.status.error);
    return ok ? 0 : 1;
}
