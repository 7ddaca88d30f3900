/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes pages out of the rings and writes them to QEMU. It sends from shared memory without
 * a copy, in batches small enough that a page which the guest waits for is never far behind,
 * and gives slots back when the whole batch is in the socket. Because it alone marks pages
 * as sent, and does so before it writes, no page can be sent twice: QEMU does not survive
 * that.
 */
#include "config.h"

#include "memory/pager-link.h"

#include "base/error.h"
#include "stream/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH_SLOTS 64u /* slots in a batch, most of them zero pages */
#define BATCH_DATA  16u /* pages of data in a batch: 64 KiB */
#define MAX_RINGS   (1 + FSN_ARENA_MAX_BULK)

typedef struct {
    struct iovec iov[2 * BATCH_SLOTS];
    unsigned n_iov;
    unsigned at; /* first that is not written */
    uint8_t headers[BATCH_SLOTS * FSN_STREAM_PAGE_HEADER_MAX];
    size_t n_headers;
    unsigned n_slots;
    unsigned n_data;
    unsigned taken[MAX_RINGS]; /* slots to give back: urgent, bulk 0… */
} Batch;

struct FsnPagerLink {
    FsnArena *arena;
    const FsnRamLayout *layout;
    int fd;
    GByteArray *bytes;
    size_t bytes_at;
    Batch batch;
    unsigned next_bulk;
    int64_t last_block; /* of the last page record; -1 before the first */
};

FsnPagerLink *
fsn_pager_link_new(FsnArena *arena, const FsnRamLayout *layout, int fd)
{
    FsnPagerLink *link = g_new0(FsnPagerLink, 1);

    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); /* MSG_DONTWAIT too */
    link->arena = arena;
    link->layout = layout;
    link->fd = fd;
    link->bytes = g_byte_array_new();
    link->last_block = -1;
    return link;
}

