/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parser of the return path. Messages are short but for received bitmaps; each is gathered
 * whole in a small buffer, a bitmap in one of exactly the size that the layout gives. What
 * QEMU says is never trusted: names, ranges and lengths are checked here, once.
 */
#include "config.h"

#include "stream/return-path.h"

#include "base/bytes.h"
#include "base/error.h"
#include "stream/wire.h"

#include <string.h>

/* Longest message: header, u64, u32, length and name. */
#define MESSAGE_MAX (4 + 8 + 4 + 1 + FSN_STREAM_MAX_NAME)

struct FsnReturnPath {
    FsnRamLayout *layout;
    FsnReturnPathHandlers handlers;
    gpointer user;
    bool failed;
    int64_t last_block; /* of REQ_PAGES_ID; -1 at first */
    bool guessed;       /* last_block is a predecessor's, and may be a little off */

    uint8_t message[MESSAGE_MAX];
    size_t have;

    uint8_t *bitmap; /* size, bits, end mark; NULL if none is under way */
    size_t bitmap_size;
    size_t bitmap_have;
    uint32_t bitmap_block;
};

FsnReturnPath *
fsn_return_path_new(const FsnRamLayout *layout,
                    const FsnReturnPathHandlers *handlers,
                    gpointer user)
{
    FsnReturnPath *rp = g_new0(FsnReturnPath, 1);

    rp->layout = fsn_ram_layout_copy(layout);
    rp->handlers = *handlers;
    rp->user = user;
    rp->last_block = -1;
    return rp;
}

void
fsn_return_path_free(FsnReturnPath *rp)
{
    if (!rp) {
        return;
    }
    fsn_ram_layout_free(rp->layout);
    g_free(rp->bitmap);
    g_free(rp);
}

int64_t
fsn_return_path_block(const FsnReturnPath *rp)
{
    return rp->last_block;
}

void
fsn_return_path_take_over(FsnReturnPath *rp, int64_t block)
{
    rp->last_block = block >= 0 && (uint64_t)block < rp->layout->n_blocks ? block : -1;
    rp->guessed = true;
}

bool
fsn_return_path_at_boundary(const FsnReturnPath *rp)
{
    return rp->have == 0 && !rp->bitmap;
}

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool
fail(GError **error, const char *format, ...)
{
    g_autofree char *why = NULL;
    va_list args;

    va_start(args, format);
    why = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "return path of the migration: %s",
                why);
    return false;
}

/* The block whose counted name is the @n bytes at @p. */
static bool
find_block(
    FsnReturnPath *rp, const uint8_t *p, size_t n, uint32_t *out_block, GError **error)
{
    if (n < 1 || n != 1u + p[0]) {
        return fail(error, "a block's name does not fill its message");
    }
    for (size_t i = 0; i < rp->layout->n_blocks; i++) {
        const char *known = rp->layout->blocks[i].name;

        if (strlen(known) == p[0] && memcmp(known, p + 1, p[0]) == 0) {
            *out_block = (uint32_t)i;
            return true;
        }
    }
    return fail(error, "message about an unknown RAM block");
}

static bool
handle_request(FsnReturnPath *rp, const uint8_t *p, GError **error)
{
    uint64_t start = fsn_get_be64(p);
    uint32_t len = fsn_get_be32(p + 8);
    const FsnRamBlock *block;

    if (rp->last_block < 0) {
        return rp->guessed || fail(error, "the first page request names no block");
    }
    block = &rp->layout->blocks[rp->last_block];
    if (rp->guessed && (start >= block->length || len > block->length - start)) {
        return true;
    }
    if (len == 0 || start % FSN_PAGE_SIZE != 0 || len % FSN_PAGE_SIZE != 0 ||
        start >= block->length || len > block->length - start) {
        return fail(error,
                    "request of %u bytes at 0x%" G_GINT64_MODIFIER
                    "x is not inside RAM block '%s'",
                    len, start, block->name);
    }
    return !rp->handlers.request ||
           rp->handlers.request(rp->user, (uint32_t)rp->last_block, start, len, error);
}

static bool
handle_named_request(FsnReturnPath *rp, const uint8_t *p, size_t n, GError **error)
{
    uint32_t block;

    if (!find_block(rp, p + 12, n - 12, &block, error)) {
        return false;
    }
    rp->last_block = block;
    rp->guessed = false;
    return handle_request(rp, p, error);
}

/* The bitmap itself follows its message, without a header of its own. */
static bool
start_bitmap(FsnReturnPath *rp, const uint8_t *p, size_t n, GError **error)
{
    uint64_t pages;

    if (!find_block(rp, p, n, &rp->bitmap_block, error)) {
        return false;
    }
    pages = rp->layout->blocks[rp->bitmap_block].length / FSN_PAGE_SIZE;
    rp->bitmap_size = 8 + (size_t)((pages + 63) / 64 * 8) + 8;
    rp->bitmap_have = 0;
    rp->bitmap = g_try_malloc(rp->bitmap_size);
    return rp->bitmap ||
           fail(error, "no memory for a bitmap of %zu bytes", rp->bitmap_size);
}

