/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "memory/bell.h"
#include "memory/outbox.h"
#include "memory/ring.h"
#include "stream/page-map.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* The memory that the processes of one pager share. It holds no pointers and survives any
 * of them. Who writes what is stated beside each field; counters are read at any time. */

#define FSN_ARENA_MAX_BULK   4            /* bulk rings */
#define FSN_ARENA_MAX_PAGES  (1ull << 32) /* 16 TiB of RAM */
#define FSN_ARENA_MAX_FAULTS 262144u      /* page requests kept for learning */
#define FSN_ARENA_ERROR_MAX  512
#define FSN_ARENA_MIN_FDS    6u /* with one bulk ring */
#define FSN_ARENA_MAX_FDS    (5 + FSN_ARENA_MAX_BULK)
#define FSN_ARENA_MAX_BATCH  64u /* pages that are written together */

#define FSN_ARENA_URGENT_SLOTS  64u
#define FSN_ARENA_BULK_SLOTS    1024u
#define FSN_ARENA_REQUEST_SLOTS 16384u

/* Texts and bytes put there when the arena is made, then only read. */
typedef enum {
    FSN_BLOB_PLAN, /* JSON, pager-plan.h */
    FSN_BLOB_HEAD, /* first bytes of the migration */
    FSN_BLOB_DEVICE_STATE,
    FSN_BLOB_DESCRIPTION, /* JSON of QEMU; may be empty */
    FSN_N_BLOBS,
} FsnArenaBlob;

typedef enum {
    FSN_WORKER_STARTING, /* opening the repository */
    FSN_WORKER_READY,    /* pages are coming */
    FSN_WORKER_DONE,     /* published every page that it could */
    FSN_WORKER_FAILED,   /* some pages cannot be had; the error says why */
} FsnWorkerState;

/* One page request of the guest: granule, and microseconds since the guest ran. */
typedef struct {
    uint64_t granule;
    int64_t at_us;
} FsnFault;

typedef struct {
    /* written when made */
    uint64_t magic;
    uint64_t n_pages;
    uint32_t n_bulk;
    uint32_t pad0;
    uint64_t seed; /* of the choice of probes */
    uint64_t blob_offset[FSN_N_BLOBS];
    uint64_t blob_length[FSN_N_BLOBS];
    /* written by the supervisor; monotonic microseconds, 0 = not yet */
    int64_t started_us; /* everything the guest needs to run is written */
    int64_t sent_all_us;
    int64_t first_request_us;
    int64_t last_request_us;
    uint64_t pages_sent;
    uint64_t pages_zero;
    uint64_t bytes_sent;
    uint64_t requests; /* page requests for pages that were not sent yet */
    uint64_t late;     /* page requests for pages already on their way */
    uint32_t n_faults;
    uint32_t finished; /* QEMU has confirmed everything: learn, then end */
    uint32_t restarts; /* of the worker */
    /* the same, for a successor on the same connection */
    uint32_t opened;    /* from here on there can be one */
    uint32_t confirmed; /* QEMU has confirmed everything */
    uint32_t n_batch; /* granules below that are marked as sent, but not committed yet */
    uint32_t pad1;
    uint64_t batch[FSN_ARENA_MAX_BATCH];
    int64_t request_block; /* that page requests without a name belong to; -1: none yet */
    /* written by the peer */
    int64_t running_us; /* the guest's CPUs were seen running */
    /* written by the worker */
    uint32_t worker_state; /* FsnWorkerState */
    uint32_t ran;          /* written by the peer: the snapshot is marked as run */
    uint64_t list_pages;   /* pages of the working set that are pushed first */
    uint64_t probes;       /* pages of it held back */
    int64_t list_done_us;  /* the working set was published */
    int64_t background_us; /* the rest of RAM began to be published */
    char worker_error[FSN_ARENA_ERROR_MAX];
    /* bells: who waits */
    uint32_t waiting_supervisor;
    uint32_t waiting_urgent;
    uint32_t waiting_bulk[FSN_ARENA_MAX_BULK];
} FsnArenaShared;

typedef struct {
    FsnArenaShared *shared;
    FsnPageMap *sent; /* granules on their way; written by the supervisor */
    FsnFault *faults; /* FSN_ARENA_MAX_FAULTS; written by the supervisor */
    FsnOutboxShared *outbox;
    FsnRing *requests; /* supervisor → worker; tag = granule */
    FsnRing *urgent;   /* worker → supervisor; tag = granule << 1 | zero */
    FsnRing *bulk[FSN_ARENA_MAX_BULK];
    FsnBell supervisor_bell;
    FsnBell urgent_bell;
    FsnBell bulk_bell[FSN_ARENA_MAX_BULK];
    /* owned: memory, the outbox's pipe, then the bells in the order above */
    int fds[FSN_ARENA_MAX_FDS];
    unsigned n_fds;
    void *map;
    size_t size;
} FsnArena;

/* A new arena for @n_pages granules and 1…FSN_ARENA_MAX_BULK bulk rings; @blobs are copied
 * (NULL: empty). */
FsnArena *fsn_arena_new(uint64_t n_pages,
                        unsigned n_bulk,
                        GBytes *const blobs[FSN_N_BLOBS],
                        GError **error);
/* The same arena in another process that inherited fds [first, first + n). */
FsnArena *fsn_arena_attach(int first, unsigned n, GError **error);
/* Takes over what the guest asked for, and the choice of probes, from an arena whose
 * supervisor is gone. */
void fsn_arena_inherit(FsnArena *arena, FsnArena *old);
void fsn_arena_free(FsnArena *arena);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnArena, fsn_arena_free)

/* A blob; the bytes live as long as the arena. */
GBytes *fsn_arena_blob(FsnArena *arena, FsnArenaBlob blob);

/* Fields above are plain integers, shared between processes: always through these. */
#define fsn_arena_get(arena, field) \
    __atomic_load_n(&(arena)->shared->field, __ATOMIC_ACQUIRE)
#define fsn_arena_set(arena, field, value) \
    __atomic_store_n(&(arena)->shared->field, (value), __ATOMIC_RELEASE)

/* The worker's complaint, and a copy of it (bounded, always terminated). */
void fsn_arena_set_error(FsnArena *arena, const char *message);
char *fsn_arena_dup_error(FsnArena *arena);

G_END_DECLS
