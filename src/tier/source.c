/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading from the repository what goes to a tier. It is verified before it is copied, so
 * that damage in the repository is found and named now, and not spread. The second reading
 * is from memory in practice.
 */
#include "config.h"

#include "tier/source.h"

#include "base/error.h"
#include "base/json.h"
#include "repo/image-private.h"
#include "repo/pack-frames.h"
#include "repo/repo-private.h"
#include "repo/sequence.h"
#include "repofmt/pack.h"

#include <string.h>

struct FsnTierSource {
    FsnRepo *repo; /* borrowed */
    FsnImage *image;
    uint8_t *buffer; /* FSN_FRAME_MAX_SIZE or FSN_TIER_CHUNK bytes */
};

FsnTierSource *
fsn_tier_source_new(FsnRepo *repo, JsonObject *manifest, GError **error)
{
    g_autoptr(FsnTierSource) source = g_new0(FsnTierSource, 1);
    JsonObject *memory;
    const char *root;

    if (!fsn_json_get_object(manifest, "memory", &memory, error) ||
        !fsn_json_get_string(memory, "image", &root, error) ||
        !(source->image = fsn_image_open(repo, root, error))) {
        return NULL;
    }
    source->repo = repo;
    source->buffer = g_malloc(MAX(FSN_TIER_CHUNK, FSN_FRAME_MAX_SIZE));
    return g_steal_pointer(&source);
}

void
fsn_tier_source_free(FsnTierSource *source)
{
    if (source) {
        fsn_image_free(source->image);
        g_free(source->buffer);
        g_free(source);
    }
}

static FsnBlob *
open_part(FsnTierSource *source, const FsnTierPart *part, GError **error)
{
    g_autoptr(FsnBlob) blob = fsn_repo_open_blob(source->repo, part->key, error);

    if (blob && fsn_blob_length(blob) != part->length) {
        fsn_set_damaged(error, part->key,
                        "it has %" G_GUINT64_FORMAT
                        " bytes and should have %" G_GUINT64_FORMAT,
                        fsn_blob_length(blob), part->length);
        return NULL;
    }
    return g_steal_pointer(&blob);
}

void
fsn_tier_source_will_need(FsnTierSource *source, const FsnTierPart *part)
{
    g_autoptr(FsnBlob) blob = fsn_repo_open_blob(source->repo, part->key, NULL);

    if (blob) {
        fsn_blob_will_need(blob, 0, part->length);
    }
}

static bool
verify_pack(FsnTierSource *source, FsnBlob *blob, GError **error)
{
    g_autoptr(GArray) frames = NULL;
    uint8_t sha[FSN_SHA256_SIZE];

    if (!fsn_pack_read_frames(blob, NULL, &frames, error)) {
        return false;
    }
    for (guint i = 0; i < frames->len; i++) {
        const FsnPackFrame *frame = &g_array_index(frames, FsnPackFrame, i);

        if (fsn_pack_frame_removed(frame)) {
            continue;
        }
        if (!fsn_blob_pread(blob, source->buffer, frame->length, frame->offset, error)) {
            return false;
        }
        fsn_sha256(source->buffer, frame->length, sha);
        if (memcmp(sha, frame->sha256, sizeof sha) != 0) {
            return fsn_set_damaged(error, fsn_blob_key(blob),
                                   "the SHA-256 of the frame at %u is wrong",
                                   frame->offset);
        }
    }
    return true;
}

/* The segments of our image; others that the bundle may hold are not read by its resume. */
static bool
verify_bundle(FsnTierSource *source, const char *key, GError **error)
{
    const FsnRoot *root = fsn_image_root(source->image);
    FsnSegment segment;

    for (guint i = 0; i < root->segments->len; i++) {
        const FsnSegmentRef *ref = &g_array_index(root->segments, FsnSegmentRef, i);
        g_autofree char *own = NULL;

        if (fsn_segment_ref_uniform(ref)) {
            continue;
        }
        own = fsn_repo_id_key(
            FSN_DIR_BUNDLES, &g_array_index(root->bundles, FsnObjectRef, ref->bundle).id);
        if (strcmp(own, key) == 0 &&
            !fsn_image_segment(source->image, i, &segment, error)) {
            return false;
        }
    }
    return true;
}

static bool
ignore_granule(gpointer user, uint64_t granule, const uint8_t *data, GError **error)
{
    return true; /* that it could be read is all that counts */
}

bool
fsn_tier_source_verify(FsnTierSource *source, const FsnTierPart *part, GError **error)
{
    g_autoptr(FsnBlob) blob = open_part(source, part, error);
    const char *name = strrchr(part->key, '/') + 1;
    g_autoptr(GBytes) bytes = NULL;

    if (!blob) {
        return false;
    }
    switch (part->reason) {
    case FSN_TIER_INDEX:
        /* The root was verified when the image was opened. */
        return verify_bundle(source, part->key, error);
    case FSN_TIER_STATE:
        return fsn_repo_get_object(source->repo, name, FSN_REPO_MAX_OBJECT, &bytes,
                                   error);
    case FSN_TIER_SEQUENCE:
        return fsn_sequence_read(source->repo, name, source->image, ignore_granule, NULL,
                                 error);
    case FSN_TIER_LIKELY:
    case FSN_TIER_REST:
        return verify_pack(source, blob, error);
    }
    g_assert_not_reached();
}

bool
fsn_tier_source_read(FsnTierSource *source,
                     const FsnTierPart *part,
                     FsnTierChunkFunc each,
                     gpointer user,
                     GError **error)
{
    g_autoptr(FsnBlob) blob = open_part(source, part, error);

    if (!blob) {
        return false;
    }
    for (uint64_t at = 0; at < part->length;) {
        size_t n = (size_t)MIN(FSN_TIER_CHUNK, part->length - at);

        if (!fsn_blob_pread(blob, source->buffer, n, at, error) ||
            !each(user, source->buffer, n, error)) {
            return false;
        }
        at += n;
    }
    return true;
}
