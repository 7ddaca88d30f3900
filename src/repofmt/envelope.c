/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Envelopes of small values: a first line that says what it is, a last line that proves it
 * is whole. What is inside is the caller's business.
 */
#include "config.h"

#include "repofmt/envelope.h"

#include "base/error.h"
#include "base/hash.h"
#include "repofmt/header.h"

#include <stdio.h>
#include <string.h>

#define TRAILER_WORD "\nsha256 "

GByteArray *
fsn_envelope_build(const char *kind, const void *value, size_t len)
{
    GByteArray *out = g_byte_array_new();
    g_autofree char *first =
        g_strdup_printf("foresnap %s %u %08x %08x\n", kind, FSN_OBJECT_VERSION, 0u, 0u);
    uint8_t sha[FSN_SHA256_SIZE];
    g_autofree char *hex = NULL;

    g_assert(strlen(kind) <= FSN_ENVELOPE_MAX_KIND);
    g_byte_array_append(out, (const uint8_t *)first, (guint)strlen(first));
    if (len > 0) {
        g_byte_array_append(out, value, (guint)len);
    }
    fsn_sha256(out->data, out->len, sha);
    hex = fsn_hex(sha, sizeof sha);
    g_byte_array_append(out, (const uint8_t *)TRAILER_WORD, strlen(TRAILER_WORD));
    g_byte_array_append(out, (const uint8_t *)hex, 2 * sizeof sha);
    g_byte_array_append(out, (const uint8_t *)"\n", 1);
    return out;
}

/* Checks the last line; *out_len becomes the number of bytes before it. */
static bool
check_trailer(
    const uint8_t *data, size_t len, const char *what, size_t *out_len, GError **error)
{
    char hex[2 * FSN_SHA256_SIZE + 1] = { 0 };
    uint8_t sha[FSN_SHA256_SIZE], wanted[FSN_SHA256_SIZE];
    size_t body;

    if (len < FSN_ENVELOPE_TRAILER) {
        return fsn_set_damaged(error, what, "it has only %zu bytes", len);
    }
    body = len - FSN_ENVELOPE_TRAILER;
    memcpy(hex, data + body + strlen(TRAILER_WORD), sizeof hex - 1);
    if (memcmp(data + body, TRAILER_WORD, strlen(TRAILER_WORD)) != 0 ||
        data[len - 1] != '\n' || strlen(hex) != sizeof hex - 1 ||
        !fsn_unhex(hex, wanted, sizeof wanted)) {
        return fsn_set_damaged(error, what, "it does not end with its SHA-256");
    }
    fsn_sha256(data, body, sha);
    if (memcmp(sha, wanted, sizeof sha) != 0) {
        return fsn_set_damaged(error, what, "its SHA-256 is wrong");
    }
    *out_len = body;
    return true;
}

bool
fsn_envelope_parse(const uint8_t *data,
                   size_t len,
                   const char *kind,
                   const char *what,
                   const uint8_t **out_value,
                   size_t *out_len,
                   GError **error)
{
    g_autofree char *start = g_strdup_printf("foresnap %s ", kind);
    g_autofree char *line = NULL;
    unsigned version, incompat, compat;
    const uint8_t *end;
    size_t body = 0;
    int used = 0;

    if (!check_trailer(data, len, what, &body, error)) {
        return false;
    }
    end = memchr(data, '\n', MIN(body, 80));
    if (!end || (size_t)(end - data) < strlen(start) ||
        memcmp(data, start, strlen(start)) != 0) {
        return fsn_set_damaged(error, what, "it is not a %s", kind);
    }
    line = g_strndup((const char *)data + strlen(start),
                     (size_t)(end - data) - strlen(start));
    if (sscanf(line, "%u %8x %8x%n", &version, &incompat, &compat, &used) != 3 ||
        line[used] != '\0') {
        return fsn_set_damaged(error, what, "its first line");
    }
    if (version != FSN_OBJECT_VERSION || incompat != 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "'%s' has format version %u and features %x, which this foresnap "
                    "does not know: use a newer one",
                    what, version, incompat);
        return false;
    }
    *out_value = end + 1;
    *out_len = body - (size_t)(end + 1 - data);
    return true;
}
