/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections: accepted here, so that there are never more than so many, that each has a limited
 * time for a request, and that it is known who is at the other end; then handed to libsoup. Of
 * too many the one that has been idle for longest has to go, so that idle ones keep nobody out.
 */
#include "config.h"

#include "api/private.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <gio/gunixsocketaddress.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEER         "fsn-api-peer"
#define BACKLOG      128
#define SWEEP_MS     500
/* A reply that nobody reads for so many times the limit of a request. */
#define WRITE_FACTOR 2

struct FsnApiConnections {
    FsnApi *api;
    GSocketService *local, *remote; /* NULL: not there */
    GTlsCertificate *certificate;
    GPtrArray *peers; /* FsnApiPeer */
    GSource *sweep;
    GCancellable *cancellable;
    unsigned port;
    bool owns_socket; /* the file is ours */
};

static void
peer_clear(gpointer data)
{
    FsnApiPeer *peer = data;

    g_object_unref(peer->stream);
    g_object_unref(peer->socket);
    fsn_principal_clear(&peer->whose);
}

void
fsn_api_peer_unref(FsnApiPeer *peer)
{
    g_rc_box_release_full(peer, peer_clear);
}

FsnApiConnections *
fsn_api_connections_new(FsnApi *api)
{
    FsnApiConnections *connections = g_new0(FsnApiConnections, 1);

    connections->api = api;
    connections->peers =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_api_peer_unref);
    connections->cancellable = g_cancellable_new();
    return connections;
}

/* Without a word: libsoup sees the end of the stream and does the rest. */
void
fsn_api_peer_cut(FsnApiPeer *peer)
{
    peer->cut = true;
    (void)g_socket_shutdown(peer->socket, TRUE, TRUE,
                            NULL); /* it may have gone already */
}

guint
fsn_api_connections_count(const FsnApiConnections *connections)
{
    return connections->peers->len;
}

unsigned
fsn_api_connections_port(const FsnApiConnections *connections)
{
    return connections->port;
}

FsnApiPeer *
fsn_api_peer_of(SoupServerMessage *message)
{
    GSocketAddress *address = soup_server_message_get_remote_address(message);

    return address ? g_object_get_data(G_OBJECT(address), PEER) : NULL;
}

static void
forget_closed(FsnApiConnections *connections)
{
    for (guint i = connections->peers->len; i > 0; i--) {
        FsnApiPeer *peer = connections->peers->pdata[i - 1];

        /* One that is busy is referred to by a request, which ends first. */
        if (!peer->busy && g_io_stream_is_closed(peer->stream)) {
            g_ptr_array_remove_index_fast(connections->peers, i - 1);
        }
    }
}

static gboolean
sweep(gpointer data)
{
    FsnApiConnections *connections = data;
    int64_t now_us = fsn_monotonic_us();
    int64_t limit_us = (int64_t)connections->api->request_s * G_USEC_PER_SEC;

    forget_closed(connections);
    for (guint i = 0; i < connections->peers->len; i++) {
        FsnApiPeer *peer = connections->peers->pdata[i];
        int64_t age_us = now_us - peer->since_us;
        int64_t work_us = (int64_t)connections->api->work_s * G_USEC_PER_SEC;

        if (!peer->streams &&
            age_us > (peer->busy ? work_us + WRITE_FACTOR * limit_us : limit_us)) {
            fsn_api_peer_cut(peer);
        }
    }
    return G_SOURCE_CONTINUE;
}

/* True if there is room for one more. Those that were cut count no longer: libsoup closes them
 * as soon as it looks. */
static bool
make_room(FsnApiConnections *connections)
{
    FsnApiPeer *oldest = NULL;
    guint n = 0;

    forget_closed(connections);
    for (guint i = 0; i < connections->peers->len; i++) {
        FsnApiPeer *peer = connections->peers->pdata[i];

        n += !peer->cut;
        if (!peer->busy && !peer->cut && (!oldest || peer->since_us < oldest->since_us)) {
            oldest = peer;
        }
    }
    if (n < connections->api->max_connections) {
        return true;
    }
    if (oldest) {
        fsn_api_peer_cut(oldest);
    }
    return oldest != NULL;
}