static bool
finish_bitmap(FsnReturnPath *rp, GError **error)
{
    const FsnRamBlock *block = &rp->layout->blocks[rp->bitmap_block];
    g_autofree uint8_t *bitmap = g_steal_pointer(&rp->bitmap);

    if (fsn_get_be64(bitmap + rp->bitmap_size - 8) != FSN_WIRE_BITMAP_END) {
        return fail(error, "bitmap of RAM block '%s' has no end mark", block->name);
    }
    return !rp->handlers.recv_bitmap ||
           rp->handlers.recv_bitmap(rp->user, rp->bitmap_block, bitmap + 8,
                                    block->length / FSN_PAGE_SIZE, error);
}

/* Takes bytes of the bitmap under way. The stated size is checked as soon as it is there, so
 * that a wrong one is not waited for. */
static bool
push_bitmap(
    FsnReturnPath *rp, const uint8_t *data, size_t len, size_t *out_taken, GError **error)
{
    size_t take = MIN(len, rp->bitmap_size - rp->bitmap_have);

    memcpy(rp->bitmap + rp->bitmap_have, data, take);
    rp->bitmap_have += take;
    *out_taken = take;
    if (rp->bitmap_have >= 8 && fsn_get_be64(rp->bitmap) != rp->bitmap_size - 16) {
        return fail(error, "bitmap of RAM block '%s' has another size",
                    rp->layout->blocks[rp->bitmap_block].name);
    }
    return rp->bitmap_have < rp->bitmap_size || finish_bitmap(rp, error);
}

static bool
length_fits(uint16_t type, uint16_t len)
{
    switch (type) {
    case FSN_WIRE_RP_SHUT:
    case FSN_WIRE_RP_PONG:
    case FSN_WIRE_RP_RESUME_ACK:
        return len == 4;
    case FSN_WIRE_RP_REQ_PAGES:
        return len == 12;
    case FSN_WIRE_RP_REQ_PAGES_ID:
        return len >= 13 && len <= 13 + FSN_STREAM_MAX_NAME;
    case FSN_WIRE_RP_RECV_BITMAP:
        return len >= 1 && len <= 1 + FSN_STREAM_MAX_NAME;
    default: /* a number from outside, not an enum */
        return false;
    }
}

static bool
handle_message(
    FsnReturnPath *rp, uint16_t type, const uint8_t *p, size_t n, GError **error)
{
    const FsnReturnPathHandlers *h = &rp->handlers;

    switch (type) {
    case FSN_WIRE_RP_SHUT:
        return !h->shut || h->shut(rp->user, fsn_get_be32(p), error);
    case FSN_WIRE_RP_PONG:
        return !h->pong || h->pong(rp->user, fsn_get_be32(p), error);
    case FSN_WIRE_RP_REQ_PAGES_ID:
        return handle_named_request(rp, p, n, error);
    case FSN_WIRE_RP_REQ_PAGES:
        return handle_request(rp, p, error);
    case FSN_WIRE_RP_RECV_BITMAP:
        return start_bitmap(rp, p, n, error);
    case FSN_WIRE_RP_RESUME_ACK:
        if (fsn_get_be32(p) != 1) {
            return fail(error, "resume was answered by %u", fsn_get_be32(p));
        }
        return !h->resume_ack || h->resume_ack(rp->user, error);
    default: /* refused by length_fits() */
        g_assert_not_reached();
    }
}

/* Gathers one message; handles it when it is whole. */
static bool
push_message(
    FsnReturnPath *rp, const uint8_t *data, size_t len, size_t *out_taken, GError **error)
{
    size_t want = rp->have < 4 ? 4 : 4u + fsn_get_be16(rp->message + 2);
    size_t take = MIN(len, want - rp->have);
    uint16_t type;
    uint16_t body;

    memcpy(rp->message + rp->have, data, take);
    rp->have += take;
    *out_taken = take;
    if (rp->have < 4) {
        return true;
    }
    type = fsn_get_be16(rp->message);
    body = fsn_get_be16(rp->message + 2);
    if (!length_fits(type, body)) {
        return fail(error, "message of type %u with %u bytes", type, body);
    }
    if (rp->have < 4u + body) {
        return true;
    }
    rp->have = 0;
    return handle_message(rp, type, rp->message + 4, body, error);
}

size_t
fsn_return_path_whole(const uint8_t *data, size_t len)
{
    size_t at = 0;

    while (len - at >= 4) {
        uint16_t body = fsn_get_be16(data + at + 2);

        if (!length_fits(fsn_get_be16(data + at), body)) {
            return len;
        }
        if (len - at < 4u + body) {
            break;
        }
        at += 4u + body;
    }
    return at;
}

bool
fsn_return_path_push(FsnReturnPath *rp, const uint8_t *data, size_t len, GError **error)
{
    if (rp->failed) {
        return fail(error, "it has failed before");
    }
    while (len > 0) {
        size_t taken;
        bool ok = rp->bitmap ? push_bitmap(rp, data, len, &taken, error)
                             : push_message(rp, data, len, &taken, error);

        if (!ok) {
            rp->failed = true;
            return false;
        }
        data += taken;
        len -= taken;
    }
    return true;
}
