/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * Whether QEMU hangs in an I/O, told from its threads: one that the kernel lets wait
 * uninterruptibly (state D) and that has not been switched to for long waits for storage.
 * Stopping a guest waits for its I/O without limit.
 */

/* So long an I/O may take. */
#define FSN_PENDING_IO_LIMIT_US (5 * G_USEC_PER_SEC)

/* A thread as it was seen once. */
typedef struct {
    int tid;
    bool waits; /* in state D */
    uint64_t
        switches; /* how often it has given up the processor; it moves if this does */
} FsnThreadLook;

/* From the text of /proc/PID/task/TID/status, except the tid; false if it is none. */
bool fsn_thread_look_parse(const char *text, size_t len, FsnThreadLook *out_look);

/* The threads that waited at the first look and have not moved since. */
typedef struct FsnPendingIo FsnPendingIo;

typedef enum {
    FSN_IO_MOVES, /* each of them has moved: nothing hangs */
    FSN_IO_WAITS, /* one has not, so far: look again */
    FSN_IO_HANGS, /* one has not for as long as the limit */
} FsnIoVerdict;

FsnPendingIo *fsn_pending_io_new(void);
void fsn_pending_io_free(FsnPendingIo *io);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnPendingIo, fsn_pending_io_free)

/* Takes in a look at all threads (an array of FsnThreadLook), at @now_us. What begins to wait
 * after the first look does not count, so that a busy disk is told from a dead one at once. */
FsnIoVerdict fsn_pending_io_judge(FsnPendingIo *io, const GArray *looks, int64_t now_us);

G_END_DECLS
