/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/session.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * Steering of QEMU's side of an outgoing migration into a socket of ours. All settings that
 * it changes are put back by fsn_outgoing_restore(), on every path.
 */
typedef struct FsnOutgoing FsnOutgoing;

/* @qmp is borrowed. Reads the present parameters and capabilities. */
FsnOutgoing *fsn_outgoing_new(FsnQmp *qmp, GError **error);
void fsn_outgoing_free(FsnOutgoing *outgoing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnOutgoing, fsn_outgoing_free)

/* Clears every capability that changes the stream, sets full bandwidth and starts the
 * migration into a new socket; *@out_fd is our end and belongs to the caller. With @to_hold
 * QEMU comes to no end by itself while more than a few hundred pages are unsent. */
bool fsn_outgoing_start(FsnOutgoing *outgoing, bool to_hold, int *out_fd, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same for a background snapshot, in two steps: all that can be done while the guest runs,
 * and the beginning itself. QEMU saves the device state, lets the guest run, also one that
 * did not (before QEMU 8), and sends the memory as it was. FSN_ERROR_UNSUPPORTED where
 * QEMU may not write-protect memory. */
bool fsn_outgoing_prepare_background(FsnOutgoing *outgoing, int qemu_end, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The two ends of the socket for it, ours first; both belong to the caller. QEMU 7.2 leaves the
 * guest's memory write-protected for ever, and so the guest standing, when a background
 * snapshot is cancelled or its stream breaks off: somebody has to read it to the end. */
bool fsn_outgoing_socket(int out_ends[2], GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Reads @fd, to which nobody else listens any more, until the background snapshot, if there
 * is one, has ended. */
bool fsn_outgoing_drain(FsnQmp *qmp, int fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Waits until it has ended, read by somebody else. */
bool fsn_outgoing_await_end(FsnQmp *qmp, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Asks QEMU whether it could; changes nothing. */
bool fsn_outgoing_probe_background(FsnQmp *qmp, bool *out_can, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_outgoing_start_background(FsnOutgoing *outgoing, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Hold: QEMU sends about ten pages a second and the guest runs on. @downtime_ms is what the
 * guest may be stopped for when released: QEMU then stops it by itself at convergence. */
bool fsn_outgoing_hold(FsnOutgoing *outgoing, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_outgoing_release(FsnOutgoing *outgoing, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* After the end of the stream: waits until QEMU itself calls the migration completed and
 * tells for how long the guest had been stopped then. */
bool fsn_outgoing_finish(FsnOutgoing *outgoing, int64_t *out_downtime_us, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Ends a migration that is under way, if any, and waits until it has ended. */
bool fsn_outgoing_cancel(FsnOutgoing *outgoing, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts the parameters back. Errors are those of a domain that has gone, and are dropped. */
void fsn_outgoing_restore(FsnOutgoing *outgoing);

/* The settings as they were found, for whoever has to put them back in our place; the
 * capabilities are the names of those that were on, NULL if none was. The caller frees. */
void fsn_outgoing_saved(FsnOutgoing *outgoing,
                        int64_t *out_max_bandwidth,
                        int64_t *out_downtime_limit_ms,
                        char ***out_capabilities);
/* Puts them back without an outgoing migration at hand; -1 leaves one as it is, and NULL all
 * capabilities; with @background that of a background snapshot is cleared. */
bool fsn_outgoing_put_back(FsnQmp *qmp,
                           int64_t max_bandwidth,
                           int64_t downtime_limit_ms,
                           char *const *capabilities,
                           bool background,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