/* Every connection has an address of its own, by which its requests find it. */
static void
hand_over(FsnApiConnections *connections, FsnApiPeer *peer)
{
    g_autoptr(GSocketAddress) address =
        g_inet_socket_address_new_from_string("127.0.0.1", 0);
    g_autoptr(GError) error = NULL;

    g_object_set_data_full(G_OBJECT(address), PEER, g_rc_box_acquire(peer),
                           (GDestroyNotify)fsn_api_peer_unref);
    if (!soup_server_accept_iostream(connections->api->soup, peer->stream, address,
                                     address, &error)) {
        g_debug("a connection is not accepted: %s", error->message);
        fsn_api_peer_cut(peer);
    }
}

static FsnApiPeer *
add_peer(FsnApiConnections *connections, GIOStream *stream, GSocket *socket, bool local)
{
    FsnApiPeer *peer = g_rc_box_new0(FsnApiPeer);

    peer->stream = g_object_ref(stream);
    peer->socket = g_object_ref(socket);
    peer->local = local;
    peer->since_us = fsn_monotonic_us();
    g_ptr_array_add(connections->peers, peer);
    return peer;
}

static gboolean
on_local(GSocketService *service,
         GSocketConnection *connection,
         GObject *source,
         gpointer data)
{
    FsnApiConnections *connections = data;
    GSocket *socket = g_socket_connection_get_socket(connection);
    FsnApiPeer *peer;

    if (make_room(connections)) {
        peer = add_peer(connections, G_IO_STREAM(connection), socket, true);
        fsn_api_identify_peer(connections->api, socket, &peer->whose);
        hand_over(connections, peer);
    }
    return TRUE;
}

static void
on_handshake(GObject *object, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    bool ok = g_tls_connection_handshake_finish(G_TLS_CONNECTION(object), result, &error);
    FsnApiConnections *connections = data;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return; /* the connections are gone */
    }
    for (guint i = 0; i < connections->peers->len; i++) {
        FsnApiPeer *peer = connections->peers->pdata[i];

        if ((gpointer)peer->stream != (gpointer)object) {
            continue;
        }
        if (ok) {
            hand_over(connections, peer);
        } else {
            g_debug("no TLS with somebody: %s", error->message);
            fsn_api_peer_cut(peer);
            (void)g_io_stream_close(peer->stream, NULL, NULL); /* nothing was sent */
        }
        return;
    }
}

static gboolean
on_remote(GSocketService *service,
          GSocketConnection *connection,
          GObject *source,
          gpointer data)
{
    FsnApiConnections *connections = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GIOStream) tls = NULL;

    if (!make_room(connections)) {
        return TRUE;
    }
    tls = g_tls_server_connection_new(G_IO_STREAM(connection), connections->certificate,
                                      &error);
    if (!tls) {
        g_message("no TLS: %s", error->message);
        return TRUE;
    }
    (void)add_peer(connections, tls, g_socket_connection_get_socket(connection), false);
    g_tls_connection_handshake_async(G_TLS_CONNECTION(tls), G_PRIORITY_DEFAULT,
                                     connections->cancellable, on_handshake, connections);
    return TRUE;
}

/* Whether somebody listens there; what nobody listens on is removed. */
static bool
clear_socket(const char *path, GError **error)
{
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketConnection) other = NULL;
    struct stat st;

    if (lstat(path, &st) != 0) {
        return errno == ENOENT || fsn_set_errno(error, errno, "cannot use '%s'", path);
    }
    if (!S_ISSOCK(st.st_mode)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_EXISTS, "'%s' is there and no socket",
                    path);
        return false;
    }
    other = g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, NULL);
    if (other) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                    "somebody listens on '%s': does another foresnapd run?", path);
        return false;
    }
    return unlink(path) == 0 || fsn_set_errno(error, errno, "cannot remove '%s'", path);
}

