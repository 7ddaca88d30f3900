/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* QEMU's socket code takes at most this many descriptors with one command. */
#define FSN_QMP_MAX_FDS 16

/* How commands reach a QEMU: a socket of our own (qmp/socket-transport.h), or libvirt's
 * monitor passthrough. One thread uses a transport at a time. */
typedef struct FsnQmpTransport FsnQmpTransport;

typedef struct {
    /* Sends @command, the text of one JSON object that begins with {" and has neither "id"
     * nor newline, with @n_fds descriptors that stay the caller's, and returns the text of
     * the whole reply object ("return" or "error"), which the caller frees. The call lasts
     * @timeout_us microseconds at most. Errors: FSN_ERROR_TIMEOUT (the command may still be
     * carried out later), FSN_ERROR_STATE (QEMU is gone), FSN_ERROR_FORMAT (not QMP). An
     * "error" reply is no error here: the session judges replies. */
    bool (*execute)(FsnQmpTransport *transport,
                    const char *command,
                    const int *fds,
                    size_t n_fds,
                    int64_t timeout_us,
                    char **out_reply,
                    GError **error);

    /* Ends the connection and frees @transport, which is not NULL. */
    void (*free)(FsnQmpTransport *transport);
} FsnQmpTransportOps;

/* First member of every implementation. */
struct FsnQmpTransport {
    const FsnQmpTransportOps *ops;
};

static inline void
fsn_qmp_transport_free(FsnQmpTransport *transport)
{
    if (transport) {
        transport->ops->free(transport);
    }
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnQmpTransport, fsn_qmp_transport_free)

G_END_DECLS
