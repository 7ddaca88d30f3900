/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is refused before its body is read: requests that are too large, that a page of somebody
 * else's has made a browser send, or that come to a name which is not ours (DNS rebinding).
 */
#include "config.h"

#include "api/private.h"

#include <string.h>

void
fsn_api_refusal_clear(FsnApiRefusal *refusal)
{
    g_clear_pointer(&refusal->message, g_free);
}

static bool
refuse(FsnApiRefusal *out, guint status, const char *code, const char *message)
{
    out->status = status;
    out->code = code;
    out->message = g_strdup(message);
    return false;
}

/* Name and port of "name:port", "[::1]:port" or "name". */
static char *
host_name(const char *host)
{
    const char *colon = strrchr(host, ':');
    const char *bracket = strrchr(host, ']');
    char *name = colon && (!bracket || bracket < colon)
                     ? g_strndup(host, (size_t)(colon - host))
                     : g_strdup(host);
    char *lower = g_ascii_strdown(name, -1);

    g_free(name);
    return lower;
}

/* The names by which a Unix socket is asked: those of this host itself, which no name server
 * can give to another one. */
static bool
is_local_name(const char *host)
{
    static const char *const names[] = { "",      "localhost", "127.0.0.1",
                                         "[::1]", "foresnap",  NULL };
    g_autofree char *name = host_name(host);

    return g_strv_contains(names, name);
}

static bool
check_sizes(SoupServerMessage *message, FsnApiRefusal *out)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    const char *path = g_uri_get_path(soup_server_message_get_uri(message));
    SoupMessageHeadersIter iter;
    const char *name, *value;
    unsigned n = 0;

    if (strlen(path) > FSN_API_MAX_PATH) {
        return refuse(out, SOUP_STATUS_REQUEST_URI_TOO_LONG, "usage",
                      "the path is too long");
    }
    soup_message_headers_iter_init(&iter, headers);
    while (soup_message_headers_iter_next(&iter, &name, &value)) {
        if (++n > FSN_API_MAX_HEADERS || strlen(value) > FSN_API_MAX_HEADER) {
            return refuse(out, 431, "usage", "there are too many or too long headers");
        }
    }
    if (soup_message_headers_get_encoding(headers) == SOUP_ENCODING_CONTENT_LENGTH &&
        soup_message_headers_get_content_length(headers) > FSN_API_MAX_BODY) {
        return refuse(out, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, "usage",
                      "the body is larger than 1 MiB");
    }
    return true;
}

static bool
is_change(const char *method)
{
    return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0;
}

/* Whether the page that asks, if it is a page, is ours. Of a change it is enough that the browser
 * says so: scripts and curl send neither header. */
static bool
check_origin(SoupServerMessage *message, bool local, FsnApiRefusal *out)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    const char *host = soup_message_headers_get_one(headers, "Host");
    const char *origin = soup_message_headers_get_one(headers, "Origin");
    const char *site = soup_message_headers_get_one(headers, "Sec-Fetch-Site");
    g_autofree char *http = g_strconcat("http://", host ? host : "", NULL);
    g_autofree char *https = g_strconcat("https://", host ? host : "", NULL);

    if (local && host && !is_local_name(host)) {
        return refuse(out, 421, "usage",
                      "on the Unix socket the host is called localhost");
    }
    if (origin && g_ascii_strcasecmp(origin, http) != 0 &&
        g_ascii_strcasecmp(origin, https) != 0) {
        return refuse(out, SOUP_STATUS_FORBIDDEN, "usage",
                      "the request comes from a page of another origin");
    }
    if (is_change(soup_server_message_get_method(message)) && site &&
        strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0) {
        return refuse(out, SOUP_STATUS_FORBIDDEN, "usage",
                      "the request comes from a page of another site");
    }
    return true;
}

/* A form of another page cannot send this type without asking first, which is refused. */
static bool
check_type(SoupServerMessage *message, FsnApiRefusal *out)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    const char *method = soup_server_message_get_method(message);
    const char *type = soup_message_headers_get_content_type(headers, NULL);

    if ((strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
         strcmp(method, "PATCH") == 0) &&
        g_strcmp0(type, "application/json") != 0) {
        return refuse(out, SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE, "usage",
                      "the body must be application/json");
    }
    return true;
}

bool
fsn_api_guard(SoupServerMessage *message, bool local, FsnApiRefusal *out_refusal)
{
    return check_sizes(message, out_refusal) &&
           check_origin(message, local, out_refusal) && check_type(message, out_refusal);
}
