/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a request goes through: its headers are judged before its body is read, then it is found
 * who asks, whether he may, and which handler answers. Every way ends in one reply, and every
 * refusal is a JSON document.
 */
#include "config.h"

#include "api/request.h"

#include "base/clock.h"
#include "base/json.h"

#include <string.h>

/* Of a body that was refused so much is still read and thrown away, for the reply to be seen. */
#define DISCARD_MAX (8 * FSN_API_MAX_BODY)
#define REFUSAL     "fsn-api-refusal"
#define RECEIVED    "fsn-api-received"

static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static void
set_headers(SoupServerMessage *message)
{
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);

    soup_message_headers_replace(headers, "X-Content-Type-Options", "nosniff");
    soup_message_headers_replace(headers, "Referrer-Policy", "no-referrer");
    soup_message_headers_replace(headers, "Cross-Origin-Resource-Policy", "same-origin");
    soup_message_headers_replace(headers, "Content-Security-Policy", policy);
    if (!soup_message_headers_get_one(headers, "Cache-Control")) {
        soup_message_headers_replace(headers, "Cache-Control", "no-store");
    }
}

static void
request_free(FsnApiRequest *request)
{
    if (request->data_free) {
        request->data_free(request->data);
    }
    for (size_t i = 0; i < FSN_API_PARAMETERS; i++) {
        g_free(request->parameters[i]);
    }
    g_signal_handlers_disconnect_by_data(request->message, request);
    g_object_unref(request->message);
    fsn_principal_clear(&request->principal);
    g_clear_pointer(&request->query, g_hash_table_unref);
    g_clear_pointer(&request->body, json_object_unref);
    fsn_api_peer_unref(request->peer);
    g_free(request);
}

void
fsn_api_set_header(FsnApiRequest *request, const char *name, const char *value)
{
    soup_message_headers_replace(
        soup_server_message_get_response_headers(request->message), name, value);
}

const char *
fsn_api_query(FsnApiRequest *request, const char *name)
{
    return request->query ? g_hash_table_lookup(request->query, name) : NULL;
}

bool
fsn_api_query_number(FsnApiRequest *request,
                     const char *name,
                     double min,
                     double max,
                     double fallback,
                     double *out_value)
{
    const char *text = fsn_api_query(request, name);
    char *end;

    if (!text) {
        *out_value = fallback;
        return true;
    }
    *out_value = g_ascii_strtod(text, &end);
    if (end != text && *end == '\0' && *out_value >= min && *out_value <= max) {
        return true;
    }
    fsn_api_reply_error(request, SOUP_STATUS_BAD_REQUEST, "usage",
                        "'%s' must be a number from %g to %g", name, min, max);
    return false;
}

/* Hands the reply over to libsoup, unless nobody waits for it. */
static void
finish(FsnApiRequest *request, guint status)
{
    FsnApi *api = request->api;

    if (!request->gone) {
        api->replies[MIN(status / 100, 5)]++;
        set_headers(request->message);
        soup_server_message_set_status(request->message, status, NULL);
        soup_server_message_unpause(request->message);
    }
    request_free(request);
}

void
fsn_api_reply_bytes(FsnApiRequest *request, guint status, const char *type, GBytes *bytes)
{
    SoupMessageHeaders *headers =
        soup_server_message_get_response_headers(request->message);

    soup_message_headers_set_content_type(headers, type, NULL);
    soup_message_body_append_bytes(
        soup_server_message_get_response_body(request->message), bytes);
    finish(request, status);
}

void
fsn_api_reply_json(FsnApiRequest *request, guint status, JsonObject *document)
{
    char *text = fsn_json_to_text(document, false);
    g_autoptr(GBytes) bytes = g_bytes_new_take(text, strlen(text));

    fsn_api_reply_bytes(request, status, "application/json", bytes);
}

void
fsn_api_reply_empty(FsnApiRequest *request, guint status)
{
    finish(request, status);
}

static GBytes *
error_bytes(const char *code, const char *message)
{
    g_autoptr(JsonObject) document = json_object_new();
    JsonObject *error = json_object_new();
    char *text;

    json_object_set_string_member(error, "code", code);
    json_object_set_string_member(error, "message", message);
    json_object_set_object_member(document, "error", error);
    text = fsn_json_to_text(document, false);
    return g_bytes_new_take(text, strlen(text));
}