static bool
listen_local(FsnApiConnections *connections, GError **error)
{
    const char *path = connections->api->socket_path;
    g_autoptr(GSocketAddress) address = NULL;

    if (strlen(path) >= 108) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%s' is too long for the name of a socket", path);
        return false;
    }
    if (!clear_socket(path, error)) {
        return false;
    }
    address = g_unix_socket_address_new(path);
    connections->local = g_socket_service_new();
    g_socket_listener_set_backlog(G_SOCKET_LISTENER(connections->local), BACKLOG);
    if (!g_socket_listener_add_address(G_SOCKET_LISTENER(connections->local), address,
                                       G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT,
                                       NULL, NULL, error)) {
        g_prefix_error(error, "cannot listen on '%s': ", path);
        return false;
    }
    connections->owns_socket = true;
    if (chmod(path, connections->api->socket_mode) != 0) {
        return fsn_set_errno(error, errno, "cannot change the mode of '%s'", path);
    }
    g_signal_connect(connections->local, "incoming", G_CALLBACK(on_local), connections);
    return true;
}

static GInetSocketAddress *
parse_address(const char *text, GError **error)
{
    const char *colon = strrchr(text, ':');
    g_autofree char *host = colon ? g_strndup(text, (size_t)(colon - text)) : NULL;
    GSocketAddress *address;
    guint64 port;

    if (host && *host == '[' && g_str_has_suffix(host, "]")) {
        char *inner = g_strndup(host + 1, strlen(host) - 2);

        g_free(host);
        host = inner;
    }
    if (!host || !g_ascii_string_to_unsigned(colon + 1, 10, 0, 65535, &port, NULL) ||
        !(address = g_inet_socket_address_new_from_string(host, (guint)port))) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%s' is no address like 127.0.0.1:8443 or [::1]:8443", text);
        return NULL;
    }
    return G_INET_SOCKET_ADDRESS(address);
}

static bool
listen_remote(FsnApiConnections *connections, GError **error)
{
    FsnApi *api = connections->api;
    g_autoptr(GInetSocketAddress) address = parse_address(api->tcp_address, error);
    g_autoptr(GSocketAddress) bound = NULL;

    if (!address) {
        return false;
    }
    connections->certificate =
        g_tls_certificate_new_from_files(api->tls_certificate, api->tls_key, error);
    if (!connections->certificate) {
        g_prefix_error(error, "cannot use the certificate: ");
        return false;
    }
    connections->remote = g_socket_service_new();
    g_socket_listener_set_backlog(G_SOCKET_LISTENER(connections->remote), BACKLOG);
    if (!g_socket_listener_add_address(G_SOCKET_LISTENER(connections->remote),
                                       G_SOCKET_ADDRESS(address), G_SOCKET_TYPE_STREAM,
                                       G_SOCKET_PROTOCOL_DEFAULT, NULL, &bound, error)) {
        g_prefix_error(error, "cannot listen on %s: ", api->tcp_address);
        return false;
    }
    connections->port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
    g_signal_connect(connections->remote, "incoming", G_CALLBACK(on_remote), connections);
    return true;
}

bool
fsn_api_connections_listen(FsnApiConnections *connections, GError **error)
{
    if ((connections->api->socket_path && !listen_local(connections, error)) ||
        (connections->api->tcp_address && !listen_remote(connections, error))) {
        return false;
    }
    connections->sweep = g_timeout_source_new(SWEEP_MS);
    g_source_set_callback(connections->sweep, sweep, connections, NULL);
    g_source_attach(connections->sweep, connections->api->context);
    return true;
}

static void
stop_service(GSocketService *service, gpointer data)
{
    if (service) {
        g_signal_handlers_disconnect_by_data(service, data);
        g_socket_service_stop(service);
        g_socket_listener_close(G_SOCKET_LISTENER(service));
        g_object_unref(service);
    }
}

void
fsn_api_connections_free(FsnApiConnections *connections)
{
    if (!connections) {
        return;
    }
    g_cancellable_cancel(connections->cancellable);
    stop_service(connections->local, connections);
    stop_service(connections->remote, connections);
    if (connections->owns_socket) {
        (void)unlink(connections->api->socket_path); /* it may have gone */
    }
    if (connections->sweep) {
        g_source_destroy(connections->sweep);
        g_source_unref(connections->sweep);
    }
    g_ptr_array_unref(connections->peers);
    g_clear_object(&connections->certificate);
    g_object_unref(connections->cancellable);
    g_free(connections);
}
