/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking in the granules of an image: empty, as in the parent, seen before in this image, or
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
#define TRIM_SWITCHES 24
/* Repeats are taken out of the list of changes when it is longer than this. */
#define CHANGED_LIMIT 262144

/* Makes all granules those of the parent, as far as it reaches. */
static bool
inherit_all(FsnImageWriter *self, GError **error)
{
    uint64_t parent = fsn_image_n_granules(self->parent);
    uint64_t end = MIN(parent, self->n_granules);
    const FsnMapEntry inherited = { .kind = FSN_MAP_INHERITED };

    for (uint32_t s = 0; s < fsn_root_segments_for(end); s++) {
        uint64_t first = (uint64_t)s * FSN_SEGMENT_GRANULES;

        self->touched[s] = FSN_TOUCHED;
        if (end - first >= fsn_root_segment_count(self->n_granules, s)) {
            fsn_granule_map_set_fill(self->map, s, FSN_MAP_INHERITED);
            continue;
        }
        /* The parent ends within this segment. */
        for (uint64_t granule = first; granule < end; granule++) {
            if (!fsn_granule_map_set(self->map, granule, &inherited, error)) {
                return false;
            }
        }
    }
    return true;
}

FsnImageWriter *
fsn_image_writer_new(FsnRepo *repo, const FsnImageWriterOptions *options, GError **error)
{
    g_autoptr(FsnImageWriter) self = NULL;

    g_assert(options->parent || !options->inherit);
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
    self->map = fsn_granule_map_new(repo, options->n_granules, FSN_MAP_ZERO, error);
    if (!self->map) {
        return NULL;
    }
    self->packs = fsn_pack_writer_new(repo, options->codec, options->level,
                                      options->threads, error);
    if (!self->packs) {
        return NULL;
    }
    self->seen = g_new0(FsnSeen, SEEN_SIZE);
    self->touched = g_new0(uint8_t, self->n_segments + 1);
    self->changed = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    self->stats.bytes_logical = self->n_granules * FSN_GRANULE_SIZE;
    if (options->inherit && !inherit_all(self, error)) {
        return NULL;
    }
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

/* What the parent has at @granule; zero where it has no such granule. */
static bool
parent_entry(FsnImageWriter *self, uint64_t granule, FsnEntry *out_entry, GError **error)
{
    FsnSegment segment;

    if (!self->parent || granule >= fsn_image_n_granules(self->parent)) {
        *out_entry = (FsnEntry){ .kind = FSN_GRANULE_ZERO };
        return true;
    }
    if (!fsn_image_entry(self->parent, granule, out_entry, &segment, error)) {
        g_prefix_error(error, "the previous image cannot be used: ");
        return false;
    }
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

/* Sets @granule to @entry, which is not what it was. */
static bool
change(FsnImageWriter *self, uint64_t granule, const FsnMapEntry *entry, GError **error)
{
    uint8_t *touched = &self->touched[granule / FSN_SEGMENT_GRANULES];

    if (!fsn_granule_map_set(self->map, granule, entry, error)) {
        return false;
    }
    if (*touched == FSN_UNTOUCHED) {
        *touched = FSN_TOUCHED;
    }
    note_change(self, granule);
    return true;
}

/* Puts a zero or a hole. */
static bool
put_empty(FsnImageWriter *self, uint64_t granule, FsnMapKind kind, GError **error)
{
    const FsnMapEntry entry = { .kind = (uint8_t)kind };
    FsnMapKind was = fsn_granule_map_get(self->map, granule).kind;
    FsnEntry parent;

    self->stats.zero++;
    if (was == FSN_MAP_INHERITED) {
        if (!parent_entry(self, granule, &parent, error)) {
            return false;
        }
        if (parent.kind != FSN_GRANULE_DATA &&
            (parent.kind == FSN_GRANULE_HOLE) == (kind == FSN_MAP_HOLE)) {
            return true;
        }
    }
    return was == kind || change(self, granule, &entry, error);
}

static bool
put_data(FsnImageWriter *self, uint64_t granule, const uint8_t *data, GError **error)
{
    FsnMapEntry entry = fsn_granule_map_get(self->map, granule);
    FsnMapKind was = entry.kind;
    FsnHash128 hash = fsn_hash128(self->secret, data, FSN_GRANULE_SIZE);
    FsnEntry parent;

    if ((was == FSN_MAP_DATA || was == FSN_MAP_SAME) &&
        fsn_hash128_equal(entry.hash, hash)) {
        self->stats.same++;
        return true;
    }
    if (!parent_entry(self, granule, &parent, error)) {
        return false;
    }
    if (parent.kind == FSN_GRANULE_DATA && fsn_hash128_equal(parent.hash, hash)) {
        self->stats.same++;
        entry = (FsnMapEntry){ .hash = hash, .kind = FSN_MAP_SAME };
        return was == FSN_MAP_INHERITED || change(self, granule, &entry, error);
    }
    return store(self, data, hash, &entry, error) && change(self, granule, &entry, error);
}

/* Whether @count granules from @first may be put. */
static bool
check_range(FsnImageWriter *self, uint64_t first, uint64_t count, GError **error)
{
    if (self->committed || first > self->n_granules || count > self->n_granules - first) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "granule %" G_GUINT64_FORMAT
                    " is outside the image of %" G_GUINT64_FORMAT,
                    first, self->n_granules);
        return false;
    }
    return true;
}

