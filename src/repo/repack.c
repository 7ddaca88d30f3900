/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thinning packs. Nothing that a manifest or lease needs is ever missing, whenever this ends:
 * the thin pack is durable before it takes the place of the whole one, which waits aside until
 * manifests have been looked at once more. Who commits in between either is seen then, or
 * sees the thin pack himself (thinned.c). Files are not made shorter; what is removed is a
 * hole.
 */
#include "config.h"

#include "repo/repack.h"

#include "base/error.h"
#include "repo/image-private.h"
#include "repo/live-frames.h"
#include "repo/pack-frames.h"
#include "repo/repo-private.h"
#include "repo/thinned.h"

#include <string.h>

typedef struct {
    char *key; /* of the pack */
    FsnId id;
    uint64_t gain; /* bytes of frames that go */
    bool thin;     /* the thin one is in place */
} Candidate;

struct FsnRepack {
    FsnRepo *repo; /* borrowed */
    FsnLiveFrames *live;
    GHashTable *roots; /* keys of roots whose frames are in live */
    GPtrArray *candidates;
};

bool
fsn_repack_is_worth(uint64_t bytes, uint64_t live)
{
    return live <= bytes && bytes - live >= FSN_REPACK_MIN_GAIN &&
           live < bytes / 100 * FSN_REPACK_LIVE_PERCENT;
}

static void
candidate_free(gpointer data)
{
    Candidate *c = data;

    g_free(c->key);
    g_free(c);
}

void
fsn_repack_free(FsnRepack *self)
{
    if (self) {
        fsn_live_frames_free(self->live);
        g_hash_table_unref(self->roots);
        g_ptr_array_unref(self->candidates);
        g_free(self);
    }
}

/* Adds the frames of all roots in @keys to @live, but for those in self->roots. */
static bool
add_roots(FsnRepack *self, GHashTable *keys, FsnLiveFrames *live, GError **error)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, keys);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        g_autoptr(FsnImage) image = NULL;

        if (!g_str_has_prefix(key, FSN_DIR_ROOTS "/") ||
            g_hash_table_contains(self->roots, key)) {
            continue;
        }
        image = fsn_image_open(self->repo, strrchr(key, '/') + 1, error);
        if (!image || !fsn_live_frames_add(live, image, error)) {
            return false;
        }
        if (live == self->live) {
            g_hash_table_add(self->roots, g_strdup(key));
        }
    }
    return true;
}

/* Bytes of the frames of a pack, and of those of them that are needed. */
static void
weigh(FsnRepack *self,
      const FsnId *id,
      GArray *frames,
      uint64_t *out_bytes,
      uint64_t *out_live)
{
    *out_bytes = 0;
    *out_live = 0;
    for (guint i = 0; i < frames->len; i++) {
        const FsnPackFrame *frame = &g_array_index(frames, FsnPackFrame, i);

        if (!fsn_pack_frame_removed(frame)) {
            *out_bytes += frame->length;
            if (fsn_live_frames_has(self->live, id, frame->offset)) {
                *out_live += frame->length;
            }
        }
    }
}

/* Adds the pack @key if it is worth it. One that is damaged or has just gone is not. */
static void
consider(FsnRepack *self, const char *key, GHashTable *writers)
{
    g_autoptr(FsnBlob) blob = fsn_blob_open(fsn_repo_store(self->repo), key, NULL);
    uint8_t header[FSN_OBJECT_HEADER_SIZE];
    g_autoptr(GArray) frames = NULL;
    g_autofree char *writer = NULL;
    uint64_t bytes, live;
    Candidate *c;
    FsnId id;

    if (!blob || !fsn_id_parse(strrchr(key, '/') + 1, &id) ||
        !fsn_pack_read_frames(blob, header, &frames, NULL)) {
        return;
    }
    writer = fsn_hex(header + 40, FSN_ID_SIZE);
    weigh(self, &id, frames, &bytes, &live);
    if (!g_hash_table_contains(writers, writer) && fsn_repack_is_worth(bytes, live)) {
        c = g_new0(Candidate, 1);
        c->key = g_strdup(key);
        c->id = id;
        c->gain = bytes - live;
        g_ptr_array_add(self->candidates, c);
    }
}

