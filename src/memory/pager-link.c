/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes pages out of the rings and writes them to QEMU, in batches small enough that a page
 * which the guest waits for is never far behind. Because it alone marks pages as sent, and
 * does so before it writes, no page can be sent twice: QEMU does not survive that. A batch
 * is put together in the arena's outbox, so that a successor can go on behind any byte, and
 * the slots are free as soon as it is.
 */
#include "config.h"

#include "memory/pager-link.h"

#include "base/error.h"
#include "stream/writer.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BATCH_DATA 16u /* pages of data in a batch: 64 KiB */
#define MAX_RINGS  (1 + FSN_ARENA_MAX_BULK)

G_STATIC_ASSERT(FSN_OUTBOX_BYTES >= FSN_ARENA_MAX_BATCH * FSN_STREAM_PAGE_HEADER_MAX +
                                        BATCH_DATA * FSN_PAGE_SIZE);

/* What is put together at the moment. */
typedef struct {
    uint8_t *bytes;
    size_t len;
    unsigned n_slots;
    unsigned n_data;
    unsigned taken[MAX_RINGS]; /* slots to give back: urgent, bulk 0… */
} Batch;

struct FsnPagerLink {
    FsnArena *arena;
    const FsnRamLayout *layout;
    int fd;
    FsnOutbox *outbox;
    GByteArray *bytes;
    size_t bytes_at;
    unsigned next_bulk;
    int64_t last_block; /* of the last page record; -1 before the first */
};

/* Pages that a predecessor has marked, but did not commit to the outbox, were not sent. */
static void
unmark(FsnPagerLink *link)
{
    FsnArenaShared *shared = link->arena->shared;

    if (fsn_outbox_is_empty(link->outbox)) {
        for (uint32_t i = 0; i < MIN(shared->n_batch, FSN_ARENA_MAX_BATCH); i++) {
            fsn_page_map_clear(link->arena->sent, shared->batch[i]);
        }
    }
    fsn_arena_set(link->arena, n_batch, 0u);
    shared->pages_sent = fsn_page_map_count(link->arena->sent);
}

FsnPagerLink *
fsn_pager_link_new(FsnArena *arena, const FsnRamLayout *layout, int fd, GError **error)
{
    g_autoptr(FsnPagerLink) link = g_new0(FsnPagerLink, 1);

    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    link->arena = arena;
    link->layout = layout;
    link->fd = fd;
    link->bytes = g_byte_array_new();
    link->last_block = -1;
    link->outbox = fsn_outbox_new(arena->outbox, &arena->fds[1], fd, error);
    if (!link->outbox) {
        return NULL;
    }
    unmark(link);
    return g_steal_pointer(&link);
}

void
fsn_pager_link_free(FsnPagerLink *link)
{
    if (link) {
        close(link->fd);
        fsn_outbox_free(link->outbox);
        g_byte_array_unref(link->bytes);
        g_free(link);
    }
}

int
fsn_pager_link_fd(const FsnPagerLink *link)
{
    return link->fd;
}

GByteArray *
fsn_pager_link_bytes(FsnPagerLink *link)
{
    return link->bytes;
}

static FsnRing *
ring_at(FsnPagerLink *link, unsigned i)
{
    return i == 0 ? link->arena->urgent : link->arena->bulk[i - 1];
}

/* Marks @granule, in a way that can be undone; false if it is on its way already. */
static bool
mark(FsnArena *arena, uint64_t granule)
{
    uint32_t n = arena->shared->n_batch;

    if (fsn_page_map_test(arena->sent, granule)) {
        return false;
    }
    arena->shared->batch[n] = granule;
    fsn_arena_set(arena, n_batch, n + 1);
    return fsn_page_map_set(arena->sent, granule);
}

/* Adds slot @i of @ring, unless its page is on its way already. */
static bool
add_slot(FsnPagerLink *link, Batch *b, FsnRing *ring, unsigned i, GError **error)
{
    FsnArenaShared *shared = link->arena->shared;
    uint64_t tag = fsn_ring_tag(ring, i);
    bool zero = tag & 1;
    uint32_t block;
    uint64_t page;

    if (!fsn_page_map_locate(link->layout, tag >> 1, &block, &page)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "the worker offered page %" G_GUINT64_FORMAT " of a smaller guest",
                    tag >> 1);
        return false;
    }
    b->n_slots++;
    if (!mark(link->arena, tag >> 1)) {
        return true;
    }
    b->len += fsn_stream_page_header(b->bytes + b->len, link->layout, block, page, zero,
                                     link->last_block == (int64_t)block);
    link->last_block = block;
    if (!zero) {
        memcpy(b->bytes + b->len, fsn_ring_payload(ring, i), FSN_PAGE_SIZE);
        b->len += FSN_PAGE_SIZE;
        b->n_data++;
    }
    shared->pages_sent++;
    shared->pages_zero += zero;
    return true;
}

