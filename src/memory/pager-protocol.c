/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order in which a migration source speaks. Postcopy: everything that the guest needs to
 * run comes first, then pages in any order, requested ones first, then the end, and QEMU's
 * SHUT. Precopy (eager): pages, then devices; QEMU closes when it has loaded them. Recovery:
 * ask for the bitmap of each block, resume, then the missing pages.
 *
 * Once a postcopy is open, where it stands is kept in the arena: what was said is in the
 * outbox, and what was heard takes effect before it is taken out of the socket, so that a
 * successor hears some of it twice but misses nothing.
 *
 * It does no more than that: when to connect, and what to do when the connection breaks, is
 * decided elsewhere.
 */
#include "config.h"

#include "memory/pager-protocol.h"

#include "base/clock.h"
#include "base/error.h"
#include "stream/return-path.h"
#include "stream/writer.h"

#include <errno.h>
#include <sys/socket.h>

/* fsn_stream_write_package() puts this PING behind the device state. */
#define PING_LOADED 3u

typedef enum {
    STAGE_BITMAPS, /* recovery: waiting for what QEMU has */
    STAGE_ACK,     /* recovery: waiting for the permission to go on */
    STAGE_PAGES,
    STAGE_TAIL,    /* the end is being written */
    STAGE_CONFIRM, /* waiting for QEMU's word */
    STAGE_DONE,
} Stage;

struct FsnPagerProtocol {
    FsnArena *arena;
    const FsnRamLayout *layout;
    FsnPagerMode mode;
    FsnRequestBook *requests;
    FsnPagerLink *link;
    FsnReturnPath *answers;
    Stage stage;
    bool answered; /* by QEMU, that it is ready for pages */
    size_t n_bitmaps;
};

static bool
on_request(gpointer user, uint32_t block, uint64_t start, uint32_t len, GError **error)
{
    FsnPagerProtocol *p = user;
    uint64_t first = fsn_page_map_base(p->layout, block) + start / FSN_PAGE_SIZE;

    for (uint32_t i = 0; i < len / FSN_PAGE_SIZE; i++) {
        fsn_request_book_add(p->requests, first + i, fsn_monotonic_us());
    }
    return true;
}

static bool
on_pong(gpointer user, uint32_t value, GError **error)
{
    FsnPagerProtocol *p = user;

    p->answered = p->answered || value == PING_LOADED;
    return true;
}

static bool
on_shut(gpointer user, uint32_t err, GError **error)
{
    FsnPagerProtocol *p = user;

    if (err != 0 || p->stage != STAGE_CONFIRM) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    err ? "QEMU gave up loading (error %u)"
                        : "QEMU ended the load before it was complete",
                    err);
        return false;
    }
    fsn_arena_set(p->arena, confirmed, 1u);
    p->stage = STAGE_DONE;
    return true;
}

static bool
on_bitmap(
    gpointer user, uint32_t block, const uint8_t *bits, uint64_t n_bits, GError **error)
{
    FsnPagerProtocol *p = user;

    if (p->stage != STAGE_BITMAPS) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "QEMU sent a bitmap that nobody asked for");
        return false;
    }
    fsn_page_map_load(p->arena->sent, fsn_page_map_base(p->layout, block), bits, n_bits);
    if (++p->n_bitmaps == p->layout->n_blocks) {
        p->arena->shared->pages_sent = fsn_page_map_count(p->arena->sent);
        fsn_stream_write_postcopy_resume(fsn_pager_link_bytes(p->link));
        p->stage = STAGE_ACK;
    }
    return true;
}

static bool
on_ack(gpointer user, GError **error)
{
    FsnPagerProtocol *p = user;

    if (p->stage != STAGE_ACK) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "QEMU acknowledged a recovery that nobody asked for");
        return false;
    }
    fsn_stream_write_part_begin(fsn_pager_link_bytes(p->link), p->layout);
    p->stage = STAGE_PAGES;
    p->answered = true;
    return true;
}

static const FsnReturnPathHandlers handlers = {
    .request = on_request,
    .pong = on_pong,
    .shut = on_shut,
    .recv_bitmap = on_bitmap,
    .resume_ack = on_ack,
};

