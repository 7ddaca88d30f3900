/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sequences. Written once by one thread, since they are short; read with as few and as
 * large steps as the frames allow.
 */
#include "config.h"

#include "repo/sequence.h"

#include "base/error.h"
#include "repo/image-private.h"
#include "repo/repo-private.h"
#include "repofmt/frame.h"

#include <string.h>

#define FIXED_SIZE 80
#define ZERO_FLAG  ((uint64_t)1 << 63)

static char *
sequence_key(const char *name, GError **error)
{
    if (strchr(name, '/')) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'%.80s' is no sequence's name",
                    name);
        return NULL;
    }
    return g_strconcat(FSN_DIR_SEQUENCES "/", name, NULL);
}

/* The part before the frames. */
static GByteArray *
build_table(FsnImage *image,
            const FsnId *writer,
            const uint64_t *granules,
            size_t n,
            GError **error)
{
    g_autoptr(GByteArray) out = g_byte_array_sized_new((guint)(FIXED_SIZE + n * 8 + 32));
    FsnObjectHeader header = { .writer = *writer };

    (void)fsn_id_parse(fsn_image_root_id(image), &header.id); /* an open image has one */
    fsn_object_header_append(out, FSN_MAGIC_SEQUENCE, &header);
    fsn_append_le64(out, n);
    fsn_append_le64(out, 0);
    for (size_t i = 0; i < n; i++) {
        FsnGranule g;

        if (granules[i] >= fsn_image_n_granules(image)) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                        "granule %" G_GUINT64_FORMAT " is outside the image",
                        granules[i]);
            return NULL;
        }
        if (!fsn_image_lookup(image, granules[i], &g, error)) {
            return NULL;
        }
        fsn_append_le64(out, granules[i] | (g.kind == FSN_GRANULE_DATA ? 0 : ZERO_FLAG));
    }
    fsn_object_seal(out);
    return g_steal_pointer(&out);
}

typedef struct {
    FsnBlobWriter *blob;
    FsnCodec codec;
    FsnCodecContext *ctx;
    uint8_t *raw;
    uint8_t *encoded;
    unsigned filled;
} Output;

static bool
flush_frame(Output *out, GError **error)
{
    size_t len;

    if (out->filled == 0) {
        return true;
    }
    len = fsn_frame_encode(out->ctx, out->codec, 0, out->raw, out->filled, out->encoded);
    out->filled = 0;
    return fsn_blob_append(out->blob, out->encoded, len, error);
}

static bool
append_granules(
    Output *out, FsnImage *image, const uint64_t *granules, size_t n, GError **error)
{
    g_autoptr(FsnImageReader) reader = fsn_image_reader_new(image);
    bool zero;

    for (size_t i = 0; i < n; i++) {
        if (!fsn_image_reader_read(reader, granules[i],
                                   out->raw + (size_t)out->filled * FSN_GRANULE_SIZE,
                                   &zero, error)) {
            return false;
        }
        if (!zero && ++out->filled == FSN_FRAME_MAX_GRANULES &&
            !flush_frame(out, error)) {
            return false;
        }
    }
    return flush_frame(out, error);
}

bool
fsn_sequence_write(FsnRepo *repo,
                   const char *name,
                   FsnImage *image,
                   const uint64_t *granules,
                   size_t n,
                   FsnCodec codec,
                   GError **error)
{
    g_autofree char *key = sequence_key(name, error);
    g_autoptr(GByteArray) table = NULL;
    g_autoptr(FsnBlobWriter) blob = NULL;
    g_autoptr(FsnCodecContext) ctx = fsn_codec_context_new();
    g_autofree uint8_t *raw = g_malloc(FSN_FRAME_MAX_RAW);
    g_autofree uint8_t *encoded = g_malloc(FSN_FRAME_MAX_SIZE);
    Output out = { .codec = codec, .ctx = ctx, .raw = raw, .encoded = encoded };
    FsnId writer;

    if (!key || !fsn_repo_begin_write(repo, &writer, error)) {
        return false;
    }
    if (n > FSN_SEQUENCE_MAX) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "%zu granules are too many", n);
        return false;
    }
    table = build_table(image, &writer, granules, n, error);
    if (!table || !(blob = fsn_blob_create(fsn_repo_store(repo), key, error))) {
        return false;
    }
    out.blob = blob;
    return fsn_blob_append(blob, table->data, table->len, error) &&
           append_granules(&out, image, granules, n, error) &&
           fsn_blob_commit(blob, error);
}

