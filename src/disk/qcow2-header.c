/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * As much of a qcow2 header (docs/interop/qcow2.txt of QEMU) as is needed to know on which
 * file an image rests before QEMU opens it: QEMU would follow any name, and guess a format
 * that is not given. Pure.
 */
#include "config.h"

#include "disk/qcow2-header.h"

#include "base/bytes.h"
#include "base/error.h"

#include <string.h>

/*   0  4  magic "QFI\xfb"      20  4  cluster bits     100  4  length of the header (v3)
 *   4  4  version               ...                     then extensions: type, length,
 *   8  8  offset and            72    end of version 2       data, padded to 8 bytes
 *  16  4  length of the name of the backing file; offset 0: none */
#define MAGIC              0x514649fbu
#define HEADER_2           72u
#define HEADER_3           104u
#define MAX_NAME           1023u
#define EXT_END            0u
#define EXT_BACKING_FORMAT 0xe2792acau

void
fsn_qcow2_header_clear(FsnQcow2Header *header)
{
    g_clear_pointer(&header->backing, g_free);
    g_clear_pointer(&header->backing_format, g_free);
}

static bool
fail(GError **error, const char *what)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "not a qcow2 header: %s", what);
    return false;
}

/* A name is text without NUL, so that it means the same to everybody. */
static char *
name_at(const uint8_t *data, size_t len)
{
    return memchr(data, 0, len) || !g_utf8_validate((const char *)data, (gssize)len, NULL)
               ? NULL
               : g_strndup((const char *)data, len);
}

static bool
parse_extensions(
    const uint8_t *data, size_t at, size_t end, FsnQcow2Header *header, GError **error)
{
    while (end - at >= 8) {
        uint32_t type = fsn_get_be32(data + at);
        uint32_t len = fsn_get_be32(data + at + 4);

        at += 8;
        if (type == EXT_END) {
            break;
        }
        if (len > end - at) {
            return fail(error, "an extension is cut");
        }
        if (type == EXT_BACKING_FORMAT && !header->backing_format) {
            header->backing_format = len <= MAX_NAME ? name_at(data + at, len) : NULL;
            if (!header->backing_format) {
                return fail(error, "the format of the backing file is no text");
            }
        }
        at += MIN(((size_t)len + 7) & ~(size_t)7, end - at);
    }
    return true;
}

bool
fsn_qcow2_header_parse(const uint8_t *data,
                       size_t len,
                       FsnQcow2Header *out_header,
                       GError **error)
{
    g_auto(FsnQcow2Header) header = { 0 };
    uint64_t name_offset;
    uint32_t version, name_len, header_len;

    if (len < HEADER_3 || fsn_get_be32(data) != MAGIC) {
        return fail(error, "no magic number");
    }
    version = fsn_get_be32(data + 4);
    name_offset = fsn_get_be64(data + 8);
    name_len = fsn_get_be32(data + 16);
    header_len = version == 2 ? HEADER_2 : fsn_get_be32(data + 100);
    if ((version != 2 && version != 3) || header_len > len ||
        header_len < (version == 2 ? HEADER_2 : HEADER_3)) {
        return fail(error, "unknown version or length");
    }
    if (name_offset != 0 &&
        (name_len == 0 || name_len > MAX_NAME || name_offset < header_len ||
         name_offset > len || name_len > len - name_offset ||
         !(header.backing = name_at(data + name_offset, name_len)))) {
        return fail(error, "the name of the backing file is not in it");
    }
    if (!parse_extensions(data, header_len, name_offset ? name_offset : len, &header,
                          error)) {
        return false;
    }
    *out_header = header;
    memset(&header, 0, sizeof header);
    return true;
}
