/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads pages, in several threads. One serves page requests only. The others first push the
 * working set in its order, then the rest of RAM, then the probes, each page straight into
 * its slot of a ring. Nothing here is lost with the process: what is sent stands in the
 * arena, and what was requested is requested again from a successor.
 *
 * Threads share only the fields marked so, by atomic operations; each has its own source.
 */
#include "config.h"

#include "memory/pager-worker.h"

#include "base/clock.h"
#include "base/error.h"
#include "memory/pager-policy.h"

#define CHUNK     512u /* granules of the rest that a thread takes at a time */
#define LIST_STEP 32u  /* the same of the working set */
#define WAIT_MS   100  /* at most; bells come earlier */
#define GATE_MS   10

typedef struct {
    FsnArena *arena;
    const FsnWorkerOptions *o;
    FsnPageMap *probes; /* held back; written before the threads start, or by thread 0 */
    uint32_t n_threads;
    /* shared */
    uint64_t list_next;
    uint64_t rest_next;
    uint32_t list_users; /* threads that have not finished the list */
    uint32_t n_failed;
    uint32_t stop; /* this process gives up; others go on */
    GMutex lock;
    GError *failure; /* the first; under lock */
} Worker;

typedef struct {
    Worker *w;
    unsigned index;
    FsnPageSource *source;
} Reader;

static bool
is_finished(Worker *w)
{
    return fsn_arena_get(w->arena, finished) != 0 ||
           __atomic_load_n(&w->stop, __ATOMIC_ACQUIRE) != 0;
}

static void
wait_bell(const FsnBell *bell, FsnRing *ring, bool for_room)
{
    fsn_bell_arm(bell);
    if (for_room ? !fsn_ring_has_room(ring) : fsn_ring_ready(ring) == 0) {
        fsn_bell_wait(bell, WAIT_MS);
    }
    fsn_bell_disarm(bell);
}

/* A free slot; NULL if the load is finished. */
static uint8_t *
claim(Worker *w, FsnRing *ring, const FsnBell *bell)
{
    while (!fsn_ring_has_room(ring)) {
        if (is_finished(w)) {
            return NULL;
        }
        wait_bell(bell, ring, true);
    }
    return fsn_ring_claim(ring);
}

static void
publish(Worker *w, FsnRing *ring, uint64_t granule, bool zero)
{
    fsn_ring_publish(ring, granule << 1 | (zero ? 1 : 0));
    fsn_bell_ring(&w->arena->supervisor_bell);
}

static void
note_failure(Worker *w, GError *error)
{
    __atomic_add_fetch(&w->n_failed, 1, __ATOMIC_RELAXED);
    g_mutex_lock(&w->lock);
    if (!w->failure) {
        w->failure = error;
    } else {
        g_error_free(error);
    }
    g_mutex_unlock(&w->lock);
}

/* Reads @granule into a slot of @ring. A page that cannot be read is left out: the guest
 * waits for it, and gets nothing wrong. False if the load is finished. */
static bool
push_page(Worker *w,
          FsnPageSource *source,
          FsnRing *ring,
          const FsnBell *bell,
          uint64_t granule)
{
    GError *error = NULL;
    uint8_t *slot;
    bool zero = false;

    if (fsn_page_map_test(w->arena->sent, granule)) {
        return true;
    }
    slot = claim(w, ring, bell);
    if (!slot) {
        return false;
    }
    if (source->ops->read(source, granule, slot, &zero, &error)) {
        publish(w, ring, granule, zero);
    } else {
        note_failure(w, error);
    }
    return true;
}

static gpointer
serve_requests(gpointer data)
{
    Reader *r = data;
    Worker *w = r->w;
    FsnArena *arena = w->arena;

    while (!is_finished(w)) {
        if (fsn_ring_ready(arena->requests) == 0) {
            wait_bell(&arena->urgent_bell, arena->requests, false);
            continue;
        }
        if (!push_page(w, r->source, arena->urgent, &arena->urgent_bell,
                       fsn_ring_tag(arena->requests, 0))) {
            break;
        }
        /* only now: a successor finds it again if this process is killed */
        fsn_ring_release(arena->requests, 1);
    }
    return NULL;
}