static bool
take(FsnPagerLink *link, Batch *b, unsigned ring_index, GError **error)
{
    FsnRing *ring = ring_at(link, ring_index);
    uint32_t ready = fsn_ring_ready(ring);
    unsigned n = 0;

    while (n < ready && b->n_slots < FSN_ARENA_MAX_BATCH && b->n_data < BATCH_DATA) {
        if (!add_slot(link, b, ring, n, error)) {
            return false;
        }
        n++;
    }
    b->taken[ring_index] = n;
    return true;
}

/* The batch is in the outbox, or there is nothing to be sent of it: its slots may be used
 * again. */
static void
give_back(FsnPagerLink *link, Batch *b)
{
    for (unsigned i = 0; i < MAX_RINGS; i++) {
        if (b->taken[i] == 0) {
            continue;
        }
        fsn_ring_release(ring_at(link, i), b->taken[i]);
        fsn_bell_ring(i == 0 ? &link->arena->urgent_bell
                             : &link->arena->bulk_bell[i - 1]);
    }
}

static void
commit(FsnPagerLink *link, size_t len, bool last)
{
    link->arena->shared->bytes_sent += len;
    fsn_outbox_commit(link->outbox, len, last);
}

/* Puts a batch into the empty outbox. Requested pages go alone, so that they wait for
 * nothing else. *@out_any: there were slots, though perhaps none with anything new. */
static bool
fill_pages(FsnPagerLink *link, bool *out_any, GError **error)
{
    unsigned n_bulk = link->arena->shared->n_bulk;
    Batch b = { .bytes = fsn_outbox_space(link->outbox) };

    if (!take(link, &b, 0, error)) {
        return false;
    }
    for (unsigned k = 0; b.n_slots == 0 && k < n_bulk; k++) {
        if (!take(link, &b, 1 + (link->next_bulk + k) % n_bulk, error)) {
            return false;
        }
    }
    link->next_bulk = (link->next_bulk + 1) % n_bulk;
    if (b.len > 0) {
        commit(link, b.len, false);
    }
    fsn_arena_set(link->arena, n_batch, 0u);
    give_back(link, &b);
    *out_any = b.n_slots > 0;
    return true;
}

static void
fill_bytes(FsnPagerLink *link)
{
    size_t n = MIN(link->bytes->len - link->bytes_at, FSN_OUTBOX_BYTES);

    memcpy(fsn_outbox_space(link->outbox), link->bytes->data + link->bytes_at, n);
    commit(link, n, false);
    link->bytes_at += n;
    if (link->bytes_at == link->bytes->len) {
        g_byte_array_set_size(link->bytes, 0);
        link->bytes_at = 0;
    }
}

bool
fsn_pager_link_write(FsnPagerLink *link,
                     bool pages,
                     FsnLinkProgress *out_progress,
                     GError **error)
{
    bool blocked = false;
    bool any = true;

    if (fsn_outbox_is_empty(link->outbox)) {
        if (link->bytes->len > 0) {
            fill_bytes(link);
        } else if (!pages) {
            any = false;
        } else if (!fill_pages(link, &any, error)) {
            return false;
        }
    }
    if (!fsn_outbox_push(link->outbox, &blocked, error)) {
        return false;
    }
    *out_progress = blocked ? FSN_LINK_BLOCKED : any ? FSN_LINK_MORE : FSN_LINK_IDLE;
    return true;
}

void
fsn_pager_link_write_last(FsnPagerLink *link, GBytes *bytes)
{
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);

    g_assert(fsn_pager_link_is_flushed(link) && len > 0 && len <= FSN_OUTBOX_BYTES);
    memcpy(fsn_outbox_space(link->outbox), data, len);
    commit(link, len, true);
}

bool
fsn_pager_link_is_last(const FsnPagerLink *link)
{
    return fsn_outbox_is_last(link->outbox);
}

bool
fsn_pager_link_is_handed_over(const FsnPagerLink *link)
{
    return link->bytes->len == 0;
}

bool
fsn_pager_link_is_flushed(const FsnPagerLink *link)
{
    return link->bytes->len == 0 && fsn_outbox_is_empty(link->outbox);
}
