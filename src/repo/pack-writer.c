/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From granules to durable packs. The caller fills frames; the pool compresses them; one
 * thread appends them to the current pack in order; full packs are synced and put in place
 * by two more, so that at the end only the last pack is still to be waited for.
 */
#include "config.h"

#include "repo/pack-writer.h"

#include "base/error.h"
#include "repo/frame-pool.h"
#include "repo/repo-private.h"
#include "repofmt/pack.h"

#include <string.h>

/* A pack is closed when it has so many bytes. */
#define PACK_TARGET (16u * 1024 * 1024)
/* Packs that wait to be synced; more would only pile up open files. */
#define MAX_SYNCING 16

typedef struct {
    uint32_t pack;
    uint32_t offset;
} Location;

struct FsnPackWriter {
    FsnRepo *repo; /* borrowed */
    FsnId id;      /* the lease's */
    FsnFramePool *pool;
    GThread *thread;
    GThreadPool *syncers;
    unsigned frame_granules;

    /* of the calling thread */
    uint8_t *raw; /* the frame being filled; null if none is */
    unsigned filled;
    uint64_t n_frames; /* submitted */

    /* of the appending thread; of the calling one while all frames are written */
    FsnBlobWriter *blob;
    GBytes *header;
    GArray *frames; /* FsnPackFrame of the current pack */
    uint32_t offset;

    GMutex lock; /* guards all below */
    GCond changed;
    GError *error; /* the first failure */
    int failed;    /* atomic: error is set */
    uint64_t written;
    unsigned syncing;
    GArray *locations; /* Location per frame */
    GArray *packs;     /* FsnObjectRef; length is set when the pack is closed */
    uint64_t bytes;
};

static void
fail(FsnPackWriter *self, GError *error)
{
    g_mutex_lock(&self->lock);
    if (!self->error) {
        self->error = g_steal_pointer(&error);
        g_atomic_int_set(&self->failed, 1);
    }
    g_cond_broadcast(&self->changed);
    g_mutex_unlock(&self->lock);
    g_clear_error(&error);
}

static bool
check_failed(FsnPackWriter *self, GError **error)
{
    if (G_LIKELY(!g_atomic_int_get(&self->failed))) {
        return true;
    }
    g_mutex_lock(&self->lock);
    g_propagate_error(error, g_error_copy(self->error));
    g_mutex_unlock(&self->lock);
    return false;
}

/* Runs in the syncers' threads. */
static void
sync_pack(gpointer data, gpointer user)
{
    FsnPackWriter *self = user;
    FsnBlobWriter *blob = data;
    GError *error = NULL;

    if (!fsn_blob_commit(blob, &error)) {
        fail(self, error);
    }
    fsn_blob_writer_free(blob);
    g_mutex_lock(&self->lock);
    self->syncing--;
    g_cond_broadcast(&self->changed);
    g_mutex_unlock(&self->lock);
}

static bool
open_pack(FsnPackWriter *self, GError **error)
{
    FsnObjectRef ref = { .id = fsn_id_new() };
    g_autofree char *key = fsn_repo_id_key(FSN_DIR_PACKS, &ref.id);
    g_autoptr(FsnBlobWriter) blob =
        fsn_blob_create(fsn_repo_store(self->repo), key, error);

    if (!blob) {
        return false;
    }
    g_clear_pointer(&self->header, g_bytes_unref);
    self->header = fsn_pack_header(&ref.id, &self->id);
    if (!fsn_blob_append(blob, g_bytes_get_data(self->header, NULL),
                         g_bytes_get_size(self->header), error)) {
        return false;
    }
    g_array_set_size(self->frames, 0);
    self->offset = (uint32_t)g_bytes_get_size(self->header);
    self->blob = g_steal_pointer(&blob);
    g_mutex_lock(&self->lock);
    g_array_append_val(self->packs, ref);
    g_mutex_unlock(&self->lock);
    return true;
}

/* Ends the current pack and has it synced in the background. */
static bool
close_pack(FsnPackWriter *self, GError **error)
{
    g_autoptr(GBytes) footer = fsn_pack_footer(self->header, self->frames);
    size_t len = g_bytes_get_size(footer);

    if (!fsn_blob_append(self->blob, g_bytes_get_data(footer, NULL), len, error)) {
        return false;
    }
    g_mutex_lock(&self->lock);
    while (self->syncing >= MAX_SYNCING) {
        g_cond_wait(&self->changed, &self->lock);
    }
    self->syncing++;
    self->bytes += self->offset + len;
    g_array_index(self->packs, FsnObjectRef, self->packs->len - 1).length =
        self->offset + len;
    g_mutex_unlock(&self->lock);
    g_thread_pool_push(self->syncers, g_steal_pointer(&self->blob), NULL);
    return true;
}