void
fsn_api_reply_error(
    FsnApiRequest *request, guint status, const char *code, const char *format, ...)
{
    g_autofree char *message = NULL;
    g_autoptr(GBytes) bytes = NULL;
    va_list ap;

    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    bytes = error_bytes(code, message);
    if (status == SOUP_STATUS_SERVICE_UNAVAILABLE) {
        fsn_api_set_header(request, "Retry-After", "2");
    }
    fsn_api_reply_bytes(request, status, "application/json", bytes);
}

void
fsn_api_reply_gerror(FsnApiRequest *request, GError *error)
{
    g_autoptr(GError) owned = error;

    fsn_api_reply_error(request, fsn_api_status_of(owned), fsn_api_code_of(owned), "%s",
                        owned->message);
}

/* A reply without a request: what was refused before there was one. */
static void
reply_refusal(FsnApi *api, SoupServerMessage *message, const FsnApiRefusal *refusal)
{
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
    g_autoptr(GBytes) bytes = error_bytes(refusal->code, refusal->message);

    api->replies[MIN(refusal->status / 100, 5)]++;
    set_headers(message);
    if (refusal->status == SOUP_STATUS_UNAUTHORIZED) {
        soup_message_headers_replace(headers, "WWW-Authenticate", "Bearer");
    }
    /* Whatever else is on its way is not to be taken for a request. */
    soup_message_headers_replace(headers, "Connection", "close");
    soup_message_headers_set_content_type(headers, "application/json", NULL);
    soup_message_body_append_bytes(soup_server_message_get_response_body(message), bytes);
    soup_server_message_set_status(message, refusal->status, NULL);
}

static void
on_gone(SoupServerMessage *message, gpointer data)
{
    ((FsnApiRequest *)data)->gone = true;
}

/* Set for the time from a whole request to the end of its reply. */
static void
on_finished(SoupServerMessage *message, gpointer data)
{
    FsnApiPeer *peer = data;

    peer->busy = false;
    peer->streams = false;
    peer->since_us = fsn_monotonic_us();
}

static void
release_peer(gpointer data, GClosure *closure)
{
    fsn_api_peer_unref(data);
}

static bool
refuse(FsnApiRefusal *refusal, guint status, const char *code, const char *message)
{
    refusal->status = status;
    refusal->code = code;
    refusal->message = g_strdup(message);
    return false;
}

static bool
find_route(FsnApiRequest *request, FsnApiRefusal *refusal)
{
    const char *method = soup_server_message_get_method(request->message);
    const char *path = g_uri_get_path(soup_server_message_get_uri(request->message));
    size_t n;
    const FsnApiRoute *routes = fsn_api_routes(&n);
    g_autofree char *methods = NULL;

    method = strcmp(method, "HEAD") == 0 ? "GET" : method;
    switch (fsn_api_route_find(routes, n, method, path, &request->route,
                               request->parameters)) {
    case FSN_ROUTE_FOUND:
        return true;
    case FSN_ROUTE_NO_METHOD:
        methods = fsn_api_route_methods(routes, n, path);
        soup_message_headers_replace(
            soup_server_message_get_response_headers(request->message), "Allow", methods);
        return refuse(refusal, SOUP_STATUS_METHOD_NOT_ALLOWED, "usage",
                      "this cannot be done with that");
    case FSN_ROUTE_NO_PATH:
        break;
    }
    return refuse(refusal, SOUP_STATUS_NOT_FOUND, "not-found", "there is no such thing");
}

static bool
check_scope(FsnApiRequest *request, FsnApiRefusal *refusal)
{
    const FsnPrincipal *principal = &request->principal;

    if (request->route->flags & FSN_ROUTE_OPEN ||
        principal->scope >= request->route->scope) {
        return true;
    }
    if (!principal->name) {
        return refuse(refusal, SOUP_STATUS_UNAUTHORIZED, "usage", "a token is needed");
    }
    refusal->status = SOUP_STATUS_FORBIDDEN;
    refusal->code = "usage";
    refusal->message =
        g_strdup_printf("'%s' may not do this: it takes the scope '%s'", principal->name,
                        fsn_scope_name(request->route->scope));
    return false;
}

static bool
parse_body(FsnApiRequest *request, FsnApiRefusal *refusal)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;

    if (!(request->route->flags & FSN_ROUTE_BODY)) {
        return true;
    }
    bytes =
        soup_message_body_flatten(soup_server_message_get_request_body(request->message));
    if (fsn_json_parse_object(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                              (size_t)FSN_API_MAX_BODY, "the body", &request->body,
                              &error)) {
        return true;
    }
    return refuse(refusal, SOUP_STATUS_BAD_REQUEST, "format", error->message);
}

