/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ring of frames between one filler, several compressors and one taker. Three numbers
 * that only grow say how far each has come; a frame's place in the ring is its number
 * modulo the size. Encoding and the frame's SHA-256 are the work that is spread.
 */
#include "config.h"

#include "repo/frame-pool.h"

/* Places in the ring beyond two per thread: slack for uneven frames and slow storage. */
#define SLACK 6

typedef struct {
    uint8_t *raw;
    uint8_t *encoded;
    size_t len;
    unsigned count;
    bool done;
    uint8_t sha256[FSN_SHA256_SIZE];
} Place;

struct FsnFramePool {
    FsnCodec codec;
    int level;
    Place *places;
    unsigned n_places;
    GThread **threads;
    unsigned n_threads;
    GMutex lock; /* guards all below and Place.done */
    GCond room, work, ready;
    uint64_t submitted, started, taken;
    bool closed;
};

static gpointer
compress_thread(gpointer data)
{
    FsnFramePool *pool = data;
    g_autoptr(FsnCodecContext) ctx = fsn_codec_context_new();

    g_mutex_lock(&pool->lock);
    while (true) {
        Place *place;

        while (pool->started == pool->submitted && !pool->closed) {
            g_cond_wait(&pool->work, &pool->lock);
        }
        if (pool->started == pool->submitted) {
            break;
        }
        place = &pool->places[pool->started++ % pool->n_places];
        g_mutex_unlock(&pool->lock);
        place->len = fsn_frame_encode(ctx, pool->codec, pool->level, place->raw,
                                      place->count, place->encoded);
        fsn_sha256(place->encoded, place->len, place->sha256);
        g_mutex_lock(&pool->lock);
        place->done = true;
        g_cond_signal(&pool->ready);
    }
    g_mutex_unlock(&pool->lock);
    return NULL;
}

FsnFramePool *
fsn_frame_pool_new(FsnCodec codec, int level, unsigned threads)
{
    FsnFramePool *pool = g_new0(FsnFramePool, 1);

    pool->codec = codec;
    pool->level = level;
    pool->n_threads = threads;
    pool->n_places = 2 * threads + SLACK;
    pool->places = g_new0(Place, pool->n_places);
    g_mutex_init(&pool->lock);
    g_cond_init(&pool->room);
    g_cond_init(&pool->work);
    g_cond_init(&pool->ready);
    pool->threads = g_new0(GThread *, threads);
    for (unsigned i = 0; i < threads; i++) {
        pool->threads[i] = g_thread_new("compress", compress_thread, pool);
    }
    return pool;
}

void
fsn_frame_pool_free(FsnFramePool *pool)
{
    if (!pool) {
        return;
    }
    fsn_frame_pool_close(pool);
    for (unsigned i = 0; i < pool->n_threads; i++) {
        g_thread_join(pool->threads[i]);
    }
    for (unsigned i = 0; i < pool->n_places; i++) {
        g_free(pool->places[i].raw);
        g_free(pool->places[i].encoded);
    }
    g_mutex_clear(&pool->lock);
    g_cond_clear(&pool->room);
    g_cond_clear(&pool->work);
    g_cond_clear(&pool->ready);
    g_free(pool->places);
    g_free(pool->threads);
    g_free(pool);
}

uint8_t *
fsn_frame_pool_begin(FsnFramePool *pool)
{
    Place *place;

    g_mutex_lock(&pool->lock);
    while (pool->submitted - pool->taken >= pool->n_places) {
        g_cond_wait(&pool->room, &pool->lock);
    }
    place = &pool->places[pool->submitted % pool->n_places];
    g_mutex_unlock(&pool->lock);
    if (!place->raw) {
        place->raw = g_malloc(FSN_FRAME_MAX_RAW);
        place->encoded = g_malloc(FSN_FRAME_MAX_SIZE);
    }
    return place->raw;
}

void
fsn_frame_pool_submit(FsnFramePool *pool, unsigned count)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&pool->lock);
    Place *place = &pool->places[pool->submitted % pool->n_places];

    place->count = count;
    place->done = false;
    pool->submitted++;
    g_cond_signal(&pool->work);
}

void
fsn_frame_pool_close(FsnFramePool *pool)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&pool->lock);

    pool->closed = true;
    g_cond_broadcast(&pool->work);
    g_cond_broadcast(&pool->ready);
}

bool
fsn_frame_pool_take(FsnFramePool *pool, FsnEncodedFrame *out_frame)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&pool->lock);
    Place *place = &pool->places[pool->taken % pool->n_places];

    while (!(pool->taken < pool->submitted && place->done)) {
        if (pool->closed && pool->taken == pool->submitted) {
            return false;
        }
        g_cond_wait(&pool->ready, &pool->lock);
    }
    out_frame->data = place->encoded;
    out_frame->len = place->len;
    out_frame->count = place->count;
    memcpy(out_frame->sha256, place->sha256, sizeof place->sha256);
    return true;
}

void
fsn_frame_pool_release(FsnFramePool *pool)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&pool->lock);

    pool->places[pool->taken % pool->n_places].done = false;
    pool->taken++;
    g_cond_signal(&pool->room);
}