static bool
append_frame(FsnPackWriter *self, const FsnEncodedFrame *frame, GError **error)
{
    FsnPackFrame entry = { .length = (uint32_t)frame->len };
    Location location;

    if (!self->blob && !open_pack(self, error)) {
        return false;
    }
    if (!fsn_blob_append(self->blob, frame->data, frame->len, error)) {
        return false;
    }
    entry.offset = self->offset;
    memcpy(entry.sha256, frame->sha256, sizeof entry.sha256);
    g_array_append_val(self->frames, entry);
    self->offset += entry.length;
    g_mutex_lock(&self->lock);
    location = (Location){ .pack = self->packs->len - 1, .offset = entry.offset };
    g_array_append_val(self->locations, location);
    g_mutex_unlock(&self->lock);
    return self->offset < PACK_TARGET || close_pack(self, error);
}

static gpointer
append_thread(gpointer data)
{
    FsnPackWriter *self = data;
    FsnEncodedFrame frame;

    while (fsn_frame_pool_take(self->pool, &frame)) {
        GError *error = NULL;

        /* After a failure frames are only drained, so that the caller never hangs. */
        if (!g_atomic_int_get(&self->failed) && !append_frame(self, &frame, &error)) {
            fail(self, error);
        }
        fsn_frame_pool_release(self->pool);
        g_mutex_lock(&self->lock);
        self->written++;
        g_cond_broadcast(&self->changed);
        g_mutex_unlock(&self->lock);
    }
    return NULL;
}

FsnPackWriter *
fsn_pack_writer_new(
    FsnRepo *repo, FsnCodec codec, int level, unsigned threads, GError **error)
{
    FsnPackWriter *self;
    FsnId id;

    if (!fsn_repo_begin_write(repo, &id, error)) {
        return NULL;
    }
    self = g_new0(FsnPackWriter, 1);
    self->repo = repo;
    self->id = id;
    self->frame_granules = fsn_repo_superblock(repo)->frame_granules;
    self->frames = g_array_new(FALSE, FALSE, sizeof(FsnPackFrame));
    self->locations = g_array_new(FALSE, FALSE, sizeof(Location));
    self->packs = g_array_new(FALSE, FALSE, sizeof(FsnObjectRef));
    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    self->pool =
        fsn_frame_pool_new(codec, level, threads ? threads : g_get_num_processors());
    self->syncers = g_thread_pool_new(sync_pack, self, 2, FALSE, NULL);
    self->thread = g_thread_new("pack", append_thread, self);
    return self;
}

void
fsn_pack_writer_free(FsnPackWriter *self)
{
    if (!self) {
        return;
    }
    fsn_frame_pool_close(self->pool);
    g_thread_join(self->thread);
    g_thread_pool_free(self->syncers, FALSE, TRUE);
    fsn_frame_pool_free(self->pool);
    fsn_blob_writer_free(self->blob);
    g_clear_pointer(&self->header, g_bytes_unref);
    g_array_unref(self->frames);
    g_array_unref(self->locations);
    g_array_unref(self->packs);
    g_clear_error(&self->error);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->changed);
    g_free(self);
}

static void
submit(FsnPackWriter *self)
{
    fsn_frame_pool_submit(self->pool, self->filled);
    self->raw = NULL;
    self->filled = 0;
    self->n_frames++;
}

bool
fsn_pack_writer_add(FsnPackWriter *self,
                    const uint8_t *granule,
                    uint32_t *out_frame,
                    uint8_t *out_slot,
                    GError **error)
{
    if (!self->raw) {
        if (!check_failed(self, error)) {
            return false;
        }
        if (self->n_frames > UINT32_MAX) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                        "an image with more than 2^32 frames");
            return false;
        }
        self->raw = fsn_frame_pool_begin(self->pool);
    }
    memcpy(self->raw + (size_t)self->filled * FSN_GRANULE_SIZE, granule,
           FSN_GRANULE_SIZE);
    *out_frame = (uint32_t)self->n_frames;
    *out_slot = (uint8_t)self->filled;
    if (++self->filled == self->frame_granules) {
        submit(self);
    }
    return true;
}

bool
fsn_pack_writer_flush(FsnPackWriter *self, GError **error)
{
    GError *local = NULL;

    if (self->filled > 0) {
        submit(self);
    }
    g_mutex_lock(&self->lock);
    while (self->written < self->n_frames) {
        g_cond_wait(&self->changed, &self->lock);
    }
    g_mutex_unlock(&self->lock);
    /* The appending thread now waits for frames that only we can submit. */
    if (self->blob && !g_atomic_int_get(&self->failed) && !close_pack(self, &local)) {
        fail(self, local);
    }
    g_mutex_lock(&self->lock);
    while (self->syncing > 0) {
        g_cond_wait(&self->changed, &self->lock);
    }
    g_mutex_unlock(&self->lock);
    return check_failed(self, error);
}

void
fsn_pack_writer_locate(FsnPackWriter *self,
                       uint32_t frame,
                       uint32_t *out_pack,
                       uint32_t *out_offset)
{
    const Location *location = &g_array_index(self->locations, Location, frame);

    *out_pack = location->pack;
    *out_offset = location->offset;
}

FsnObjectRef
fsn_pack_writer_pack(FsnPackWriter *self, uint32_t pack)
{
    return g_array_index(self->packs, FsnObjectRef, pack);
}

uint64_t
fsn_pack_writer_bytes(FsnPackWriter *self)
{
    return self->bytes;
}
