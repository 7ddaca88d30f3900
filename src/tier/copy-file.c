/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading and writing copies. Every byte that is read has been compared with the hash of its
 * block. A copy appears under its key by a rename, without waiting for the disk: after a
 * power cut it may be anything, which its hashes tell.
 */
#include "config.h"

#include "tier/copy.h"
#include "tier/folder-private.h"

#include "base/error.h"

#include <string.h>

/* Bytes read at once: few enough for malloc() to have them at hand. */
#define CHUNK (4 * FSN_TIER_BLOCK)

struct FsnTierCopy {
    FsnBlob *blob;
    uint64_t length;
    uint8_t *hashes;
    uint8_t secret[FSN_HASH_SECRET_SIZE];
};

struct FsnTierCopyWriter {
    FsnBlobWriter *writer;
    FsnTierSums *sums;
    char *key;
};

/* Reads and checks what follows the object's bytes. */
static bool
read_tail(FsnTierCopy *copy, const char *key, GError **error)
{
    uint64_t size = fsn_blob_length(copy->blob);
    uint8_t trailer[FSN_TIER_TRAILER_SIZE];
    size_t n;

    if (size < sizeof trailer) {
        return fsn_set_damaged(error, key, "the copy is too short");
    }
    if (!fsn_blob_pread(copy->blob, trailer, sizeof trailer, size - sizeof trailer,
                        error) ||
        !fsn_tier_trailer_parse(copy->secret, key, trailer, size, &copy->length, error)) {
        return false;
    }
    n = (size_t)fsn_tier_hashes_size(copy->length);
    copy->hashes = g_try_malloc(n + 1);
    if (!copy->hashes) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "no memory to read '%s'", key);
        return false;
    }
    if (!fsn_blob_pread(copy->blob, copy->hashes, n, copy->length, error)) {
        return false;
    }
    return fsn_tier_hashes_match(copy->secret, trailer, copy->hashes, n) ||
           fsn_set_damaged(error, key, "the hashes of the copy are");
}

FsnTierCopy *
fsn_tier_copy_open(FsnTierFolder *folder, const char *key, GError **error)
{
    g_autoptr(FsnTierCopy) copy = NULL;
    FsnBlob *blob = fsn_blob_open(folder->store, key, error);

    if (!blob) {
        return NULL;
    }
    copy = g_new0(FsnTierCopy, 1);
    copy->blob = blob;
    memcpy(copy->secret, folder->secret, sizeof copy->secret);
    return read_tail(copy, key, error) ? g_steal_pointer(&copy) : NULL;
}

void
fsn_tier_copy_free(FsnTierCopy *copy)
{
    if (copy) {
        fsn_blob_free(copy->blob);
        g_free(copy->hashes);
        g_free(copy);
    }
}

uint64_t
fsn_tier_copy_length(FsnTierCopy *copy)
{
    return copy->length;
}

/* Reads the blocks from @start (a multiple of the block size) to before @end into @buffer
 * and checks each. */
static bool
read_blocks(
    FsnTierCopy *copy, uint8_t *buffer, uint64_t start, uint64_t end, GError **error)
{
    if (!fsn_blob_pread(copy->blob, buffer, (size_t)(end - start), start, error)) {
        return false;
    }
    for (uint64_t at = start; at < end; at += FSN_TIER_BLOCK) {
        if (!fsn_tier_block_matches(copy->secret, copy->hashes, at / FSN_TIER_BLOCK,
                                    buffer + (at - start),
                                    (size_t)MIN(FSN_TIER_BLOCK, end - at))) {
            return fsn_set_damaged(error, fsn_blob_key(copy->blob),
                                   "the block of the copy at %" G_GUINT64_FORMAT
                                   " does not match its hash",
                                   at);
        }
    }
    return true;
}

bool
fsn_tier_copy_pread(
    FsnTierCopy *copy, void *data, size_t len, uint64_t offset, GError **error)
{
    uint64_t at = offset - offset % FSN_TIER_BLOCK, end = offset + len;
    g_autofree uint8_t *buffer = NULL;
    uint8_t *out = data;
    uint64_t last; /* end of the block that holds the last byte */

    g_assert(offset <= copy->length && len <= copy->length - offset);
    if (len == 0) {
        return true;
    }
    last = MIN(end - 1 - (end - 1) % FSN_TIER_BLOCK + FSN_TIER_BLOCK, copy->length);
    buffer = g_malloc((size_t)MIN(CHUNK, last - at));
    while (at < end) {
        uint64_t stop = MIN(at + CHUNK, last);
        uint64_t from = MAX(at, offset), to = MIN(stop, end);

        if (!read_blocks(copy, buffer, at, stop, error)) {
            return false;
        }
        memcpy(out, buffer + (from - at), (size_t)(to - from));
        out += to - from;
        at = stop;
    }
    return true;
}

void
fsn_tier_copy_will_need(FsnTierCopy *copy, uint64_t offset, uint64_t len)
{
    fsn_blob_will_need(copy->blob, offset, len);
}

FsnTierCopyWriter *
fsn_tier_copy_create(FsnTierFolder *folder, const char *key, GError **error)
{
    FsnBlobWriter *blob = fsn_blob_create(folder->store, key, error);
    FsnTierCopyWriter *writer;

    if (!blob) {
        return NULL;
    }
    fsn_blob_writer_set_volatile(blob);
    writer = g_new0(FsnTierCopyWriter, 1);
    writer->writer = blob;
    writer->sums = fsn_tier_sums_new(folder->secret);
    writer->key = g_strdup(key);
    return writer;
}

bool
fsn_tier_copy_append(FsnTierCopyWriter *writer,
                     const void *data,
                     size_t len,
                     GError **error)
{
    if (!fsn_blob_append(writer->writer, data, len, error)) {
        return false;
    }
    fsn_tier_sums_update(writer->sums, data, len);
    return true;
}

bool
fsn_tier_copy_commit(FsnTierCopyWriter *writer, GError **error)
{
    g_autoptr(GByteArray) tail = fsn_tier_sums_finish(writer->sums, writer->key);

    return fsn_blob_append(writer->writer, tail->data, tail->len, error) &&
           fsn_blob_commit(writer->writer, error);
}

void
fsn_tier_copy_writer_free(FsnTierCopyWriter *writer)
{
    if (writer) {
        fsn_blob_writer_free(writer->writer);
        fsn_tier_sums_free(writer->sums);
        g_free(writer->key);
        g_free(writer);
    }
}
