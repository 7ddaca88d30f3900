/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared memory of the pager: a memfd and one eventfd for each waiter. The sizes follow from
 * two numbers in its first bytes, which an attaching process checks against the size of the
 * file. Nothing here decides anything.
 */
#include "config.h"

#include "memory/pager-arena.h"

#include "base/error.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARENA_MAGIC 0x6673706167657232ull
#define PAGE        4096u
#define FIRST_BELL  3u /* of the descriptors */

typedef struct {
    size_t sent, faults, outbox, requests, urgent, bulk, blobs;
} Offsets;

static size_t
round_up(size_t n)
{
    return (n + PAGE - 1) & ~(size_t)(PAGE - 1);
}

static Offsets
layout(uint64_t n_pages, unsigned n_bulk)
{
    Offsets o;

    o.sent = round_up(sizeof(FsnArenaShared));
    o.faults = o.sent + round_up(fsn_page_map_bytes(n_pages));
    o.outbox = o.faults + round_up(FSN_ARENA_MAX_FAULTS * sizeof(FsnFault));
    o.requests = o.outbox + round_up(sizeof(FsnOutboxShared));
    o.urgent = o.requests + fsn_ring_bytes(FSN_ARENA_REQUEST_SLOTS, 0);
    o.bulk = o.urgent + fsn_ring_bytes(FSN_ARENA_URGENT_SLOTS, PAGE);
    o.blobs = o.bulk + n_bulk * fsn_ring_bytes(FSN_ARENA_BULK_SLOTS, PAGE);
    return o;
}

static void
set_views(FsnArena *arena)
{
    FsnArenaShared *shared = arena->map;
    uint8_t *base = arena->map;
    Offsets o = layout(shared->n_pages, shared->n_bulk);

    arena->shared = shared;
    arena->sent = fsn_page_map_wrap(base + o.sent, shared->n_pages);
    arena->faults = (FsnFault *)(base + o.faults);
    arena->outbox = (FsnOutboxShared *)(base + o.outbox);
    arena->requests = fsn_ring_open(base + o.requests, FSN_ARENA_REQUEST_SLOTS, 0);
    arena->urgent = fsn_ring_open(base + o.urgent, FSN_ARENA_URGENT_SLOTS, PAGE);
    arena->supervisor_bell =
        (FsnBell){ arena->fds[FIRST_BELL], &shared->waiting_supervisor };
    arena->urgent_bell = (FsnBell){ arena->fds[FIRST_BELL + 1], &shared->waiting_urgent };
    for (unsigned i = 0; i < shared->n_bulk; i++) {
        arena->bulk[i] =
            fsn_ring_open(base + o.bulk + i * fsn_ring_bytes(FSN_ARENA_BULK_SLOTS, PAGE),
                          FSN_ARENA_BULK_SLOTS, PAGE);
        arena->bulk_bell[i] =
            (FsnBell){ arena->fds[FIRST_BELL + 2 + i], &shared->waiting_bulk[i] };
    }
}

static FsnArena *
alloc(void)
{
    FsnArena *arena = g_new0(FsnArena, 1);

    for (unsigned i = 0; i < FSN_ARENA_MAX_FDS; i++) {
        arena->fds[i] = -1;
    }
    arena->map = MAP_FAILED;
    return arena;
}

static bool
map(FsnArena *arena, GError **error)
{
    arena->map =
        mmap(NULL, arena->size, PROT_READ | PROT_WRITE, MAP_SHARED, arena->fds[0], 0);
    return arena->map != MAP_FAILED ||
           fsn_set_errno(error, errno, "cannot map the pager's shared memory");
}

/* Memory and bells; close-on-exec until handed on. */
static bool
make_fds(FsnArena *arena, unsigned n_bulk, GError **error)
{
    arena->n_fds = FIRST_BELL + 2 + n_bulk;
    arena->fds[0] = memfd_create("foresnap-pager", MFD_CLOEXEC);
    if (pipe2(&arena->fds[1], O_NONBLOCK | O_CLOEXEC) < 0) {
        return fsn_set_errno(error, errno, "cannot make the pager's pipe");
    }
    /* One portion at a time; with less room it takes more calls. */
    (void)fcntl(arena->fds[2], F_SETPIPE_SZ, FSN_OUTBOX_BYTES);
    for (unsigned i = FIRST_BELL; i < arena->n_fds; i++) {
        arena->fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    }
    for (unsigned i = 0; i < arena->n_fds; i++) {
        if (arena->fds[i] < 0) {
            return fsn_set_errno(error, errno, "cannot make the pager's shared memory");
        }
    }
    return true;
}