void
fsn_pager_link_free(FsnPagerLink *link)
{
    if (link) {
        close(link->fd);
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

static void
add_iov(Batch *b, const void *data, size_t len)
{
    struct iovec *last = b->n_iov > 0 ? &b->iov[b->n_iov - 1] : NULL;

    if (last && (const uint8_t *)last->iov_base + last->iov_len == data) {
        last->iov_len += len;
    } else {
        b->iov[b->n_iov++] = (struct iovec){ (void *)data, len };
    }
}

/* Adds slot @i of @ring, unless its page is on its way already. */
static bool
add_slot(FsnPagerLink *link, FsnRing *ring, unsigned i, GError **error)
{
    Batch *b = &link->batch;
    uint64_t tag = fsn_ring_tag(ring, i);
    uint8_t *header = b->headers + b->n_headers;
    bool zero = tag & 1;
    uint32_t block;
    uint64_t page;
    size_t len;

    if (!fsn_page_map_locate(link->layout, tag >> 1, &block, &page)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "the worker offered page %" G_GUINT64_FORMAT " of a smaller guest",
                    tag >> 1);
        return false;
    }
    b->n_slots++;
    if (!fsn_page_map_set(link->arena->sent, tag >> 1)) {
        return true;
    }
    len = fsn_stream_page_header(header, link->layout, block, page, zero,
                                 link->last_block == (int64_t)block);
    link->last_block = block;
    add_iov(b, header, len);
    b->n_headers += len;
    if (!zero) {
        add_iov(b, fsn_ring_payload(ring, i), FSN_PAGE_SIZE);
        b->n_data++;
    }
    link->arena->shared->pages_sent++;
    link->arena->shared->pages_zero += zero;
    link->arena->shared->bytes_sent += len + (zero ? 0 : FSN_PAGE_SIZE);
    return true;
}

static bool
take(FsnPagerLink *link, unsigned ring_index, GError **error)
{
    FsnRing *ring = ring_at(link, ring_index);
    Batch *b = &link->batch;
    uint32_t ready = fsn_ring_ready(ring);
    unsigned n = 0;

    while (n < ready && b->n_slots < BATCH_SLOTS && b->n_data < BATCH_DATA) {
        if (!add_slot(link, ring, n, error)) {
            return false;
        }
        n++;
    }
    b->taken[ring_index] = n;
    return true;
}

/* Requested pages go alone, so that they wait for nothing else. */
static bool
fill(FsnPagerLink *link, GError **error)
{
    unsigned n_bulk = link->arena->shared->n_bulk;
    Batch *b = &link->batch;

    b->n_iov = b->at = b->n_slots = b->n_data = 0;
    b->n_headers = 0;
    if (!take(link, 0, error)) {
        return false;
    }
    for (unsigned k = 0; b->n_slots == 0 && k < n_bulk; k++) {
        if (!take(link, 1 + (link->next_bulk + k) % n_bulk, error)) {
            return false;
        }
    }
    link->next_bulk = (link->next_bulk + 1) % n_bulk;
    return true;
}

/* The batch is in the socket: its slots may be used again. */
static void
give_back(FsnPagerLink *link)
{
    for (unsigned i = 0; i < MAX_RINGS; i++) {
        if (link->batch.taken[i] == 0) {
            continue;
        }
        fsn_ring_release(ring_at(link, i), link->batch.taken[i]);
        link->batch.taken[i] = 0;
        fsn_bell_ring(i == 0 ? &link->arena->urgent_bell
                             : &link->arena->bulk_bell[i - 1]);
    }
    link->batch.n_slots = 0;
}

static bool
send_iov(int fd,
         struct iovec *iov,
         unsigned n,
         size_t *out_sent,
         bool *out_blocked,
         GError **error)
{
    struct msghdr message = { .msg_iov = iov, .msg_iovlen = n };
    ssize_t sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

    *out_blocked = sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (sent < 0 && !*out_blocked && errno != EINTR) {
        return fsn_set_errno(error, errno, "cannot write to QEMU");
    }
    *out_sent = sent > 0 ? (size_t)sent : 0;
    return true;
}

static bool
write_batch(FsnPagerLink *link, bool *out_blocked, GError **error)
{
    Batch *b = &link->batch;
    size_t sent;

    if (!send_iov(link->fd, b->iov + b->at, b->n_iov - b->at, &sent, out_blocked,
                  error)) {
        return false;
    }
    while (b->at < b->n_iov && sent >= b->iov[b->at].iov_len) {
        sent -= b->iov[b->at++].iov_len;
    }
    if (b->at < b->n_iov) {
        b->iov[b->at].iov_base = (uint8_t *)b->iov[b->at].iov_base + sent;
        b->iov[b->at].iov_len -= sent;
    } else {
        give_back(link);
    }
    return true;
}

static bool
write_bytes(FsnPagerLink *link, bool *out_blocked, GError **error)
{
    struct iovec iov = { link->bytes->data + link->bytes_at,
                         link->bytes->len - link->bytes_at };
    size_t sent;

    if (!send_iov(link->fd, &iov, 1, &sent, out_blocked, error)) {
        return false;
    }
    link->bytes_at += sent;
    link->arena->shared->bytes_sent += sent;
    if (link->bytes_at == link->bytes->len) {
        g_byte_array_set_size(link->bytes, 0);
        link->bytes_at = 0;
    }
    return true;
}

bool
fsn_pager_link_write(FsnPagerLink *link,
                     bool pages,
                     FsnLinkProgress *out_progress,
                     GError **error)
{
    bool blocked = false;

    if (link->batch.n_slots == 0 && link->bytes->len > 0) {
        if (!write_bytes(link, &blocked, error)) {
            return false;
        }
        *out_progress = blocked ? FSN_LINK_BLOCKED : FSN_LINK_MORE;
        return true;
    }
    if (link->batch.n_slots == 0 && pages && !fill(link, error)) {
        return false;
    }
    if (link->batch.n_slots == 0) {
        *out_progress = FSN_LINK_IDLE;
        return true;
    }
    if (link->batch.n_iov == 0) {
        give_back(link); /* all of them were on their way already */
    } else if (!write_batch(link, &blocked, error)) {
        return false;
    }
    *out_progress = blocked ? FSN_LINK_BLOCKED : FSN_LINK_MORE;
    return true;
}

bool
fsn_pager_link_is_flushed(const FsnPagerLink *link)
{
    return link->batch.n_slots == 0 && link->bytes->len == 0;
}
