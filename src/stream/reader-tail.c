/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of the stream: device sections, EOF byte, description. Device sections carry no
 * lengths, so the tail is kept (bounded) and cut from its end: the description is JSON,
 * which has no NUL byte, and states its own length. Devices are not interpreted.
 */
#include "config.h"

#include "stream/reader-private.h"

#include "base/bytes.h"
#include "stream/wire.h"

#include <string.h>

/* EOF, type of the description and its length. */
#define CUT_SIZE 6u
#define MAX_TAIL (FSN_STREAM_MAX_DEVICE_STATE + CUT_SIZE + FSN_STREAM_MAX_DESCRIPTION)

gssize
fsn_reader_step_tail(FsnStreamReader *r, const uint8_t *p, size_t n, GError **error)
{
    if (n > MAX_TAIL - r->tail->len) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT, "device state exceeds %u MiB",
                               MAX_TAIL >> 20);
    }
    if (r->tail->len == 0 && p[0] != FSN_WIRE_SECTION_FULL) {
        return fsn_reader_fail(r, error, FSN_ERROR_FORMAT,
                               "0x%02x where the first device is expected", p[0]);
    }
    g_byte_array_append(r->tail, p, (guint)n);
    return (gssize)n;
}

/* True if the description begins at @at: 00 06 length, and the length reaches the end. */
static bool
is_cut(const uint8_t *p, size_t n, size_t at)
{
    return n - at > CUT_SIZE && p[at] == FSN_WIRE_EOF &&
           p[at + 1] == FSN_WIRE_DESCRIPTION &&
           fsn_get_be32(p + at + 2) == n - at - CUT_SIZE;
}

/* The last NUL byte is the EOF byte or in the length, so six places are possible. */
static bool
find_cut(const uint8_t *p, size_t n, size_t *out_at)
{
    const uint8_t *nul = memrchr(p, '\0', n);
    size_t last = nul ? (size_t)(nul - p) : 0;

    for (size_t back = 0; nul && back < CUT_SIZE && back <= last; back++) {
        if (is_cut(p, n, last - back)) {
            *out_at = last - back;
            return true;
        }
    }
    return false;
}

static bool
refuse_tail(FsnStreamReader *r, const char *why, GError **error)
{
    (void)fsn_reader_fail(r, error, FSN_ERROR_FORMAT, "%s", why); /* always -1 */
    return false;
}

bool
fsn_reader_split_tail(FsnStreamReader *r, GError **error)
{
    g_autoptr(GBytes) whole = NULL;
    const uint8_t *p = r->tail->data;
    size_t n = r->tail->len;
    const char *text;
    size_t at;
    size_t len;

    if (!find_cut(p, n, &at)) {
        return refuse_tail(r,
                           "ends without the description of its devices: it was cut, or "
                           "the machine sends none",
                           error);
    }
    if (at < 14 || p[at - 5] != FSN_WIRE_FOOTER || at > FSN_STREAM_MAX_DEVICE_STATE) {
        return refuse_tail(r, "device state exceeds 64 MiB or does not end with a footer",
                           error);
    }
    text = (const char *)p + at + CUT_SIZE;
    len = n - at - CUT_SIZE;
    if (len > FSN_STREAM_MAX_DESCRIPTION || text[0] != '{' || text[len - 1] != '}' ||
        !g_utf8_validate(text, (gssize)len, NULL)) {
        return refuse_tail(r, "description of the devices is not JSON of at most 16 MiB",
                           error);
    }
    whole = g_byte_array_free_to_bytes(g_steal_pointer(&r->tail));
    r->device_state = g_bytes_new_from_bytes(whole, 0, at);
    r->description = g_bytes_new_from_bytes(whole, at + CUT_SIZE, len);
    return true;
}
