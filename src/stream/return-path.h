/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "stream/types.h"

G_BEGIN_DECLS

/*
 * Push parser of what the destination of a migration answers to its source. Bytes: see
 * foresnap-stream(5). Types, names and ranges that the layout does not know are errors, so a
 * handler gets only pages that exist. Memory: one message, at most the received bitmap of
 * the largest block (one bit per page).
 */

/* Every handler may be NULL. False with an error stops the parser for good. Handlers must
 * not call the parser. */
typedef struct {
    /* The guest waits for @len bytes (whole pages, not 0) at byte @start of @block. The same
     * page may be asked for again. */
    bool (*request)(
        gpointer user, uint32_t block, uint64_t start, uint32_t len, GError **error);
    bool (*pong)(gpointer user, uint32_t value, GError **error);
    /* The destination has loaded everything (@err 0) or gives up. */
    bool (*shut)(gpointer user, uint32_t err, GError **error);
    /* Answer to RECV_BITMAP: @n_bits, one per page of the block, little-endian, 1 = the
     * destination has the page. Valid during the call. */
    bool (*recv_bitmap)(gpointer user,
                        uint32_t block,
                        const uint8_t *bits,
                        uint64_t n_bits,
                        GError **error);
    /* Answer to POSTCOPY_RESUME: pages may be sent again. */
    bool (*resume_ack)(gpointer user, GError **error);
} FsnReturnPathHandlers;

typedef struct FsnReturnPath FsnReturnPath;

/* @layout (checked) and @handlers are copied. */
FsnReturnPath *fsn_return_path_new(const FsnRamLayout *layout,
                                   const FsnReturnPathHandlers *handlers,
                                   gpointer user);
void fsn_return_path_free(FsnReturnPath *rp);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnReturnPath, fsn_return_path_free)

/* Takes the next @len bytes, cut anywhere. FSN_ERROR_FORMAT or a handler's own error; after
 * that every further call fails. */
bool fsn_return_path_push(FsnReturnPath *rp,
                          const uint8_t *data,
                          size_t len,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Number of the first @len bytes, taken from the beginning of a message, that are whole
 * messages. Bytes that cannot be a message count, so that the parser names them. Not for
 * bitmaps, whose bits are no messages. */
size_t fsn_return_path_whole(const uint8_t *data, size_t len);

/* Which block page requests that name none belong to, -1 if none was named yet. A parser that
 * takes over from another is given what that one had; it drops requests that cannot be
 * meant by it, until one names a block, for some may come twice. */
int64_t fsn_return_path_block(const FsnReturnPath *rp);
void fsn_return_path_take_over(FsnReturnPath *rp, int64_t block);

/* True if no message is cut at this point. */
bool fsn_return_path_at_boundary(const FsnReturnPath *rp);

G_END_DECLS
