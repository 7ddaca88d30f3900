/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small objects by content and small values by name. An object's name is the SHA-256 of its
 * data, so that what is read is proved to be what was asked for.
 *
 * An object is stored as: magic "FSNOBJT1" (8 bytes), codec (1), zero (7), length of the
 * data (8, little-endian), then the data, compressed by that codec.
 */
#include "config.h"

#include "repo/repo-private.h"

#include "base/bytes.h"
#include "base/error.h"
#include "repofmt/codec.h"
#include "repofmt/envelope.h"

#include <string.h>

#define MAGIC       "FSNOBJT1"
#define HEADER_SIZE 24
#define REF_KIND    "ref"

static GByteArray *
encode(const void *data, size_t len)
{
    g_autoptr(FsnCodecContext) ctx = fsn_codec_context_new();
    GByteArray *out = g_byte_array_sized_new((guint)(HEADER_SIZE + len));
    size_t n = 0;

    g_byte_array_set_size(out, (guint)(HEADER_SIZE + len));
    memset(out->data, 0, HEADER_SIZE);
    memcpy(out->data, MAGIC, FSN_MAGIC_SIZE);
    fsn_put_le64(out->data + 16, len);
    if (len > 64) {
        n = fsn_codec_compress(ctx, FSN_CODEC_ZSTD, 0, data, len, out->data + HEADER_SIZE,
                               len - len / 16);
    }
    if (n > 0) {
        out->data[8] = FSN_CODEC_ZSTD;
        g_byte_array_set_size(out, (guint)(HEADER_SIZE + n));
    } else if (len > 0) {
        memcpy(out->data + HEADER_SIZE, data, len);
    }
    return out;
}

static bool
decode(GBytes *bytes, size_t max, const char *what, GBytes **out_bytes, GError **error)
{
    size_t len;
    const uint8_t *p = g_bytes_get_data(bytes, &len);
    g_autoptr(FsnCodecContext) ctx = fsn_codec_context_new();
    g_autofree uint8_t *data = NULL;
    uint64_t raw;

    if (len < HEADER_SIZE || memcmp(p, MAGIC, FSN_MAGIC_SIZE) != 0 ||
        p[8] > FSN_CODEC_ZSTD || (fsn_get_le64(p + 8) & ~(uint64_t)0xff) != 0) {
        return fsn_set_damaged(error, what, "no object begins there");
    }
    raw = fsn_get_le64(p + 16);
    if (raw > max) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "'%s' has %" G_GUINT64_FORMAT " bytes, more than the %zu allowed",
                    what, raw, max);
        return false;
    }
    data = g_try_malloc((size_t)raw + 1);
    if (!data) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "no memory to read '%s'", what);
        return false;
    }
    if (!fsn_codec_decompress(ctx, p[8], p + HEADER_SIZE, len - HEADER_SIZE, data,
                              (size_t)raw)) {
        return fsn_set_damaged(error, what, "it cannot be decompressed");
    }
    *out_bytes = g_bytes_new_take(g_steal_pointer(&data), (size_t)raw);
    return true;
}

bool
fsn_repo_put_object(
    FsnRepo *repo, const void *data, size_t len, char **out_sha256, GError **error)
{
    uint8_t sha[FSN_SHA256_SIZE];
    g_autofree char *hex = NULL;
    g_autofree char *key = NULL;
    g_autoptr(GByteArray) bytes = NULL;
    g_autoptr(GBytes) there = NULL;

    if (len > FSN_REPO_MAX_OBJECT) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "an object of %zu bytes is too large", len);
        return false;
    }
    fsn_sha256(data, len, sha);
    hex = fsn_hex(sha, sizeof sha);
    key = fsn_repo_key(FSN_DIR_OBJECTS, hex);
    if (!fsn_repo_protect(repo, FSN_DIR_OBJECTS, hex, error)) {
        return false;
    }
    /* One that is there and whole is as good; a damaged one is replaced. */
    if (!fsn_repo_ensure(repo, key, UINT64_MAX, NULL) ||
        !fsn_repo_get_object(repo, hex, len, &there, NULL)) {
        bytes = encode(data, len);
        if (!fsn_blob_put(fsn_repo_store(repo), key, bytes->data, bytes->len,
                          FSN_BLOB_REPLACE, error)) {
            return false;
        }
    }
    *out_sha256 = g_steal_pointer(&hex);
    return true;
}

bool
fsn_repo_get_object(
    FsnRepo *repo, const char *sha256, size_t max, GBytes **out_bytes, GError **error)
{
    uint8_t wanted[FSN_SHA256_SIZE], sha[FSN_SHA256_SIZE];
    g_autofree char *key = NULL;
    g_autoptr(GBytes) stored = NULL;
    g_autoptr(GBytes) bytes = NULL;

    if (!fsn_unhex(sha256, wanted, sizeof wanted)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "'%.80s' names no object",
                    sha256);
        return false;
    }
    max = MIN(max, FSN_REPO_MAX_OBJECT);
    key = fsn_repo_key(FSN_DIR_OBJECTS, sha256);
    if (!fsn_repo_get_blob(repo, key, max + HEADER_SIZE, &stored, error) ||
        !decode(stored, max, key, &bytes, error)) {
        return false;
    }
    fsn_sha256(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), sha);
    if (memcmp(sha, wanted, sizeof sha) != 0) {
        return fsn_set_damaged(error, key, "its SHA-256 is wrong");
    }
    *out_bytes = g_steal_pointer(&bytes);
    return true;
}

bool
fsn_repo_put_ref(
    FsnRepo *repo, const char *name, const void *data, size_t len, GError **error)
{
    g_autofree char *key = g_strconcat(FSN_DIR_REFS "/", name, NULL);
    g_autoptr(GByteArray) bytes = NULL;
    FsnId writer;

    if (len > FSN_REPO_MAX_REF) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "'%s' of %zu bytes is too large",
                    key, len);
        return false;
    }
    bytes = fsn_envelope_build(REF_KIND, data, len);
    return fsn_repo_begin_write(repo, &writer, error) &&
           fsn_blob_put(fsn_repo_store(repo), key, bytes->data, bytes->len,
                        FSN_BLOB_REPLACE, error);
}

bool
fsn_repo_get_ref(
    FsnRepo *repo, const char *name, size_t max, GBytes **out_bytes, GError **error)
{
    g_autofree char *key = g_strconcat(FSN_DIR_REFS "/", name, NULL);
    g_autoptr(GBytes) stored = NULL;
    const uint8_t *value;
    size_t len;

    max = MIN(max, FSN_REPO_MAX_REF);
    if (!fsn_blob_get(fsn_repo_store(repo), key, max + 256, &stored, error) ||
        !fsn_envelope_parse(g_bytes_get_data(stored, NULL), g_bytes_get_size(stored),
                            REF_KIND, key, &value, &len, error)) {
        return false;
    }
    if (len > max) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "'%s' has %zu bytes, more than the %zu allowed", key, len, max);
        return false;
    }
    *out_bytes = g_bytes_new(value, len);
    return true;
}

bool
fsn_repo_remove_ref(FsnRepo *repo, const char *name, GError **error)
{
    g_autofree char *key = g_strconcat(FSN_DIR_REFS "/", name, NULL);

    return fsn_blob_remove(fsn_repo_store(repo), key, true, error);
}
