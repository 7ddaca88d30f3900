/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "memory/pager-arena.h"
#include "stream/types.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* The connection to QEMU, outgoing side: whole records, each page once, also if the process
 * is killed and another one makes a new link over the same arena and connection. */
typedef struct FsnPagerLink FsnPagerLink;

typedef enum {
    FSN_LINK_IDLE,    /* nothing to write at the moment */
    FSN_LINK_MORE,    /* wrote something; call again */
    FSN_LINK_BLOCKED, /* the socket takes no more now: wait until it is writable */
} FsnLinkProgress;

/* Takes @fd, a connected stream socket, and makes it non-blocking; on failure too. @arena and
 * @layout are borrowed. */
FsnPagerLink *fsn_pager_link_new(FsnArena *arena,
                                 const FsnRamLayout *layout,
                                 int fd,
                                 GError **error);
void fsn_pager_link_free(FsnPagerLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnPagerLink, fsn_pager_link_free)

int fsn_pager_link_fd(const FsnPagerLink *link);

/* What stands in here is written after the records that are under way and before any page
 * that is taken later. A successor knows nothing of it. */
GByteArray *fsn_pager_link_bytes(FsnPagerLink *link);

/* Writes one portion: the rest of the last one, else the bytes above, else, if @pages, up to
 * some dozens of pages, requested ones first. A page that was sent already is dropped. */
bool fsn_pager_link_write(FsnPagerLink *link,
                          bool pages,
                          FsnLinkProgress *out_progress,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes the end of the stream, of at most FSN_OUTBOX_BYTES, in one piece that a successor
 * finds again; everything before must be flushed. It is flushed by fsn_pager_link_write(). */
void fsn_pager_link_write_last(FsnPagerLink *link, GBytes *bytes);
/* It is under way. */
bool fsn_pager_link_is_last(const FsnPagerLink *link);

/* True if a successor would miss nothing. */
bool fsn_pager_link_is_handed_over(const FsnPagerLink *link);
/* True if everything handed over so far is in the socket. */
bool fsn_pager_link_is_flushed(const FsnPagerLink *link);

G_END_DECLS
