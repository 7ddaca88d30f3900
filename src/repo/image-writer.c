/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking in the granules of an image: zero, as in the parent, seen before in this image, or
 * to be stored. Nothing here waits for storage unless the compressors are behind. What is
 * put becomes an index in image-index.c and an image in image-commit.c.
 */
#include "config.h"

#include "repo/image-writer-private.h"

#include "base/error.h"
#include "repo/repo-private.h"

#include <string.h>

/* Granules remembered to find equal ones, by hash; a power of two (3 MiB). */
#define SEEN_SIZE     131072
/* Memory of the map and of the parent's index is given back after so many segments were
 * entered: each takes up to 0.8 MiB. */
#define TRIM_SWITCHES 48
/* Repeats are taken out of the list of changes when it is longer than this. */
#define CHANGED_LIMIT 262144

FsnImageWriter *
fsn_image_writer_new(FsnRepo *repo, const FsnImageWriterOptions *options, GError **error)
{
    g_autoptr(FsnImageWriter) self = NULL;

    if (options->n_granules > FSN_ROOT_MAX_GRANULES) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "an image of %" G_GUINT64_FORMAT " granules is too large",
                    options->n_granules);
        return NULL;
    }
    self = g_new0(FsnImageWriter, 1);
    self->repo = repo;
    self->parent = options->parent;
    self->n_granules = options->n_granules;
    self->n_segments = fsn_root_segments_for(options->n_granules);
    self->secret = fsn_repo_superblock(repo)->secret;
    self->last_segment = G_MAXUINT64;
    self->changed_limit = CHANGED_LIMIT;
    if (!fsn_repo_begin_write(repo, &self->writer, error)) {
        return NULL;
    }
    if (self->parent &&
        !fsn_repo_protect(repo, FSN_DIR_ROOTS, fsn_image_root_id(self->parent), error)) {
        return NULL;
    }
    self->map = fsn_granule_map_new(repo, options->n_granules, error);
    if (!self->map) {
        return NULL;
    }
    self->entries = fsn_granule_map_entries(self->map);
    self->packs = fsn_pack_writer_new(repo, options->codec, options->level,
                                      options->threads, error);
    if (!self->packs) {
        return NULL;
    }
    self->seen = g_new0(FsnSeen, SEEN_SIZE);
    self->touched = g_new0(uint8_t, self->n_segments + 1);
    self->changed = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    self->stats.bytes_logical = self->n_granules * FSN_GRANULE_SIZE;
    return g_steal_pointer(&self);
}

void
fsn_image_writer_free(FsnImageWriter *self)
{
    if (self) {
        fsn_image_writer_clear_index(self);
        fsn_pack_writer_free(self->packs);
        fsn_granule_map_free(self->map);
        g_clear_pointer(&self->changed, g_array_unref);
        g_free(self->seen);
        g_free(self->touched);
        g_free(self);
    }
}

/* Whether the parent has contents of @hash at @granule. */
static bool
parent_has(FsnImageWriter *self,
           uint64_t granule,
           FsnHash128 hash,
           bool *out_same,
           GError **error)
{
    FsnSegment segment;
    FsnEntry entry;

    *out_same = false;
    if (!self->parent || granule >= fsn_image_n_granules(self->parent)) {
        return true;
    }
    if (!fsn_image_entry(self->parent, granule, &entry, &segment, error)) {
        g_prefix_error(error, "the previous image cannot be used: ");
        return false;
    }
    *out_same = entry.kind == FSN_GRANULE_DATA && fsn_hash128_equal(entry.hash, hash);
    return true;
}

