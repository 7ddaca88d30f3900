/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a pack once for all who need it. Header and footer are checked against each other,
 * then each frame against its SHA-256, and each granule in it is hashed.
 */
#include "config.h"

#include "repo/pack-check.h"

#include "base/error.h"
#include "repo/pack-frames.h"
#include "repo/repo-private.h"
#include "repofmt/frame.h"
#include "repofmt/pack.h"

#include <string.h>

typedef struct {
    uint32_t offset;
    uint32_t first;   /* number of its first hash */
    uint32_t count;   /* granules; 0: damaged, and then … */
    uint32_t problem; /* … number of its message */
} Frame;

struct FsnPackCheck {
    char *key;
    char *problem;
    GArray *frames;     /* Frame, by offset */
    GArray *hashes;     /* uint64_t: the low half of each granule's */
    GPtrArray *damaged; /* messages */
};

/* Room for one frame, encoded and not. */
typedef struct {
    FsnCodecContext *ctx;
    uint8_t *encoded;
    uint8_t *raw;
} Room;

/* Reads and decodes @frame; *out_count is how many granules are in room->raw. */
static bool
read_frame(FsnBlob *blob,
           const FsnPackFrame *frame,
           Room *room,
           unsigned *out_count,
           GError **error)
{
    const char *what = fsn_blob_key(blob);
    uint8_t sha[FSN_SHA256_SIZE];
    FsnFrameInfo info;

    if (!fsn_blob_pread(blob, room->encoded, frame->length, frame->offset, error)) {
        return false;
    }
    fsn_sha256(room->encoded, frame->length, sha);
    if (memcmp(sha, frame->sha256, sizeof sha) != 0) {
        return fsn_set_damaged(error, what, "the SHA-256 of the frame at %u is wrong",
                               frame->offset);
    }
    if (!fsn_frame_parse(room->encoded, what, &info, error)) {
        return false;
    }
    if (FSN_FRAME_HEADER_SIZE + info.payload != frame->length) {
        return fsn_set_damaged(error, what, "the length of the frame at %u is wrong",
                               frame->offset);
    }
    if (!fsn_frame_decode(room->ctx, room->encoded, &info, what, room->raw, error)) {
        return false;
    }
    *out_count = info.count;
    return true;
}

static void
check_frame(FsnPackCheck *check,
            const uint8_t *secret,
            FsnBlob *blob,
            const FsnPackFrame *frame,
            Room *room)
{
    Frame found = { .offset = frame->offset, .first = check->hashes->len };
    g_autoptr(GError) error = NULL;

    if (read_frame(blob, frame, room, &found.count, &error)) {
        for (unsigned i = 0; i < found.count; i++) {
            FsnHash128 hash = fsn_hash128(
                secret, room->raw + (size_t)i * FSN_GRANULE_SIZE, FSN_GRANULE_SIZE);

            g_array_append_val(check->hashes, hash.low);
        }
    } else {
        found.problem = check->damaged->len;
        g_ptr_array_add(check->damaged, g_strdup(error->message));
    }
    g_array_append_val(check->frames, found);
}

static bool
check_pack(FsnPackCheck *check,
           FsnRepo *repo,
           FsnPackCheckProgress progress,
           gpointer user,
           GError **error)
{
    g_autoptr(FsnBlob) blob = fsn_repo_open_blob(repo, check->key, error);
    g_autoptr(GArray) frames = NULL;
    g_autoptr(FsnCodecContext) ctx = fsn_codec_context_new();
    g_autofree uint8_t *encoded = g_malloc(FSN_FRAME_MAX_SIZE);
    g_autofree uint8_t *raw = g_malloc(FSN_FRAME_MAX_RAW);
    Room room = { .ctx = ctx, .encoded = encoded, .raw = raw };

    if (!blob || !fsn_pack_read_frames(blob, NULL, &frames, error)) {
        return false;
    }
    fsn_blob_will_need(blob, 0, fsn_blob_length(blob));
    for (guint i = 0; i < frames->len; i++) {
        const FsnPackFrame *frame = &g_array_index(frames, FsnPackFrame, i);

        if (fsn_pack_frame_removed(frame)) {
            continue;
        }
        check_frame(check, fsn_repo_superblock(repo)->secret, blob, frame, &room);
        progress(user, frame->length);
    }
    return true;
}

FsnPackCheck *
fsn_pack_check_new(FsnRepo *repo,
                   const char *key,
                   FsnPackCheckProgress progress,
                   gpointer user)
{
    FsnPackCheck *check = g_new0(FsnPackCheck, 1);
    g_autoptr(GError) error = NULL;

    check->key = g_strdup(key);
    check->frames = g_array_new(FALSE, FALSE, sizeof(Frame));
    check->hashes = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    check->damaged = g_ptr_array_new_with_free_func(g_free);
    if (!check_pack(check, repo, progress, user, &error)) {
        check->problem = g_strdup(error->message);
    }
    return check;
}

void
fsn_pack_check_free(FsnPackCheck *check)
{
    if (check) {
        g_array_unref(check->frames);
        g_array_unref(check->hashes);
        g_ptr_array_unref(check->damaged);
        g_free(check->problem);
        g_free(check->key);
        g_free(check);
    }
}

const char *
fsn_pack_check_problem(FsnPackCheck *check)
{
    return check->problem;
}

GPtrArray *
fsn_pack_check_frames(FsnPackCheck *check)
{
    return check->damaged;
}

static const Frame *
find_frame(FsnPackCheck *check, uint32_t offset)
{
    const Frame *frame = (const Frame *)check->frames->data;
    size_t n = check->frames->len;

    while (n > 0) {
        size_t half = n / 2;

        if (frame[half].offset == offset) {
            return &frame[half];
        }
        if (frame[half].offset < offset) {
            frame += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return NULL;
}

bool
fsn_pack_check_entry(FsnPackCheck *check, const FsnEntry *entry, GError **error)
{
    const Frame *frame = check->problem ? NULL : find_frame(check, entry->offset);
    const char *message = check->problem;

    if (frame && frame->count == 0) {
        message = check->damaged->pdata[frame->problem];
    }
    if (message) {
        g_set_error_literal(error, FSN_ERROR, FSN_ERROR_CORRUPT, message);
        return false;
    }
    if (!frame) {
        return fsn_set_damaged(error, check->key,
                               "no frame begins at %u, where the "
                               "index says",
                               entry->offset);
    }
    if (entry->slot >= frame->count ||
        g_array_index(check->hashes, uint64_t, frame->first + entry->slot) !=
            entry->hash.low) {
        return fsn_set_damaged(error, check->key,
                               "slot %u of the frame at %u does not have the hash that "
                               "the index says",
                               entry->slot, entry->offset);
    }
    return true;
}
