/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading granules of an image. Every granule is compared with its keyed hash each time it
 * is handed out: whatever happened to a pack, a frame or this cache, wrong bytes end here.
 */
#include "config.h"

#include "repo/image.h"

#include "base/error.h"
#include "repo/image-private.h"
#include "repo/image-runs.h"
#include "repo/repo-private.h"
#include "repofmt/frame.h"

#include <string.h>

#define CACHED_FRAMES 32
#define CACHED_PACKS  64
/* The index gives memory back after reads have moved between segments so many times. */
#define TRIM_SWITCHES 1024
/* For how many of these one to the next segment counts. */
#define TRIM_IN_ORDER 32

typedef struct {
    FsnId pack;
    uint32_t offset;
    unsigned count; /* granules; 0: empty */
    uint64_t used;  /* when it was last of use */
    uint8_t *raw;
} CachedFrame;

typedef struct {
    FsnId id;
    FsnBlob *blob; /* null: empty */
    uint64_t used;
} CachedPack;

struct FsnImageReader {
    FsnImage *image; /* borrowed */
    const FsnSuperblock *superblock;
    FsnCodecContext *codec;
    CachedFrame frames[CACHED_FRAMES];
    CachedPack packs[CACHED_PACKS];
    CachedFrame *last;
    uint8_t *encoded; /* room for one frame */
    uint64_t now;     /* counts uses */
    uint64_t segment; /* of the last read */
    unsigned switches;
};

FsnImageReader *
fsn_image_reader_new(FsnImage *image)
{
    FsnImageReader *reader = g_new0(FsnImageReader, 1);

    reader->image = image;
    reader->superblock = fsn_repo_superblock(fsn_image_repo(image));
    reader->codec = fsn_codec_context_new();
    reader->encoded = g_malloc(FSN_FRAME_MAX_SIZE);
    reader->last = &reader->frames[0];
    return reader;
}

void
fsn_image_reader_free(FsnImageReader *reader)
{
    if (reader) {
        for (size_t i = 0; i < CACHED_FRAMES; i++) {
            g_free(reader->frames[i].raw);
        }
        for (size_t i = 0; i < CACHED_PACKS; i++) {
            fsn_blob_free(reader->packs[i].blob);
        }
        fsn_codec_context_free(reader->codec);
        g_free(reader->encoded);
        g_free(reader);
    }
}

static FsnBlob *
get_pack(FsnImageReader *reader, const FsnId *id, GError **error)
{
    CachedPack *victim = &reader->packs[0];
    g_autofree char *key = NULL;
    g_autoptr(FsnBlob) blob = NULL;
    uint8_t header[FSN_OBJECT_HEADER_SIZE];

    for (size_t i = 0; i < CACHED_PACKS; i++) {
        CachedPack *pack = &reader->packs[i];

        if (pack->blob && fsn_id_equal(&pack->id, id)) {
            pack->used = ++reader->now;
            return pack->blob;
        }
        if (pack->used < victim->used) {
            victim = pack;
        }
    }
    key = fsn_repo_id_key(FSN_DIR_PACKS, id);
    blob = fsn_repo_open_blob(fsn_image_repo(reader->image), key, error);
    if (!blob || !fsn_blob_pread(blob, header, sizeof header, 0, error) ||
        !fsn_object_header_check(header, sizeof header, FSN_MAGIC_PACK, id, key, error)) {
        return NULL;
    }
    fsn_blob_free(victim->blob);
    *victim =
        (CachedPack){ .id = *id, .blob = g_steal_pointer(&blob), .used = ++reader->now };
    return victim->blob;
}

/* Reads and decodes the frame of @g into @frame. */
static bool
load_frame(FsnImageReader *reader,
           const FsnGranule *g,
           CachedFrame *frame,
           GError **error)
{
    g_autofree char *what = NULL;
    FsnBlob *blob = get_pack(reader, &g->pack, error);
    FsnFrameInfo info;

    if (!blob) {
        return false;
    }
    what = g_strdup_printf("%s at offset %u", fsn_blob_key(blob), g->offset);
    frame->count = 0;
    if (!frame->raw) {
        frame->raw = g_malloc(FSN_FRAME_MAX_RAW);
    }
    if (!fsn_blob_pread(blob, reader->encoded, FSN_FRAME_HEADER_SIZE, g->offset, error) ||
        !fsn_frame_parse(reader->encoded, what, &info, error) ||
        !fsn_blob_pread(blob, reader->encoded + FSN_FRAME_HEADER_SIZE, info.payload,
                        (uint64_t)g->offset + FSN_FRAME_HEADER_SIZE, error) ||
        !fsn_frame_decode(reader->codec, reader->encoded, &info, what, frame->raw,
                          error)) {
        return false;
    }
    frame->pack = g->pack;
    frame->offset = g->offset;
    frame->count = info.count;
    return true;
}