/* Finds or stores @data and sets @entry. */
static bool
store(FsnImageWriter *self,
      const uint8_t *data,
      FsnHash128 hash,
      FsnMapEntry *entry,
      GError **error)
{
    FsnSeen *seen = &self->seen[hash.low & (SEEN_SIZE - 1)];
    uint32_t frame;
    uint8_t slot;

    /* An empty place has slot 0 of frame 0 and hash 0; a granule that hashes to 0 is as
     * likely as a collision. */
    if (fsn_hash128_equal(seen->hash, hash)) {
        self->stats.duplicate++;
        frame = seen->frame;
        slot = (uint8_t)seen->slot;
    } else {
        if (!fsn_pack_writer_add(self->packs, data, &frame, &slot, error)) {
            return false;
        }
        self->stats.stored++;
        *seen = (FsnSeen){ .hash = hash, .frame = frame, .slot = slot };
    }
    *entry =
        (FsnMapEntry){ .hash = hash, .frame = frame, .slot = slot, .kind = FSN_MAP_DATA };
    return true;
}

void
fsn_image_writer_trim(FsnImageWriter *self)
{
    fsn_granule_map_trim(self->map);
    if (self->parent) {
        fsn_image_trim(self->parent);
    }
}

/* Keeps memory bounded while the granules of a huge image go by. */
static void
enter_segment(FsnImageWriter *self, uint64_t segment)
{
    self->last_segment = segment;
    if (++self->switches >= TRIM_SWITCHES) {
        self->switches = 0;
        fsn_image_writer_trim(self);
    }
}

static void
note_change(FsnImageWriter *self, uint64_t granule)
{
    if (!self->indexed) {
        return;
    }
    g_array_append_val(self->changed, granule);
    if (self->changed->len > self->changed_limit) {
        fsn_image_writer_sort(self->changed);
        self->changed_limit = MAX(CHANGED_LIMIT, 2 * self->changed->len);
    }
}

static void
put_zero(FsnImageWriter *self, uint64_t granule)
{
    FsnMapEntry *entry = &self->entries[granule];

    self->stats.zero++;
    /* Where nothing was put the map stays untouched, and so takes no space. */
    if (self->touched[granule / FSN_SEGMENT_GRANULES] && entry->kind != FSN_MAP_ZERO) {
        *entry = (FsnMapEntry){ .kind = FSN_MAP_ZERO };
        note_change(self, granule);
    }
}

bool
fsn_image_writer_put(FsnImageWriter *self,
                     uint64_t granule,
                     const uint8_t *data,
                     GError **error)
{
    FsnMapEntry *entry;
    FsnHash128 hash;
    bool same;

    if (granule >= self->n_granules || self->committed) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "granule %" G_GUINT64_FORMAT
                    " is outside the image of %" G_GUINT64_FORMAT,
                    granule, self->n_granules);
        return false;
    }
    if (granule / FSN_SEGMENT_GRANULES != self->last_segment) {
        enter_segment(self, granule / FSN_SEGMENT_GRANULES);
    }
    self->stats.granules_put++;
    if (!data || fsn_is_zero(data, FSN_GRANULE_SIZE)) {
        put_zero(self, granule);
        return true;
    }
    entry = &self->entries[granule];
    hash = fsn_hash128(self->secret, data, FSN_GRANULE_SIZE);
    if (entry->kind != FSN_MAP_ZERO && fsn_hash128_equal(entry->hash, hash)) {
        self->stats.same++;
        return true;
    }
    if (!parent_has(self, granule, hash, &same, error)) {
        return false;
    }
    if (same) {
        self->stats.same++;
        *entry = (FsnMapEntry){ .hash = hash, .kind = FSN_MAP_SAME };
    } else if (!store(self, data, hash, entry, error)) {
        return false;
    }
    if (self->touched[granule / FSN_SEGMENT_GRANULES] == FSN_UNTOUCHED) {
        self->touched[granule / FSN_SEGMENT_GRANULES] = FSN_TOUCHED;
    }
    note_change(self, granule);
    return true;
}

void
fsn_image_writer_peek_stats(FsnImageWriter *self, FsnImageStats *out_stats)
{
    *out_stats = self->stats;
    out_stats->bytes_stored =
        fsn_pack_writer_bytes(self->packs) + self->stats.bytes_index;
}