FsnRepack *
fsn_repack_plan(FsnRepo *repo, GHashTable *keys, GHashTable *writers, GError **error)
{
    g_autoptr(FsnRepack) self = g_new0(FsnRepack, 1);
    GHashTableIter iter;
    gpointer key;

    self->repo = repo;
    self->live = fsn_live_frames_new();
    self->roots = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->candidates = g_ptr_array_new_with_free_func(candidate_free);
    if (!add_roots(self, keys, self->live, error)) {
        return NULL;
    }
    g_hash_table_iter_init(&iter, keys);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        if (g_str_has_prefix(key, FSN_DIR_PACKS "/")) {
            consider(self, key, writers);
        }
    }
    return g_steal_pointer(&self);
}

uint64_t
fsn_repack_packs(const FsnRepack *self)
{
    return self->candidates->len;
}

uint64_t
fsn_repack_bytes(const FsnRepack *self)
{
    uint64_t sum = 0;

    for (guint i = 0; i < self->candidates->len; i++) {
        sum += ((Candidate *)g_ptr_array_index(self->candidates, i))->gain;
    }
    return sum;
}

bool
fsn_repack_announce(FsnRepack *self, GError **error)
{
    g_autoptr(GHashTable) noted = NULL;

    if (!fsn_repo_list_thinned(self->repo, &noted, error)) {
        return false;
    }
    for (guint i = 0; i < self->candidates->len; i++) {
        const Candidate *c = g_ptr_array_index(self->candidates, i);

        if (!g_hash_table_contains(noted, c->key) &&
            !fsn_repo_note_thinned(self->repo, strrchr(c->key, '/') + 1, 0, error)) {
            return false;
        }
    }
    return true;
}

/* Copies one frame, verified, or leaves it out. */
static bool
copy_frame(
    FsnBlob *from, FsnBlobWriter *to, FsnPackFrame *frame, bool keep, GError **error)
{
    uint8_t sha[FSN_SHA256_SIZE];
    g_autofree uint8_t *data = NULL;

    if (!keep) {
        memset(frame->sha256, 0, sizeof frame->sha256);
        return fsn_blob_append_hole(to, frame->length, error);
    }
    data = g_malloc(frame->length);
    if (!fsn_blob_pread(from, data, frame->length, frame->offset, error)) {
        return false;
    }
    fsn_sha256(data, frame->length, sha);
    if (memcmp(sha, frame->sha256, sizeof sha) != 0) {
        return fsn_set_damaged(error, fsn_blob_key(from),
                               "the SHA-256 of the frame at %u is wrong", frame->offset);
    }
    return fsn_blob_append(to, data, frame->length, error);
}

/* Writes the thin pack of @blob to @to. */
static bool
write_thin(
    FsnRepack *self, const Candidate *c, FsnBlob *blob, FsnBlobWriter *to, GError **error)
{
    uint8_t header[FSN_OBJECT_HEADER_SIZE];
    g_autoptr(GArray) frames = NULL;
    g_autoptr(GBytes) thin = NULL;
    g_autoptr(GBytes) footer = NULL;

    if (!fsn_pack_read_frames(blob, header, &frames, error)) {
        return false;
    }
    thin = fsn_pack_thin_header(header);
    if (!fsn_blob_append(to, g_bytes_get_data(thin, NULL), g_bytes_get_size(thin),
                         error)) {
        return false;
    }
    for (guint i = 0; i < frames->len; i++) {
        FsnPackFrame *frame = &g_array_index(frames, FsnPackFrame, i);
        bool keep = !fsn_pack_frame_removed(frame) &&
                    fsn_live_frames_has(self->live, &c->id, frame->offset);

        if (!copy_frame(blob, to, frame, keep, error)) {
            return false;
        }
    }
    footer = fsn_pack_footer(thin, frames);
    return fsn_blob_append(to, g_bytes_get_data(footer, NULL), g_bytes_get_size(footer),
                           error);
}

