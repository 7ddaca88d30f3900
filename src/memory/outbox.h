/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * One portion of bytes on its way into a stream socket, written so that a successor can go
 * on at exactly the right byte when the writing process is killed at any instruction. A
 * process that dies in send() leaves nobody who knows how much of it the kernel took. Here
 * the bytes go through a pipe that outlives the writer, and the kernel takes from a pipe
 * just what it has put into the socket (splice(2)): what is left in it is what is missing.
 */
#define FSN_OUTBOX_BYTES (88u << 10)

/* In shared memory, aligned to 8; zeroed memory is an empty one. The fields are the
 * outbox's own. */
typedef struct {
    uint64_t step;   /* phase and number of bytes that are in the pipe or beyond it */
    uint32_t length; /* of the portion; 0: none */
    uint32_t last;   /* the portion is the last one of the stream */
    uint8_t bytes[FSN_OUTBOX_BYTES];
} FsnOutboxShared;

typedef struct FsnOutbox FsnOutbox;

/* All borrowed: @pipe[0] and @pipe[1] are the ends of a non-blocking pipe that nobody else
 * uses, @socket is non-blocking, and SIGPIPE is ignored. A new view over what a dead process
 * has used continues what that one had begun. */
FsnOutbox *fsn_outbox_new(FsnOutboxShared *shared,
                          const int pipe[2],
                          int socket,
                          GError **error);
void fsn_outbox_free(FsnOutbox *outbox);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnOutbox, fsn_outbox_free)

/* No portion is under way. */
bool fsn_outbox_is_empty(const FsnOutbox *outbox);
/* The last portion of the stream was committed; it may be on its way or through. */
bool fsn_outbox_is_last(const FsnOutbox *outbox);

/* Of an empty one: where the next portion is put together, FSN_OUTBOX_BYTES. Until
 * fsn_outbox_commit() there is no portion. @len > 0. */
uint8_t *fsn_outbox_space(FsnOutbox *outbox);
void fsn_outbox_commit(FsnOutbox *outbox, size_t len, bool last);

/* Moves what the socket takes without waiting; *@out_blocked: it took not all. */
bool fsn_outbox_push(FsnOutbox *outbox, bool *out_blocked, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
