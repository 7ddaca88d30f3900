/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/transport.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Events kept for fsn_qmp_socket_wait_event(); of more the oldest are dropped. */
#define FSN_QMP_MAX_EVENTS 1024

/* Connects to QEMU's QMP server socket @path, reads the greeting and leaves the negotiation
 * mode, all within @timeout_us. QEMU serves one client at a time: while there is another,
 * this ends with FSN_ERROR_TIMEOUT. Other errors: FSN_ERROR_NOT_FOUND (no such socket),
 * FSN_ERROR_STATE (nobody listens, or QEMU went away), FSN_ERROR_FORMAT (not QMP). */
bool fsn_qmp_socket_connect(const char *path,
                            int64_t timeout_us,
                            FsnQmpTransport **out_transport,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same on stream socket @fd, already connected. Takes ownership of @fd, also on failure. */
bool fsn_qmp_socket_new(int fd,
                        int64_t timeout_us,
                        FsnQmpTransport **out_transport,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns and forgets the oldest event called @name (any if NULL) that has arrived, waiting up
 * to @timeout_us for one; 0 asks only what is there. Events of other names are kept. The
 * caller unrefs *@out_event, which has "event", "timestamp" and often "data".
 * @transport is one from this header. Errors as for execute. */
bool fsn_qmp_socket_wait_event(FsnQmpTransport *transport,
                               const char *name,
                               int64_t timeout_us,
                               JsonObject **out_event,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