static void
open_postcopy(FsnPagerProtocol *p, GByteArray *out)
{
    g_autoptr(GBytes) head = fsn_arena_blob(p->arena, FSN_BLOB_HEAD);
    g_autoptr(GBytes) devices = fsn_arena_blob(p->arena, FSN_BLOB_DEVICE_STATE);

    fsn_stream_write_head(out, head);
    fsn_stream_write_postcopy_advise(out);
    fsn_stream_write_ram_start(out, p->layout);
    fsn_stream_write_discard_all(out, p->layout);
    fsn_stream_write_package(out, devices);
    fsn_stream_write_part_begin(out, p->layout);
}

static void
open_precopy(FsnPagerProtocol *p, GByteArray *out)
{
    g_autoptr(GBytes) head = fsn_arena_blob(p->arena, FSN_BLOB_HEAD);

    fsn_stream_write_head(out, head);
    fsn_stream_write_ram_start(out, p->layout);
    fsn_stream_write_part_begin(out, p->layout);
}

static void
open_recovery(FsnPagerProtocol *p, GByteArray *out)
{
    fsn_stream_write_recover_begin(out);
    for (size_t i = 0; i < p->layout->n_blocks; i++) {
        fsn_stream_write_recv_bitmap_request(out, p->layout->blocks[i].name);
    }
    p->stage = STAGE_BITMAPS;
}

static void
take_over(FsnPagerProtocol *p)
{
    FsnArena *arena = p->arena;

    fsn_return_path_take_over(p->answers, arena->shared->request_block);
    p->answered = true;
    if (fsn_arena_get(arena, confirmed)) {
        p->stage = STAGE_DONE;
    } else if (fsn_pager_link_is_last(p->link)) {
        p->stage = STAGE_TAIL;
    }
}

FsnPagerProtocol *
fsn_pager_protocol_new(FsnArena *arena,
                       const FsnRamLayout *layout,
                       FsnPagerMode mode,
                       FsnPagerOpening opening,
                       FsnRequestBook *requests,
                       int fd,
                       GError **error)
{
    g_autoptr(FsnPagerProtocol) p = g_new0(FsnPagerProtocol, 1);
    GByteArray *out;

    p->arena = arena;
    p->layout = layout;
    p->mode = mode;
    p->requests = requests;
    p->link = fsn_pager_link_new(arena, layout, fd, error);
    if (!p->link) {
        return NULL;
    }
    p->answers = fsn_return_path_new(layout, &handlers, p);
    p->stage = STAGE_PAGES;
    out = fsn_pager_link_bytes(p->link);
    switch (opening) {
    case FSN_OPEN_FRESH:
        if (mode == FSN_MODE_EAGER) {
            open_precopy(p, out);
        } else {
            open_postcopy(p, out);
        }
        break;
    case FSN_OPEN_RECOVER:
        open_recovery(p, out);
        break;
    case FSN_OPEN_TAKE_OVER:
        take_over(p);
        break;
    }
    return g_steal_pointer(&p);
}

void
fsn_pager_protocol_free(FsnPagerProtocol *p)
{
    if (p) {
        fsn_pager_link_free(p->link);
        fsn_return_path_free(p->answers);
        g_free(p);
    }
}

int
fsn_pager_protocol_fd(const FsnPagerProtocol *p)
{
    return fsn_pager_link_fd(p->link);
}

/* QEMU has closed its end. */
static bool
closed(FsnPagerProtocol *p, GError **error)
{
    if (p->mode == FSN_MODE_EAGER && p->stage == STAGE_CONFIRM) {
        p->stage = STAGE_DONE;
    }
    if (p->stage == STAGE_DONE) {
        return true;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                "QEMU closed the connection before all was loaded");
    return false;
}

/* Bytes of @len in @buffer that take effect now: whole messages, or all in a conversation
 * that nobody can take over. */
static size_t
effective(const FsnPagerProtocol *p, const uint8_t *buffer, size_t len)
{
    return fsn_arena_get(p->arena, opened) && fsn_return_path_at_boundary(p->answers)
               ? fsn_return_path_whole(buffer, len)
               : len;
}