/* Reads and checks the part before the frames; *out_numbers has @out_n entries. */
static bool
read_table(FsnBlob *blob, uint64_t **out_numbers, size_t *out_n, GError **error)
{
    const char *what = fsn_blob_key(blob);
    uint8_t fixed[FIXED_SIZE];
    g_autofree uint8_t *table = NULL;
    uint64_t *numbers;
    FsnObjectHeader header;
    uint64_t n;
    size_t len;

    if (!fsn_blob_pread(blob, fixed, sizeof fixed, 0, error) ||
        !fsn_object_header_parse(fixed, sizeof fixed, FSN_MAGIC_SEQUENCE, what, &header,
                                 error)) {
        return false;
    }
    n = fsn_get_le64(fixed + 64);
    if (n > FSN_SEQUENCE_MAX) {
        return fsn_set_damaged(error, what, "%" G_GUINT64_FORMAT " granules", n);
    }
    len = FIXED_SIZE + (size_t)n * 8 + FSN_SHA256_SIZE;
    if (len > fsn_blob_length(blob) || !(table = g_try_malloc(len))) {
        return fsn_set_damaged(error, what, "%" G_GUINT64_FORMAT " granules", n);
    }
    if (!fsn_blob_pread(blob, table, len, 0, error) ||
        !fsn_object_check_seal(table, len, what, error)) {
        return false;
    }
    numbers = g_new(uint64_t, n + 1);
    for (uint64_t i = 0; i < n; i++) {
        numbers[i] = fsn_get_le64(table + FIXED_SIZE + i * 8);
    }
    *out_numbers = numbers;
    *out_n = (size_t)n;
    return true;
}

typedef struct {
    FsnBlob *blob;
    uint64_t offset; /* of the next frame */
    FsnCodecContext *ctx;
    uint8_t *raw;
    uint8_t *encoded;
    unsigned count; /* granules in raw */
    unsigned next;  /* the next of them */
} Input;

/* The next stored granule, or null. */
static const uint8_t *
next_granule(Input *in, GError **error)
{
    const char *what = fsn_blob_key(in->blob);
    FsnFrameInfo info;

    if (in->next == in->count) {
        if (!fsn_blob_pread(in->blob, in->encoded, FSN_FRAME_HEADER_SIZE, in->offset,
                            error) ||
            !fsn_frame_parse(in->encoded, what, &info, error) ||
            !fsn_blob_pread(in->blob, in->encoded + FSN_FRAME_HEADER_SIZE, info.payload,
                            in->offset + FSN_FRAME_HEADER_SIZE, error) ||
            !fsn_frame_decode(in->ctx, in->encoded, &info, what, in->raw, error)) {
            return NULL;
        }
        in->offset += FSN_FRAME_HEADER_SIZE + info.payload;
        in->count = info.count;
        in->next = 0;
    }
    return in->raw + (size_t)in->next++ * FSN_GRANULE_SIZE;
}