static bool
holds(const CachedFrame *frame, const FsnGranule *g)
{
    return frame->count > 0 && frame->offset == g->offset &&
           fsn_id_equal(&frame->pack, &g->pack);
}

static CachedFrame *
get_frame(FsnImageReader *reader, const FsnGranule *g, GError **error)
{
    CachedFrame *victim = &reader->frames[0];

    if (!holds(reader->last, g)) {
        for (size_t i = 0; i < CACHED_FRAMES; i++) {
            CachedFrame *frame = &reader->frames[i];

            if (holds(frame, g)) {
                victim = frame;
                break;
            }
            if (frame->used < victim->used) {
                victim = frame;
            }
        }
        if (!holds(victim, g) && !load_frame(reader, g, victim, error)) {
            return NULL;
        }
        reader->last = victim;
    }
    reader->last->used = ++reader->now;
    return reader->last;
}

/* Keeps the mapped part of a huge index small. */
static void
note_segment(FsnImageReader *reader, uint64_t segment)
{
    if (segment != reader->segment) {
        /* Reading in order never comes back. */
        reader->switches += segment == reader->segment + 1 ? TRIM_IN_ORDER : 1;
        reader->segment = segment;
        if (reader->switches >= TRIM_SWITCHES) {
            reader->switches = 0;
            fsn_image_trim(reader->image);
        }
    }
}

/* Says that @g is not what its pack holds; returns false. */
static bool
set_wrong_hash(const FsnGranule *g, uint64_t granule, GError **error)
{
    g_autofree char *key = fsn_repo_id_key(FSN_DIR_PACKS, &g->pack);

    return fsn_set_damaged(error, key,
                           "granule %" G_GUINT64_FORMAT " at offset %u, slot %u, does "
                           "not have the hash that the index says",
                           granule, g->offset, g->slot);
}

bool
fsn_image_reader_read(FsnImageReader *reader,
                      uint64_t granule,
                      uint8_t out[FSN_GRANULE_SIZE],
                      bool *out_zero,
                      GError **error)
{
    CachedFrame *frame;
    FsnGranule g;

    note_segment(reader, granule / FSN_SEGMENT_GRANULES);
    if (!fsn_image_lookup(reader->image, granule, &g, error)) {
        g_prefix_error(error, "cannot read granule %" G_GUINT64_FORMAT ": ", granule);
        return false;
    }
    if (g.kind != FSN_GRANULE_DATA) {
        memset(out, 0, FSN_GRANULE_SIZE);
        *out_zero = true;
        return true;
    }
    frame = get_frame(reader, &g, error);
    if (!frame) {
        g_prefix_error(error, "cannot read granule %" G_GUINT64_FORMAT ": ", granule);
        return false;
    }
    if (g.slot < frame->count) {
        memcpy(out, frame->raw + (size_t)g.slot * FSN_GRANULE_SIZE, FSN_GRANULE_SIZE);
        if (fsn_hash128_equal(
                fsn_hash128(reader->superblock->secret, out, FSN_GRANULE_SIZE), g.hash)) {
            *out_zero = false;
            return true;
        }
    }
    frame->count = 0;
    return set_wrong_hash(&g, granule, error);
}

bool
fsn_image_reader_read_run(
    FsnImageReader *reader, uint64_t first, uint64_t count, uint8_t *out, GError **error)
{
    FsnGranuleKind kind;
    uint64_t run;
    bool zero;

    g_assert(count <= fsn_image_n_granules(reader->image) &&
             first <= fsn_image_n_granules(reader->image) - count);
    while (count > 0) {
        if (!fsn_image_next_run(reader->image, first, count, &kind, &run, error)) {
            g_prefix_error(error, "cannot read granule %" G_GUINT64_FORMAT ": ", first);
            return false;
        }
        if (kind != FSN_GRANULE_DATA) {
            memset(out, 0, (size_t)run * FSN_GRANULE_SIZE);
        }
        for (uint64_t i = 0; kind == FSN_GRANULE_DATA && i < run; i++) {
            /* Granules of one frame follow each other; it is decoded once. */
            if (!fsn_image_reader_read(reader, first + i, out + i * FSN_GRANULE_SIZE,
                                       &zero, error)) {
                return false;
            }
        }
        first += run;
        count -= run;
        out += run * FSN_GRANULE_SIZE;
    }
    return true;
}
