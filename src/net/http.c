/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP through libcurl: one document, bounded in time and size. The only user of libcurl. It
 * keeps no cookies, sends no stored passwords and asks for no compression, so that what is
 * counted is what arrives.
 */
#include "config.h"

#include "net/http.h"

#include "base/error.h"

#include <curl/curl.h>
#include <string.h>

#define CONNECT_TIMEOUT_S 10L
#define REDIRECTIONS      5L
#define VALIDATOR_MAX     512

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CURL, curl_easy_cleanup)
typedef struct curl_slist CurlList;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CurlList, curl_slist_free_all)

typedef struct {
    const FsnHttpRequest *request;
    GByteArray *body;
    bool too_long;
    char *etag, *last_modified;
} Transfer;

static void
transfer_clear(Transfer *transfer)
{
    g_clear_pointer(&transfer->body, g_byte_array_unref);
    g_free(transfer->etag);
    g_free(transfer->last_modified);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Transfer, transfer_clear)

void
fsn_http_reply_clear(FsnHttpReply *reply)
{
    g_clear_pointer(&reply->body, g_bytes_unref);
    g_clear_pointer(&reply->etag, g_free);
    g_clear_pointer(&reply->last_modified, g_free);
}

bool
fsn_http_is_url(const char *text)
{
    return g_ascii_strncasecmp(text, "http://", 7) == 0 ||
           g_ascii_strncasecmp(text, "https://", 8) == 0;
}

char *
fsn_http_shown(const char *url)
{
    const char *host = strstr(url, "://");
    size_t authority = host ? strcspn(host + 3, "/?#") : 0;
    const char *at = host ? g_strrstr_len(host + 3, (gssize)authority, "@") : NULL;

    return at ? g_strdup_printf("%.*s%s", (int)(host + 3 - url), url, at + 1)
              : g_strdup(url);
}

char *
fsn_http_parameter(const char *name, const char *value)
{
    g_autofree char *escaped = g_uri_escape_string(value, NULL, FALSE);

    return g_strdup_printf("%s=%s", name, escaped);
}

static size_t
on_body(char *data, size_t size, size_t n, void *opaque)
{
    Transfer *transfer = opaque;
    size_t len = size * n;

    if (len > transfer->request->max_bytes - transfer->body->len) {
        transfer->too_long = true;
        return 0;
    }
    g_byte_array_append(transfer->body, (const guint8 *)data, (guint)len);
    return len;
}

/* The value of header @name if @line is that one; the caller frees. */
static char *
header_value(const char *line, size_t len, const char *name)
{
    size_t begin = strlen(name);

    if (len <= begin || g_ascii_strncasecmp(line, name, begin) != 0 ||
        len - begin > VALIDATOR_MAX) {
        return NULL;
    }
    char *value = g_strstrip(g_strndup(line + begin, len - begin));

    for (const char *p = value; *p; p++) {
        if (!g_ascii_isprint(*p)) {
            g_free(value);
            return NULL;
        }
    }
    return value;
}

static size_t
on_header(char *data, size_t size, size_t n, void *opaque)
{
    Transfer *transfer = opaque;
    g_autofree char *etag = header_value(data, size * n, "etag:");
    g_autofree char *modified = header_value(data, size * n, "last-modified:");

    /* A redirection begins a new set of headers. */
    if (size * n > 5 && g_ascii_strncasecmp(data, "HTTP/", 5) == 0) {
        g_clear_pointer(&transfer->etag, g_free);
        g_clear_pointer(&transfer->last_modified, g_free);
    }
    if (etag) {
        g_free(transfer->etag);
        transfer->etag = g_steal_pointer(&etag);
    }
    if (modified) {
        g_free(transfer->last_modified);
        transfer->last_modified = g_steal_pointer(&modified);
    }
    return size * n;
}

static int
on_progress(void *opaque,
            curl_off_t download_total,
            curl_off_t downloaded,
            curl_off_t upload_total,
            curl_off_t uploaded)
{
    const Transfer *transfer = opaque;

    return transfer->request->cancellable &&
           g_cancellable_is_cancelled(transfer->request->cancellable);
}

static CurlList *
validators(const FsnHttpRequest *request)
{
    CurlList *headers = NULL;

    if (request->etag) {
        g_autofree char *line = g_strdup_printf("If-None-Match: %s", request->etag);

        headers = curl_slist_append(headers, line);
    }
    if (request->last_modified) {
        g_autofree char *line =
            g_strdup_printf("If-Modified-Since: %s", request->last_modified);

        headers = curl_slist_append(headers, line);
    }
    return headers;
}

static void
set_options(CURL *curl, const char *url, Transfer *transfer, CurlList *headers, char *why)
{
    const FsnHttpRequest *request = transfer->request;
    bool secure = g_ascii_strncasecmp(url, "https://", 8) == 0;

    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, REDIRECTIONS);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)request->timeout_s);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
}

static bool
refuse(CURLcode code,
       const Transfer *transfer,
       const char *url,
       const char *why,
       GError **error)
{
    g_autofree char *shown = fsn_http_shown(url);

    if (transfer->too_long) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "'%s' is longer than %zu bytes",
                    shown, transfer->request->max_bytes);
    } else if (code == CURLE_ABORTED_BY_CALLBACK) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_CANCELLED, "'%s': cancelled", shown);
    } else {
        g_set_error(
            error, FSN_ERROR,
            code == CURLE_OPERATION_TIMEDOUT ? FSN_ERROR_TIMEOUT : FSN_ERROR_FAILED,
            "cannot fetch '%s': %s", shown, *why ? why : curl_easy_strerror(code));
    }
    return false;
}

static bool
take_reply(CURL *curl,
           const char *url,
           Transfer *transfer,
           FsnHttpReply *out_reply,
           GError **error)
{
    long status = 0;

    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200 && status != 304) {
        g_autofree char *shown = fsn_http_shown(url);

        g_set_error(error, FSN_ERROR,
                    status == 404 || status == 410 ? FSN_ERROR_NOT_FOUND
                                                   : FSN_ERROR_FAILED,
                    "cannot fetch '%s': the server says %ld", shown, status);
        return false;
    }
    out_reply->not_modified = status == 304;
    out_reply->body = status == 304
                          ? NULL
                          : g_byte_array_free_to_bytes(g_steal_pointer(&transfer->body));
    out_reply->etag = g_steal_pointer(&transfer->etag);
    out_reply->last_modified = g_steal_pointer(&transfer->last_modified);
    return true;
}

bool
fsn_http_get(const char *url,
             const FsnHttpRequest *request,
             FsnHttpReply *out_reply,
             GError **error)
{
    static gsize initialised;
    char why[CURL_ERROR_SIZE] = "";
    g_auto(Transfer) transfer = { .request = request, .body = g_byte_array_new() };

    if (!fsn_http_is_url(url)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%s' begins neither with http:// nor with https://", url);
        return false;
    }
    if (g_once_init_enter(&initialised)) {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        g_once_init_leave(&initialised, 1);
    }
    g_autoptr(CURL) curl = curl_easy_init();
    g_autoptr(CurlList) headers = validators(request);
    if (!curl) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "libcurl does not start");
        return false;
    }
    set_options(curl, url, &transfer, headers, why);
    CURLcode code = curl_easy_perform(curl);

    return code == CURLE_OK ? take_reply(curl, url, &transfer, out_reply, error)
                            : refuse(code, &transfer, url, why, error);
}