/* The page itself: it has no secrets, and asks the API as whoever looks at it. */
static bool
serve_static(FsnApi *api, SoupServerMessage *message)
{
    const char *method = soup_server_message_get_method(message);
    const char *path = g_uri_get_path(soup_server_message_get_uri(message));
    g_autoptr(GBytes) bytes = NULL;
    const char *type;

    if ((strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) ||
        !fsn_api_static(path, &bytes, &type)) {
        return false;
    }
    api->replies[2]++;
    soup_message_headers_replace(soup_server_message_get_response_headers(message),
                                 "Cache-Control", "no-cache");
    set_headers(message);
    soup_message_headers_set_content_type(
        soup_server_message_get_response_headers(message), type, NULL);
    soup_message_body_append_bytes(soup_server_message_get_response_body(message), bytes);
    soup_server_message_set_status(message, SOUP_STATUS_OK, NULL);
    return true;
}

/* The whole request is there. */
static void
on_request(SoupServer *server,
           SoupServerMessage *message,
           const char *path,
           GHashTable *query,
           gpointer data)
{
    FsnApi *api = data;
    FsnApiPeer *peer = fsn_api_peer_of(message);
    FsnApiRequest *request;
    FsnApiRefusal refusal = { 0 };

    if (!peer || serve_static(api, message)) {
        return;
    }
    request = g_new0(FsnApiRequest, 1);
    request->api = api;
    request->message = g_object_ref(message);
    request->peer = g_rc_box_acquire(peer);
    request->query = query ? g_hash_table_ref(query) : NULL;
    if (!fsn_api_identify(api, peer, message, &request->principal, &refusal) ||
        !find_route(request, &refusal) || !check_scope(request, &refusal) ||
        !parse_body(request, &refusal)) {
        reply_refusal(api, message, &refusal);
        fsn_api_refusal_clear(&refusal);
        request_free(request);
        return;
    }
    peer->busy = true;
    peer->since_us = fsn_monotonic_us();
    g_signal_connect_data(message, "finished", G_CALLBACK(on_finished),
                          g_rc_box_acquire(peer), release_peer, 0);
    g_signal_connect(message, "finished", G_CALLBACK(on_gone), request);
    soup_server_message_pause(message);
    request->route->handler(request);
}

static void
on_chunk(SoupServerMessage *message, GBytes *chunk, gpointer data)
{
    FsnApiPeer *peer = fsn_api_peer_of(message);
    goffset *received = g_object_get_data(G_OBJECT(message), RECEIVED);
    bool refused = soup_server_message_get_status(message) != 0;

    *received += (goffset)g_bytes_get_size(chunk);
    if (peer && *received > (refused ? DISCARD_MAX : FSN_API_MAX_BODY)) {
        fsn_api_peer_cut(peer);
    }
}

/* Only the headers are there. */
static void
on_headers(SoupServer *server,
           SoupServerMessage *message,
           const char *path,
           GHashTable *query,
           gpointer data)
{
    FsnApi *api = data;
    FsnApiPeer *peer = fsn_api_peer_of(message);
    FsnApiRefusal refusal = { 0 };

    if (!peer) {
        return;
    }
    g_object_set_data_full(G_OBJECT(message), RECEIVED, g_new0(goffset, 1), g_free);
    g_signal_connect(message, "got-chunk", G_CALLBACK(on_chunk), api);
    if (!fsn_api_guard(message, peer->local, &refusal)) {
        soup_message_body_set_accumulate(soup_server_message_get_request_body(message),
                                         FALSE);
        reply_refusal(api, message, &refusal);
        fsn_api_refusal_clear(&refusal);
    }
}

void
fsn_api_attach_requests(FsnApi *api)
{
    soup_server_add_early_handler(api->soup, NULL, on_headers, api, NULL);
    soup_server_add_handler(api->soup, NULL, on_request, api, NULL);
}

void
fsn_api_detach_requests(FsnApi *api)
{
    soup_server_remove_handler(api->soup, NULL);
}

void
fsn_api_reply_document(FsnApiRequest *request, JsonObject *document, GError *error)
{
    g_autoptr(JsonObject) owned = document;

    if (error) {
        fsn_api_reply_gerror(request, error);
    } else {
        fsn_api_reply_json(request, SOUP_STATUS_OK, owned);
    }
}
