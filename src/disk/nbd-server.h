/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* An nbdkit that serves one disk of a snapshot on a Unix socket, read-only: a child of this
 * process that ends with it, whatever ends it. One thread owns it. */
typedef struct FsnNbdServer FsnNbdServer;

typedef struct {
    const char *plugin; /* path of nbdkit-foresnap-plugin.so, with a slash in it */
    const char *repo;
    const char *snapshot;
    const char *target;
    const char *socket; /* absolute; made with mode 0600 */
    int record;         /* above 0: reads are written to it: nbdplugin/plugin.c */
    int listener;       /* above 0: this one is served instead; it stays the caller's */
} FsnNbdServerOptions;

/* Makes the listening socket @path, as the next function does; *@out_listener is the
 * caller's to close, and the path to remove. A server that is started on it again is the
 * same to its clients, who wait in between. */
bool fsn_nbd_listen(const char *path, int *out_listener, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Returns when it can be read from. A socket that nobody listens on is replaced; one that is
 * in use is FSN_ERROR_BUSY, any other file FSN_ERROR_EXISTS. What nbdkit says goes to this
 * process's standard error. */
FsnNbdServer *fsn_nbd_server_start(const FsnNbdServerOptions *options, GError **error);

/* Waits until @cancellable is cancelled, which is true, or the server has ended by itself. */
bool fsn_nbd_server_wait(FsnNbdServer *server, GCancellable *cancellable, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Ends it, with clients attached after 3 s, and removes the socket. */
void fsn_nbd_server_free(FsnNbdServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnNbdServer, fsn_nbd_server_free)

/* The URI of @socket for qemu-img, nbdcopy and others; the caller frees. */
char *fsn_nbd_uri(const char *socket);

G_END_DECLS