bool
fsn_image_writer_put(FsnImageWriter *self,
                     uint64_t granule,
                     const uint8_t *data,
                     GError **error)
{
    if (!check_range(self, granule, 1, error)) {
        return false;
    }
    if (granule / FSN_SEGMENT_GRANULES != self->last_segment) {
        enter_segment(self, granule / FSN_SEGMENT_GRANULES);
    }
    self->stats.granules_put++;
    return !data || fsn_is_zero(data, FSN_GRANULE_SIZE)
               ? put_empty(self, granule, FSN_MAP_ZERO, error)
               : put_data(self, granule, data, error);
}

/* Makes a whole segment empty. It gets its base anew when it is indexed next. */
static void
fill_segment(FsnImageWriter *self, uint32_t s, FsnMapKind kind)
{
    if (fsn_granule_map_fill(self->map, s) != kind) {
        fsn_granule_map_set_fill(self->map, s, kind);
        self->touched[s] = FSN_TOUCHED;
    }
    self->stats.zero += fsn_root_segment_count(self->n_granules, s);
}

bool
fsn_image_writer_put_range(FsnImageWriter *self,
                           uint64_t first,
                           uint64_t count,
                           FsnGranuleKind kind,
                           GError **error)
{
    FsnMapKind empty = kind == FSN_GRANULE_HOLE ? FSN_MAP_HOLE : FSN_MAP_ZERO;
    uint64_t end = first + count;

    g_assert(kind != FSN_GRANULE_DATA);
    if (!check_range(self, first, count, error)) {
        return false;
    }
    self->stats.granules_put += count;
    while (first < end) {
        uint32_t s = (uint32_t)(first / FSN_SEGMENT_GRANULES);
        uint64_t start = (uint64_t)s * FSN_SEGMENT_GRANULES;
        uint64_t stop = start + fsn_root_segment_count(self->n_granules, s);

        if (first == start && stop <= end) {
            fill_segment(self, s, empty);
            first = stop;
            continue;
        }
        if (s != self->last_segment) {
            enter_segment(self, s);
        }
        for (; first < MIN(stop, end); first++) {
            if (!put_empty(self, first, empty, error)) {
                return false;
            }
        }
    }
    return true;
}

void
fsn_image_writer_peek_stats(FsnImageWriter *self, FsnImageStats *out_stats)
{
    *out_stats = self->stats;
    out_stats->bytes_stored =
        fsn_pack_writer_bytes(self->packs) + self->stats.bytes_index;
}