bool
fsn_pager_protocol_read(FsnPagerProtocol *p, GError **error)
{
    int fd = fsn_pager_link_fd(p->link);
    uint8_t buffer[16384];

    while (p->stage != STAGE_DONE) {
        ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT | MSG_PEEK);
        size_t whole;

        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            break;
        }
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return closed(p, error);
        }
        whole = effective(p, buffer, (size_t)n);
        if (!fsn_return_path_push(p->answers, buffer, whole, error)) {
            return false;
        }
        p->arena->shared->request_block = fsn_return_path_block(p->answers);
        if (whole > 0 && recv(fd, buffer, whole, MSG_DONTWAIT) != (ssize_t)whole) {
            return fsn_set_errno(error, errno, "cannot read from QEMU");
        }
        if (n < (ssize_t)sizeof(buffer)) {
            break;
        }
    }
    fsn_request_book_push(p->requests);
    return true;
}

static void
write_precopy_tail(FsnPagerProtocol *p)
{
    GByteArray *out = fsn_pager_link_bytes(p->link);
    g_autoptr(GBytes) devices = fsn_arena_blob(p->arena, FSN_BLOB_DEVICE_STATE);
    g_autoptr(GBytes) text = fsn_arena_blob(p->arena, FSN_BLOB_DESCRIPTION);

    fsn_stream_write_ram_section_end(out, p->layout);
    fsn_stream_write_ram_end(out, p->layout);
    fsn_stream_write_precopy_tail(out, devices, g_bytes_get_size(text) > 0 ? text : NULL);
}

static void
write_postcopy_tail(FsnPagerProtocol *p)
{
    GByteArray *out = g_byte_array_new();
    g_autoptr(GBytes) tail = NULL;

    fsn_stream_write_ram_section_end(out, p->layout);
    fsn_stream_write_ram_end(out, p->layout);
    fsn_stream_write_eof(out);
    tail = g_byte_array_free_to_bytes(out);
    fsn_pager_link_write_last(p->link, tail);
}

/* What follows when a portion is in the socket. */
static void
advance(FsnPagerProtocol *p)
{
    if (p->answered && p->mode != FSN_MODE_EAGER &&
        fsn_pager_link_is_handed_over(p->link)) {
        fsn_arena_set(p->arena, opened, 1u);
    }
    if (p->stage == STAGE_PAGES && fsn_pager_link_is_flushed(p->link) &&
        p->arena->shared->pages_sent == p->arena->shared->n_pages) {
        if (p->mode == FSN_MODE_EAGER) {
            write_precopy_tail(p);
        } else {
            write_postcopy_tail(p);
        }
        p->stage = STAGE_TAIL;
    } else if (p->stage == STAGE_TAIL && fsn_pager_link_is_flushed(p->link)) {
        fsn_arena_set(p->arena, sent_all_us, fsn_monotonic_us());
        p->stage = STAGE_CONFIRM;
        if (p->mode == FSN_MODE_EAGER) {
            (void)shutdown(fsn_pager_link_fd(p->link), SHUT_WR); /* QEMU sees the end */
        }
    }
}

bool
fsn_pager_protocol_write(FsnPagerProtocol *p,
                         FsnLinkProgress *out_progress,
                         GError **error)
{
    if (!fsn_pager_link_write(p->link, p->stage == STAGE_PAGES, out_progress, error)) {
        return false;
    }
    advance(p);
    if (*out_progress == FSN_LINK_IDLE && !fsn_pager_link_is_flushed(p->link)) {
        *out_progress = FSN_LINK_MORE; /* advance() had something to say */
    }
    return true;
}

bool
fsn_pager_protocol_is_started(const FsnPagerProtocol *p)
{
    return p->mode == FSN_MODE_EAGER ? p->stage == STAGE_DONE
                                     : fsn_arena_get(p->arena, opened) != 0;
}

bool
fsn_pager_protocol_is_sent(const FsnPagerProtocol *p)
{
    return p->stage == STAGE_CONFIRM || p->stage == STAGE_DONE;
}

bool
fsn_pager_protocol_is_done(const FsnPagerProtocol *p)
{
    return p->stage == STAGE_DONE;
}
