/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page requests between QEMU and the worker. Each page is noted once, in order and with its
 * time, which is what the working set learns from. A request stays on the books until its
 * page is sent, so that it outlives any worker. Bounded by the number of pages.
 */
#include "config.h"

#include "memory/pager-requests.h"

#define COMPACT_AT 4096u

struct FsnRequestBook {
    FsnArena *arena;
    FsnPageMap *seen;
    GArray *open; /* uint64_t granules in order of request */
    guint next;   /* of @open: not handed to the worker yet */
};

/* What a predecessor on the same connection has noted; on a new one QEMU asks again. */
static void
take_over(FsnRequestBook *book)
{
    uint32_t n = fsn_arena_get(book->arena, opened)
                     ? MIN(fsn_arena_get(book->arena, n_faults), FSN_ARENA_MAX_FAULTS)
                     : 0;

    for (uint32_t i = 0; i < n; i++) {
        uint64_t granule = book->arena->faults[i].granule;

        if (fsn_page_map_set(book->seen, granule) &&
            !fsn_page_map_test(book->arena->sent, granule)) {
            g_array_append_val(book->open, granule);
        }
    }
}

FsnRequestBook *
fsn_request_book_new(FsnArena *arena)
{
    FsnRequestBook *book = g_new0(FsnRequestBook, 1);

    book->arena = arena;
    book->seen = fsn_page_map_new(arena->shared->n_pages);
    book->open = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    take_over(book);
    return book;
}

void
fsn_request_book_free(FsnRequestBook *book)
{
    if (book) {
        fsn_page_map_free(book->seen);
        g_array_unref(book->open);
        g_free(book);
    }
}

static void
note_fault(FsnArena *arena, uint64_t granule, int64_t now_us)
{
    FsnArenaShared *shared = arena->shared;
    uint32_t n = shared->n_faults;

    shared->requests++;
    if (shared->first_request_us == 0) {
        shared->first_request_us = now_us;
    }
    fsn_arena_set(arena, last_request_us, now_us);
    if (n < FSN_ARENA_MAX_FAULTS) {
        arena->faults[n] = (FsnFault){ granule, now_us };
        fsn_arena_set(arena, n_faults, n + 1);
    }
}

void
fsn_request_book_add(FsnRequestBook *book, uint64_t granule, int64_t now_us)
{
    if (fsn_page_map_test(book->arena->sent, granule)) {
        book->arena->shared->late++;
        return;
    }
    if (fsn_page_map_set(book->seen, granule)) {
        note_fault(book->arena, granule, now_us);
        g_array_append_val(book->open, granule);
    }
}

/* Drops what was answered meanwhile. */
static void
compact(FsnRequestBook *book)
{
    guint kept = 0;
    guint next = 0;

    for (guint i = 0; i < book->open->len; i++) {
        uint64_t granule = g_array_index(book->open, uint64_t, i);

        if (i == book->next) {
            next = kept;
        }
        if (!fsn_page_map_test(book->arena->sent, granule)) {
            g_array_index(book->open, uint64_t, kept++) = granule;
        }
    }
    book->next = book->next < book->open->len ? next : kept;
    g_array_set_size(book->open, kept);
}

void
fsn_request_book_push(FsnRequestBook *book)
{
    FsnArena *arena = book->arena;
    bool pushed = false;

    while (book->next < book->open->len && fsn_ring_has_room(arena->requests)) {
        uint64_t granule = g_array_index(book->open, uint64_t, book->next++);

        (void)fsn_ring_claim(arena->requests); /* no payload */
        fsn_ring_publish(arena->requests, granule);
        pushed = true;
    }
    if (pushed) {
        fsn_bell_ring(&arena->urgent_bell);
    }
    if (book->open->len >= COMPACT_AT && book->next >= COMPACT_AT) {
        compact(book);
    }
}

void
fsn_request_book_rewind(FsnRequestBook *book)
{
    book->next = 0;
    compact(book);
}