FsnArena *
fsn_arena_new(uint64_t n_pages,
              unsigned n_bulk,
              GBytes *const blobs[FSN_N_BLOBS],
              GError **error)
{
    g_autoptr(FsnArena) arena = alloc();
    FsnArenaShared *shared;
    size_t at = layout(n_pages, n_bulk).blobs;

    g_assert(n_bulk >= 1 && n_bulk <= FSN_ARENA_MAX_BULK);
    g_assert(n_pages > 0 && n_pages <= FSN_ARENA_MAX_PAGES);
    arena->size = at;
    for (int i = 0; i < FSN_N_BLOBS; i++) {
        arena->size += blobs[i] ? round_up(g_bytes_get_size(blobs[i])) : 0;
    }
    if (!make_fds(arena, n_bulk, error)) {
        return NULL;
    }
    if (ftruncate(arena->fds[0], (off_t)arena->size) < 0) {
        fsn_set_errno(error, errno, "cannot size the pager's shared memory");
        return NULL;
    }
    if (!map(arena, error)) {
        return NULL;
    }
    shared = arena->map;
    shared->magic = ARENA_MAGIC;
    shared->n_pages = n_pages;
    shared->n_bulk = n_bulk;
    shared->request_block = -1;
    fsn_random_bytes(&shared->seed, sizeof(shared->seed));
    for (int i = 0; i < FSN_N_BLOBS; i++) {
        size_t len = 0;
        const void *data = blobs[i] ? g_bytes_get_data(blobs[i], &len) : NULL;

        shared->blob_offset[i] = at;
        shared->blob_length[i] = len;
        if (len > 0) {
            memcpy((uint8_t *)arena->map + at, data, len);
        }
        at += round_up(len);
    }
    set_views(arena);
    return g_steal_pointer(&arena);
}

static bool
shared_is_valid(const FsnArena *arena, unsigned n_fds)
{
    const FsnArenaShared *shared = arena->map;

    if (shared->magic != ARENA_MAGIC || shared->n_bulk < 1 ||
        shared->n_bulk > FSN_ARENA_MAX_BULK || n_fds != FIRST_BELL + 2 + shared->n_bulk ||
        shared->n_pages == 0 || shared->n_pages > FSN_ARENA_MAX_PAGES ||
        layout(shared->n_pages, shared->n_bulk).blobs > arena->size) {
        return false;
    }
    for (int i = 0; i < FSN_N_BLOBS; i++) {
        if (shared->blob_offset[i] > arena->size ||
            shared->blob_length[i] > arena->size - shared->blob_offset[i]) {
            return false;
        }
    }
    return true;
}

FsnArena *
fsn_arena_attach(int first, unsigned n, GError **error)
{
    g_autoptr(FsnArena) arena = alloc();
    struct stat st;

    g_assert(n >= FSN_ARENA_MIN_FDS && n <= FSN_ARENA_MAX_FDS);
    for (unsigned i = 0; i < n; i++) {
        arena->fds[i] = first + (int)i;
    }
    arena->n_fds = n;
    if (fstat(first, &st) < 0 || st.st_size < (off_t)sizeof(FsnArenaShared)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "file descriptor %d is not the pager's shared memory", first);
        return NULL;
    }
    arena->size = (size_t)st.st_size;
    if (!map(arena, error)) {
        return NULL;
    }
    if (!shared_is_valid(arena, n)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "the pager's shared memory is not of this version");
        return NULL;
    }
    set_views(arena);
    return g_steal_pointer(&arena);
}

void
fsn_arena_free(FsnArena *arena)
{
    if (!arena) {
        return;
    }
    fsn_page_map_free(arena->sent);
    fsn_ring_free(arena->requests);
    fsn_ring_free(arena->urgent);
    for (unsigned i = 0; i < FSN_ARENA_MAX_BULK; i++) {
        fsn_ring_free(arena->bulk[i]);
    }
    if (arena->map != MAP_FAILED) {
        munmap(arena->map, arena->size);
    }
    for (unsigned i = 0; i < FSN_ARENA_MAX_FDS; i++) {
        if (arena->fds[i] >= 0) {
            close(arena->fds[i]);
        }
    }
    g_free(arena);
}

GBytes *
fsn_arena_blob(FsnArena *arena, FsnArenaBlob blob)
{
    return g_bytes_new_static((uint8_t *)arena->map + arena->shared->blob_offset[blob],
                              (size_t)arena->shared->blob_length[blob]);
}

void
fsn_arena_set_error(FsnArena *arena, const char *message)
{
    g_strlcpy(arena->shared->worker_error, message, FSN_ARENA_ERROR_MAX);
}

char *
fsn_arena_dup_error(FsnArena *arena)
{
    return g_strndup(arena->shared->worker_error, FSN_ARENA_ERROR_MAX - 1);
}

void
fsn_arena_inherit(FsnArena *arena, FsnArena *old)
{
    FsnArenaShared *to = arena->shared;
    uint32_t n = MIN(fsn_arena_get(old, n_faults), FSN_ARENA_MAX_FAULTS);

    to->seed = old->shared->seed;
    to->requests = old->shared->requests;
    to->late = old->shared->late;
    to->first_request_us = old->shared->first_request_us;
    to->last_request_us = old->shared->last_request_us;
    to->running_us = old->shared->running_us;
    to->background_us = old->shared->background_us;
    to->list_pages = old->shared->list_pages;
    to->ran = old->shared->ran;
    memcpy(arena->faults, old->faults, n * sizeof(FsnFault));
    to->n_faults = n;
}