/* Puts the whole pack back. */
static bool
put_back(FsnRepack *self, Candidate *c, GError **error)
{
    g_autofree char *aside = g_strconcat(FSN_DIR_ASIDE "/", c->key, NULL);

    c->thin = false;
    return fsn_blob_rename(fsn_repo_store(self->repo), aside, c->key, error);
}

static bool
thin(FsnRepack *self, Candidate *c, GError **error)
{
    FsnBlobStore *store = fsn_repo_store(self->repo);
    g_autofree char *aside = g_strconcat(FSN_DIR_ASIDE "/", c->key, NULL);
    g_autoptr(FsnBlob) blob = fsn_blob_open(store, c->key, error);
    g_autoptr(FsnBlobWriter) writer = NULL;

    if (!blob || !(writer = fsn_blob_create(store, c->key, error)) ||
        !write_thin(self, c, blob, writer, error) ||
        !fsn_blob_rename(store, c->key, aside, error)) {
        return false;
    }
    if (!fsn_blob_commit(writer, error)) {
        (void)!put_back(self, c, NULL); /* else the next collection does it */
        return false;
    }
    c->thin = true;
    return true;
}

bool
fsn_repack_run(FsnRepack *self, GHashTable *keys, GError **error)
{
    if (self->candidates->len == 0) {
        return true;
    }
    if (!add_roots(self, keys, self->live, error)) {
        return false;
    }
    for (guint i = 0; i < self->candidates->len; i++) {
        Candidate *c = g_ptr_array_index(self->candidates, i);
        g_autoptr(GError) local = NULL;

        /* A damaged pack stays for 'verify' to name, one that has gone was another's. */
        if (g_hash_table_contains(keys, c->key) && !thin(self, c, &local) &&
            !g_error_matches(local, FSN_ERROR, FSN_ERROR_CORRUPT) &&
            !g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
    }
    return true;
}

typedef struct {
    const FsnLiveFrames *live;
    const FsnId *id;
} Kept;

static bool
was_kept(gpointer user, uint32_t offset)
{
    const Kept *kept = user;

    return fsn_live_frames_has(kept->live, kept->id, offset);
}

/* Ends the thinning of one pack, of which @late is what was found to be needed too. */
static bool
settle_one(FsnRepack *self, Candidate *c, const FsnLiveFrames *late, GError **error)
{
    g_autofree char *aside = g_strconcat(FSN_DIR_ASIDE "/", c->key, NULL);
    Kept kept = { .live = self->live, .id = &c->id };

    if (!fsn_live_frames_each(late, &c->id, was_kept, &kept)) {
        return put_back(self, c, error);
    }
    return fsn_blob_remove(fsn_repo_store(self->repo), aside, false, error) &&
           fsn_repo_note_thinned(self->repo, strrchr(c->key, '/') + 1, c->gain, error);
}

bool
fsn_repack_settle(FsnRepack *self, GHashTable *keys, GError **error)
{
    g_autoptr(FsnLiveFrames) late = fsn_live_frames_new();

    if (self->candidates->len == 0) {
        return true;
    }
    if (!add_roots(self, keys, late, error)) {
        return false;
    }
    for (guint i = self->candidates->len; i > 0; i--) {
        Candidate *c = g_ptr_array_index(self->candidates, i - 1);

        if (c->thin && !settle_one(self, c, late, error)) {
            return false;
        }
        if (!c->thin) {
            g_ptr_array_remove_index(self->candidates, i - 1);
        }
    }
    return true;
}
