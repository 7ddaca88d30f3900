/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pure part of the hook. All buffers are fixed; what is longer is cut, never overrun. */
#include "config.h"

#include "hook/message.h"

#include <stdio.h>
#include <string.h>

/* A value is written whole or, after @size, not at all: room for '"}' is kept. */
typedef struct {
    char *at;
    char *end;
} Out;

static bool
is_uuid(const char *text)
{
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex =
            (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');

        if (dash ? text[i] != '-' : !hex) {
            return false;
        }
    }
    return true;
}

bool
fsn_hook_find_uuid(const char *xml, size_t len, char out_uuid[FSN_HOOK_UUID_SIZE])
{
    static const char open_tag[] = "<uuid>";
    static const char close_tag[] = "</uuid>";
    /* of nothing there may not even be an address */
    const char *at = len > 0 ? memmem(xml, len, open_tag, sizeof open_tag - 1) : NULL;
    size_t left;

    if (!at) {
        return false;
    }
    at += sizeof open_tag - 1;
    left = len - (size_t)(at - xml);
    if (left < 36 + sizeof close_tag - 1 ||
        memcmp(at + 36, close_tag, sizeof close_tag - 1) != 0 || !is_uuid(at)) {
        return false;
    }
    memcpy(out_uuid, at, 36);
    out_uuid[36] = 0;
    return true;
}

static void
put(Out *out, const char *text)
{
    size_t len = strlen(text);

    if (len < (size_t)(out->end - out->at)) {
        memcpy(out->at, text, len + 1);
        out->at += len;
    }
}

static void
put_string(Out *out, const char *key, const char *value)
{
    char escaped[6 * FSN_HOOK_MAX_ARG + 1];
    size_t n = 0;

    for (size_t i = 0; value[i] && i < FSN_HOOK_MAX_ARG; i++) {
        unsigned char c = (unsigned char)value[i];

        if (c == '"' || c == '\\') {
            escaped[n++] = '\\';
            escaped[n++] = (char)c;
        } else if (c < 0x20) {
            n += (size_t)snprintf(escaped + n, 7, "\\u%04x", c);
        } else {
            escaped[n++] = (char)c;
        }
    }
    escaped[n] = 0;
    if ((size_t)(out->end - out->at) > n + strlen(key) + 8) {
        put(out, ", \"");
        put(out, key);
        put(out, "\": \"");
        put(out, escaped);
        put(out, "\"");
    }
}

size_t
fsn_hook_message(char *out_text,
                 size_t size,
                 const char *const *argv,
                 int n,
                 const char *uuid,
                 int64_t time_us)
{
    static const char *const keys[] = { "name", "op", "sub", "extra" };
    Out out = { out_text, out_text + size - 2 };
    char number[64];

    snprintf(number, sizeof number, "{\"version\": 1, \"time_us\": %lld",
             (long long)time_us);
    put(&out, number);
    put_string(&out, "uuid", uuid);
    for (int i = 0; i < n && i < 4; i++) {
        put_string(&out, keys[i], argv[i]);
    }
    out.end += 1;
    put(&out, "}");
    return (size_t)(out.at - out_text);
}
