/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/image-writer.h"
#include "repo/image.h"
#include "repo/repo.h"
#include "stream/types.h"

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * foresnap as the target of an outgoing migration: reads QEMU's stream from a socket and
 * puts RAM into the repository as it arrives.
 */
typedef struct FsnCapture FsnCapture;

typedef struct {
    const char *parent_root; /* image of the VM's previous snapshot; NULL = none */
    const FsnRamLayout *parent_layout; /* its layout; used only if it is the stream's */
    FsnCodec codec;
    int level;
    uint64_t
        reserve_pages; /* stop for FSN_CAPTURE_RESERVE when no more are unsent; 0: never */
} FsnCaptureOptions;

typedef enum {
    FSN_CAPTURE_MORE,    /* time for progress or another look; call again */
    FSN_CAPTURE_RESERVE, /* only the reserve is unsent; nothing is read until called again */
    FSN_CAPTURE_END,     /* the whole stream is in and well formed */
} FsnCaptureEvent;

typedef struct {
    uint64_t pages_total; /* all pages of all blocks; 0 until the layout is known */
    uint64_t pages_seen;  /* distinct pages that arrived at least once */
    uint64_t pages_read;  /* pages that arrived, repeated ones counted again */
    uint64_t bytes_read;  /* bytes of the stream */
} FsnCaptureProgress;

/* @fd is the reading end and is taken over; -1: see fsn_capture_push(). @options' pointers are borrowed during the call. */
FsnCapture *fsn_capture_new(FsnRepo *repo,
                            int fd,
                            const FsnCaptureOptions *options,
                            GError **error);
void fsn_capture_free(FsnCapture *capture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnCapture, fsn_capture_free)

/* Reads for up to @timeout_ms. An end of file before the stream is whole, and any byte that
 * does not belong there, is an error. */
bool fsn_capture_step(FsnCapture *capture,
                      int timeout_ms,
                      FsnCaptureEvent *out_event,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* For whoever reads the stream itself, with -1 as the descriptor: the next bytes of it, and its
 * end, after which it is as after FSN_CAPTURE_END. */
bool fsn_capture_push(FsnCapture *capture, const void *data, size_t len, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_capture_push_end(FsnCapture *capture, GError **error) G_GNUC_WARN_UNUSED_RESULT;

FsnCaptureProgress fsn_capture_progress(FsnCapture *capture);

/* Bytes that the repository has taken for it so far; exact after a settle. */
uint64_t fsn_capture_bytes_stored(FsnCapture *capture);

/* All RAM that has arrived becomes durable; the commit then pays only for what follows. */
bool fsn_capture_settle(FsnCapture *capture, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Names of the objects that hold what the stream has besides RAM. */
typedef struct {
    char *head;         /* QEMU's magic, version and configuration */
    char *device_state; /* sections after RAM, without the final EOF byte */
    char *description;  /* QEMU's JSON; NULL = none */
} FsnCaptureObjects;

void fsn_capture_objects_clear(FsnCaptureObjects *objects);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnCaptureObjects, fsn_capture_objects_clear)

/* After FSN_CAPTURE_END: the RAM image and the objects are durable. The caller clears
 * *@out_objects. */
bool fsn_capture_commit(FsnCapture *capture,
                        FsnImageStats *out_stats,
                        FsnCaptureObjects *out_objects,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Readable when the stream goes on; borrowed. */
int fsn_capture_fd(FsnCapture *capture);

/* Valid once the layout is known, else NULL; borrowed. */
const FsnRamLayout *fsn_capture_layout(FsnCapture *capture);
/* Machine type named by the stream; valid with the layout; borrowed. */
const char *fsn_capture_machine(FsnCapture *capture);

G_END_DECLS