static bool
push_bulk(Reader *r, uint64_t granule)
{
    return push_page(r->w, r->source, r->w->arena->bulk[r->index],
                     &r->w->arena->bulk_bell[r->index], granule);
}

static bool
each_in_sequence(gpointer user, uint64_t granule, const uint8_t *data, GError **error)
{
    Reader *r = user;
    Worker *w = r->w;
    uint8_t *slot;

    if (granule >= w->arena->shared->n_pages ||
        fsn_page_map_test(w->arena->sent, granule)) {
        return true;
    }
    if (fsn_working_set_is_probe(w->arena->shared->seed, granule)) {
        fsn_page_map_set(w->probes, granule);
        return true;
    }
    slot = claim(w, w->arena->bulk[r->index], &w->arena->bulk_bell[r->index]);
    if (!slot) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_CANCELLED, "the load is finished");
        return false;
    }
    if (data) {
        memcpy(slot, data, FSN_PAGE_SIZE);
    }
    publish(w, w->arena->bulk[r->index], granule, data == NULL);
    return true;
}

/* The working set in order: thread 0 reads the stored sequence in one pass; what that did
 * not bring is read granule by granule, by all threads together. */
static void
push_list(Reader *r)
{
    Worker *w = r->w;
    const FsnWorkingEntry *e = fsn_working_set_entries(w->o->working_set);
    uint64_t n = fsn_working_set_length(w->o->working_set);
    uint64_t from;

    while ((from = __atomic_fetch_add(&w->list_next, LIST_STEP, __ATOMIC_RELAXED)) < n) {
        for (uint64_t i = from; i < MIN(from + LIST_STEP, n); i++) {
            if (e[i].granule < w->arena->shared->n_pages &&
                !fsn_page_map_test(w->probes, e[i].granule) &&
                !push_bulk(r, e[i].granule)) {
                return;
            }
        }
    }
}

/* Everything not sent that is a probe, or that is not, in granules [from, to). */
static bool
push_range(Reader *r, uint64_t from, uint64_t to, bool probes)
{
    Worker *w = r->w;

    for (uint64_t g = from; g < to; g++) {
        if (fsn_page_map_test(w->probes, g) == probes && !push_bulk(r, g)) {
            return false;
        }
    }
    return true;
}

static FsnPagerTimes
times(Worker *w)
{
    return (FsnPagerTimes){
        .now_us = fsn_monotonic_us(),
        .started_us = fsn_arena_get(w->arena, started_us),
        .running_us = fsn_arena_get(w->arena, running_us),
        .last_request_us = fsn_arena_get(w->arena, last_request_us),
    };
}

/* Until the policy lets the rest (or the probes) go; false if the load is finished. */
static bool
wait_for_gate(Worker *w, bool probes)
{
    for (;;) {
        FsnPagerTimes t = times(w);

        if (is_finished(w)) {
            return false;
        }
        if (probes ? fsn_policy_probes_may_go(&t)
                   : fsn_policy_background_may_start(w->o->mode, &t)) {
            return true;
        }
        g_usleep(GATE_MS * 1000); /* a condition of time alone: there is no event */
    }
}

static void
push_rest(Reader *r)
{
    Worker *w = r->w;
    uint64_t n = w->arena->shared->n_pages;
    uint64_t from;

    while ((from = __atomic_fetch_add(&w->rest_next, CHUNK, __ATOMIC_RELAXED)) < n) {
        if (!push_range(r, from, MIN(from + CHUNK, n), false)) {
            return;
        }
    }
}

/* The sequence belongs to thread 0; the others wait, so that nothing overtakes it. */
static void
push_sequence(Reader *r)
{
    g_autoptr(GError) error = NULL;

    if (r->index == 0 && r->source->ops->sequence) {
        /* a missing or damaged sequence costs speed only: the list follows */
        (void)r->source->ops->sequence(r->source, each_in_sequence, r, &error);
    }
}

