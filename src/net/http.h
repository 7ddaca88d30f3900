/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stddef.h>

G_BEGIN_DECLS

/* Fetching one document by HTTP. */

typedef struct {
    size_t max_bytes;          /* a longer document is an error */
    unsigned timeout_s;        /* for all of it */
    const char *etag;          /* validators of a copy that is there, or NULL */
    const char *last_modified; /* as the server gave it, or NULL */
    GCancellable *cancellable; /* or NULL */
} FsnHttpRequest;

typedef struct {
    bool not_modified; /* the copy is still good; @body is NULL */
    GBytes *body;
    char *etag; /* validators of this document, or NULL */
    char *last_modified;
} FsnHttpReply;

void fsn_http_reply_clear(FsnHttpReply *reply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnHttpReply, fsn_http_reply_clear)

bool fsn_http_is_url(const char *text);

/* Fetches @url, which begins with http:// or https://; nothing else is spoken, also after
 * redirections, of which five are followed, and never from https to http. Certificates are verified. Any
 * status but 200 and 304 is an error. FSN_ERROR_TIMEOUT, NOT_FOUND (404, 410), FORMAT (too
 * long), USAGE (no such URL), CANCELLED, FAILED; messages name the URL without a password. */
bool fsn_http_get(const char *url,
                  const FsnHttpRequest *request,
                  FsnHttpReply *out_reply,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* @url without user and password; the caller frees. */
char *fsn_http_shown(const char *url);

/* "name=value" with @value escaped for a query; the caller frees. */
char *fsn_http_parameter(const char *name, const char *value);

G_END_DECLS