/* Hands on granule @number if its contents are those of @image. */
static bool
deliver(FsnImage *image,
        uint64_t number,
        const uint8_t *data,
        FsnSequenceFunc each,
        gpointer user,
        GError **error)
{
    const uint8_t *secret = fsn_repo_superblock(fsn_image_repo(image))->secret;
    FsnGranule g;

    if (number >= fsn_image_n_granules(image)) {
        return true;
    }
    if (!fsn_image_lookup(image, number, &g, error)) {
        return false;
    }
    if (!data) {
        return g.kind == FSN_GRANULE_DATA || each(user, number, NULL, error);
    }
    if (g.kind != FSN_GRANULE_DATA ||
        !fsn_hash128_equal(fsn_hash128(secret, data, FSN_GRANULE_SIZE), g.hash)) {
        return true;
    }
    return each(user, number, data, error);
}

bool
fsn_sequence_read(FsnRepo *repo,
                  const char *name,
                  FsnImage *image,
                  FsnSequenceFunc each,
                  gpointer user,
                  GError **error)
{
    g_autofree char *key = sequence_key(name, error);
    g_autoptr(FsnBlob) blob = NULL;
    g_autofree uint64_t *numbers = NULL;
    g_autoptr(FsnCodecContext) ctx = fsn_codec_context_new();
    g_autofree uint8_t *raw = g_malloc(FSN_FRAME_MAX_RAW);
    g_autofree uint8_t *encoded = g_malloc(FSN_FRAME_MAX_SIZE);
    Input in = { .ctx = ctx, .raw = raw, .encoded = encoded };
    size_t n = 0;

    if (!key || !(blob = fsn_blob_open(fsn_repo_store(repo), key, error))) {
        return false;
    }
    fsn_blob_will_need(blob, 0, fsn_blob_length(blob));
    if (!read_table(blob, &numbers, &n, error)) {
        return false;
    }
    in.blob = blob;
    in.offset = FIXED_SIZE + (uint64_t)n * 8 + FSN_SHA256_SIZE;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *data = NULL;

        if (!(numbers[i] & ZERO_FLAG) && !(data = next_granule(&in, error))) {
            return false;
        }
        if (!deliver(image, numbers[i] & ~ZERO_FLAG, data, each, user, error)) {
            return false;
        }
    }
    return true;
}

/* Reads the frames of all @n granules; what follows them belongs to nothing. */
static bool
check_frames(FsnBlob *blob, const uint64_t *numbers, size_t n, GError **error)
{
    g_autoptr(FsnCodecContext) ctx = fsn_codec_context_new();
    g_autofree uint8_t *raw = g_malloc(FSN_FRAME_MAX_RAW);
    g_autofree uint8_t *encoded = g_malloc(FSN_FRAME_MAX_SIZE);
    Input in = { .blob = blob,
                 .offset = FIXED_SIZE + (uint64_t)n * 8 + FSN_SHA256_SIZE,
                 .ctx = ctx,
                 .raw = raw,
                 .encoded = encoded };

    for (size_t i = 0; i < n; i++) {
        if (!(numbers[i] & ZERO_FLAG) && !next_granule(&in, error)) {
            return false;
        }
    }
    return in.offset == fsn_blob_length(blob) ||
           fsn_set_damaged(error, fsn_blob_key(blob),
                           "its frames end at %" G_GUINT64_FORMAT, in.offset);
}

bool
fsn_sequence_check(FsnRepo *repo, const char *name, bool read_data, GError **error)
{
    g_autofree char *key = sequence_key(name, error);
    g_autoptr(FsnBlob) blob = NULL;
    g_autofree uint64_t *numbers = NULL;
    size_t n = 0;

    return key && (blob = fsn_blob_open(fsn_repo_store(repo), key, error)) &&
           read_table(blob, &numbers, &n, error) &&
           (!read_data || check_frames(blob, numbers, n, error));
}

bool
fsn_sequence_remove(FsnRepo *repo, const char *name, GError **error)
{
    g_autofree char *key = sequence_key(name, error);
    FsnId writer;

    return key && fsn_repo_begin_write(repo, &writer, error) &&
           fsn_blob_remove(fsn_repo_store(repo), key, true, error);
}