static gpointer
push_everything(gpointer data)
{
    Reader *r = data;
    Worker *w = r->w;

    if (w->o->mode == FSN_MODE_PREDICTED) {
        push_list(r);
    }
    if (__atomic_sub_fetch(&w->list_users, 1, __ATOMIC_ACQ_REL) == 0 &&
        fsn_arena_get(w->arena, list_done_us) == 0) {
        fsn_arena_set(w->arena, list_done_us, fsn_monotonic_us());
    }
    if (wait_for_gate(w, false)) {
        if (fsn_arena_get(w->arena, background_us) == 0) {
            fsn_arena_set(w->arena, background_us, fsn_monotonic_us());
        }
        push_rest(r);
    }
    return NULL;
}

/* Before any thread: which pages are held back, so that every thread knows. */
static void
choose_probes(Worker *w)
{
    const FsnWorkingEntry *e = fsn_working_set_entries(w->o->working_set);
    uint32_t n = fsn_working_set_length(w->o->working_set);

    if (w->o->mode != FSN_MODE_PREDICTED) {
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (e[i].granule < w->arena->shared->n_pages &&
            fsn_working_set_is_probe(w->arena->shared->seed, e[i].granule)) {
            fsn_page_map_set(w->probes, e[i].granule);
        }
    }
    w->arena->shared->list_pages = n;
    w->arena->shared->probes = fsn_page_map_count(w->probes);
}

static bool
make_readers(Worker *w, Reader *readers, unsigned n, GError **error)
{
    for (unsigned i = 0; i < n; i++) {
        readers[i].w = w;
        readers[i].index = i;
        readers[i].source =
            i == 0 ? w->o->source : w->o->source->ops->dup(w->o->source, error);
        if (!readers[i].source) {
            return false;
        }
    }
    return true;
}

static void
push_all_threads(Worker *w, Reader *readers)
{
    GThread *threads[FSN_ARENA_MAX_BULK] = { NULL };

    if (w->o->mode == FSN_MODE_PREDICTED) {
        push_sequence(&readers[0]);
    }
    for (unsigned i = 1; i < w->n_threads; i++) {
        threads[i] = g_thread_new("fsn-bulk", push_everything, &readers[i]);
    }
    push_everything(&readers[0]);
    for (unsigned i = 1; i < w->n_threads; i++) {
        g_thread_join(threads[i]);
    }
    if (wait_for_gate(w, true)) {
        push_range(&readers[0], 0, w->arena->shared->n_pages, true);
    }
}

/* All that can be published is: wait for the end, or say what is missing. */
static bool
wait_for_end(Worker *w, GError **error)
{
    const FsnBell *bell = &w->arena->bulk_bell[0];

    if (w->failure) {
        g_propagate_error(error, g_steal_pointer(&w->failure));
        return false;
    }
    fsn_arena_set(w->arena, worker_state, (uint32_t)FSN_WORKER_DONE);
    while (!is_finished(w)) {
        fsn_bell_arm(bell);
        if (!is_finished(w)) {
            fsn_bell_wait(bell, WAIT_MS);
        }
        fsn_bell_disarm(bell);
    }
    return true;
}

bool
fsn_worker_run(FsnArena *arena, const FsnWorkerOptions *options, GError **error)
{
    g_autoptr(FsnPageMap) probes = fsn_page_map_new(arena->shared->n_pages);
    unsigned n = arena->shared->n_bulk;
    Worker w = {
        .arena = arena, .o = options, .probes = probes, .n_threads = n, .list_users = n
    };
    Reader readers[FSN_ARENA_MAX_BULK + 1] = { 0 };
    GThread *urgent;
    bool ok;

    /* the last one serves requests */
    if (!make_readers(&w, readers, n + 1, error)) {
        return false;
    }
    choose_probes(&w);
    fsn_arena_set(arena, worker_state, (uint32_t)FSN_WORKER_READY);
    fsn_bell_ring(&arena->supervisor_bell);
    urgent = g_thread_new("fsn-urgent", serve_requests, &readers[n]);
    push_all_threads(&w, readers);
    ok = wait_for_end(&w, error);
    __atomic_store_n(&w.stop, 1, __ATOMIC_RELEASE);
    g_thread_join(urgent);
    for (unsigned i = 1; i <= n; i++) {
        fsn_page_source_free(readers[i].source);
    }
    if (!ok) {
        return false;
    }
    fsn_worker_learn(arena, options->mode, fsn_realtime_us(), options->working_set);
    return !options->save || options->save(options->user, options->working_set, error);
}
