/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all binary objects of a repository have in common: magic, version, feature bits,
 * ids, and the SHA-256 at the end. A reader that meets something newer says so by number
 * and stops; it never guesses.
 */
#include "config.h"

#include "repofmt/header.h"

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"

#include <string.h>

/* Incompatible features this version knows. */
#define KNOWN_INCOMPAT (FSN_INCOMPAT_HOLE_SEGMENTS | FSN_INCOMPAT_THIN_PACK)

bool
fsn_set_damaged(GError **error, const char *what, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT, "'%s' is damaged: %s", what, text);
    return false;
}

void
fsn_object_header_append(GByteArray *out,
                         const char *magic,
                         const FsnObjectHeader *header)
{
    g_byte_array_append(out, (const uint8_t *)magic, FSN_MAGIC_SIZE);
    fsn_append_le32(out, FSN_OBJECT_VERSION);
    fsn_append_le32(out, header->incompat);
    fsn_append_le32(out, header->compat);
    fsn_append_le32(out, 0);
    g_byte_array_append(out, header->id.bytes, FSN_ID_SIZE);
    g_byte_array_append(out, header->writer.bytes, FSN_ID_SIZE);
    fsn_append_le64(out, 0);
}

bool
fsn_object_header_parse(const uint8_t *data,
                        size_t len,
                        const char *magic,
                        const char *what,
                        FsnObjectHeader *out_header,
                        GError **error)
{
    uint32_t version, incompat, unknown;

    if (len < FSN_OBJECT_HEADER_SIZE) {
        return fsn_set_damaged(error, what, "it has only %zu bytes", len);
    }
    if (memcmp(data, magic, FSN_MAGIC_SIZE) != 0) {
        return fsn_set_damaged(error, what, "it does not begin with %s", magic);
    }
    version = fsn_get_le32(data + 8);
    incompat = fsn_get_le32(data + 12);
    unknown = incompat & ~KNOWN_INCOMPAT;
    if (version != FSN_OBJECT_VERSION) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "'%s' has format version %u, this foresnap knows %u: use a newer one",
                    what, version, FSN_OBJECT_VERSION);
        return false;
    }
    if (unknown != 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "'%s' needs feature %d, which this foresnap does not know: use a "
                    "newer one",
                    what, g_bit_nth_lsf(unknown, -1));
        return false;
    }
    out_header->incompat = incompat;
    out_header->compat = fsn_get_le32(data + 16);
    memcpy(out_header->id.bytes, data + 24, FSN_ID_SIZE);
    memcpy(out_header->writer.bytes, data + 40, FSN_ID_SIZE);
    return true;
}

bool
fsn_object_header_check(const uint8_t *data,
                        size_t len,
                        const char *magic,
                        const FsnId *id,
                        const char *what,
                        GError **error)
{
    FsnObjectHeader header;

    if (!fsn_object_header_parse(data, len, magic, what, &header, error)) {
        return false;
    }
    if (!fsn_id_equal(&header.id, id)) {
        return fsn_set_damaged(error, what, "another id stands in it");
    }
    return true;
}

void
fsn_object_seal(GByteArray *object)
{
    uint8_t sha[FSN_SHA256_SIZE];

    fsn_sha256(object->data, object->len, sha);
    g_byte_array_append(object, sha, sizeof sha);
}

bool
fsn_object_check_seal(const uint8_t *data, size_t len, const char *what, GError **error)
{
    uint8_t sha[FSN_SHA256_SIZE];

    if (len < FSN_SHA256_SIZE) {
        return fsn_set_damaged(error, what, "it has only %zu bytes", len);
    }
    fsn_sha256(data, len - FSN_SHA256_SIZE, sha);
    if (memcmp(sha, data + len - FSN_SHA256_SIZE, sizeof sha) != 0) {
        return fsn_set_damaged(error, what, "its SHA-256 is wrong");
    }
    return true;
}
