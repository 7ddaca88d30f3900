/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index of an image in progress. At each place it rests on a segment (the base): the
 * parent's, none where all is zero or a hole, or a new one. Granules that differ from the base are
 * listed; they become the overlay of the root. New segments are written where so much
 * differs that this is worth it, and where the list would get too long: the densest first,
 * since a segment costs the same however many entries it takes off the list.
 */
#include "config.h"

#include "repo/image-writer-private.h"

#include "base/error.h"
#include "repo/repo-private.h"

#include <string.h>

/* A segment is written anew when more than one in so many of its granules differs: its
 * cost is then at most a tenth of that of the granules. */
#define REWRITE_SHARE 16
/* Memory is given back after so many segments. */
#define TRIM_SEGMENTS 24
/* The same after so many entries scattered over them. */
#define TRIM_ENTRIES  128

static guint
id_hash(gconstpointer key)
{
    guint h;

    memcpy(&h, key, sizeof h);
    return h;
}

static gboolean
id_equal(gconstpointer a, gconstpointer b)
{
    return fsn_id_equal(a, b);
}

GHashTable *
fsn_image_writer_numbers_new(void)
{
    return g_hash_table_new_full(id_hash, id_equal, g_free, NULL);
}

bool
fsn_image_writer_worth_rewriting(FsnImageWriter *self, uint32_t s, guint differing)
{
    return differing > fsn_root_segment_count(self->n_granules, s) / REWRITE_SHARE;
}

uint32_t
fsn_image_writer_number(GHashTable *numbers, GArray *table, FsnObjectRef ref)
{
    gpointer value;

    if (g_hash_table_lookup_extended(numbers, &ref.id, NULL, &value)) {
        return GPOINTER_TO_UINT(value);
    }
    g_array_append_val(table, ref);
    g_hash_table_insert(numbers, g_memdup2(&ref.id, sizeof ref.id),
                        GUINT_TO_POINTER(table->len - 1));
    return table->len - 1;
}

bool
fsn_image_writer_parent_length(FsnImageWriter *self,
                               const FsnId *id,
                               uint64_t *out_length,
                               GError **error)
{
    g_autofree char *hex = NULL;
    const uint64_t *length;

    if (!self->parent_lengths) {
        GArray *packs = fsn_image_root(self->parent)->packs;

        self->parent_lengths = g_hash_table_new(id_hash, id_equal);
        for (guint i = 0; i < packs->len; i++) {
            FsnObjectRef *ref = &g_array_index(packs, FsnObjectRef, i);

            g_hash_table_insert(self->parent_lengths, &ref->id, &ref->length);
        }
    }
    length = g_hash_table_lookup(self->parent_lengths, id);
    if (!length) {
        hex = fsn_id_to_string(id);
        g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT,
                    "the root '%s' does not name pack %s",
                    fsn_image_root_id(self->parent), hex);
        return false;
    }
    *out_length = *length;
    return true;
}

bool
fsn_image_writer_current(FsnImageWriter *self,
                         uint64_t granule,
                         FsnGranule *out_granule,
                         uint64_t *out_pack_length,
                         GError **error)
{
    const FsnMapEntry entry = fsn_granule_map_get(self->map, granule);
    FsnObjectRef ref;
    uint32_t pack;

    memset(out_granule, 0, sizeof *out_granule);
    *out_pack_length = 0;
    switch ((FsnMapKind)entry.kind) {
    case FSN_MAP_ZERO:
        return true;
    case FSN_MAP_HOLE:
        out_granule->kind = FSN_GRANULE_HOLE;
        return true;
    case FSN_MAP_DATA:
        out_granule->kind = FSN_GRANULE_DATA;
        out_granule->hash = entry.hash;
        out_granule->slot = entry.slot;
        fsn_pack_writer_locate(self->packs, entry.frame, &pack, &out_granule->offset);
        ref = fsn_pack_writer_pack(self->packs, pack);
        out_granule->pack = ref.id;
        *out_pack_length = ref.length;
        return true;
    case FSN_MAP_SAME:
    case FSN_MAP_INHERITED:
        return fsn_image_lookup(self->parent, granule, out_granule, error) &&
               (out_granule->kind != FSN_GRANULE_DATA ||
                fsn_image_writer_parent_length(self, &out_granule->pack, out_pack_length,
                                               error));
    case FSN_MAP_MIXED:
        break;
    }
    g_assert_not_reached();
}

static int
compare_numbers(gconstpointer a, gconstpointer b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

void
fsn_image_writer_sort(GArray *granules)
{
    guint n = 0;

    g_array_sort(granules, compare_numbers);
    for (guint i = 0; i < granules->len; i++) {
        uint64_t granule = g_array_index(granules, uint64_t, i);

        if (n == 0 || g_array_index(granules, uint64_t, n - 1) != granule) {
            g_array_index(granules, uint64_t, n++) = granule;
        }
    }
    g_array_set_size(granules, n);
}

/* Whether @granule is as in its base because that is uniform and it is empty likewise. */
static bool
is_as_base(FsnImageWriter *self, uint64_t granule)
{
    FsnMapKind now = fsn_granule_map_get(self->map, granule).kind;
    FsnBaseKind base = self->base[granule / FSN_SEGMENT_GRANULES].kind;

    return (base == FSN_BASE_ZERO && now == FSN_MAP_ZERO) ||
           (base == FSN_BASE_HOLE && now == FSN_MAP_HOLE);
}

/* Adds the granules put since the last time to those that differ. */
static void
merge_changed(FsnImageWriter *self)
{
    guint n = 0, looked = 0;

    for (guint i = 0; i < self->changed->len; i++) {
        uint64_t granule = g_array_index(self->changed, uint64_t, i);

        /* Segments just classified have all of theirs on the list. */
        if (self->touched[granule / FSN_SEGMENT_GRANULES] == FSN_CLASSIFIED) {
            g_array_append_val(self->differing, granule);
        }
    }
    g_array_set_size(self->changed, 0);
    fsn_image_writer_sort(self->differing);
    for (guint i = 0; i < self->differing->len; i++) {
        uint64_t granule = g_array_index(self->differing, uint64_t, i);

        /* Those of segments just classified were looked at there. */
        if (self->touched[granule / FSN_SEGMENT_GRANULES] != FSN_CLASSIFIED) {
            g_array_index(self->differing, uint64_t, n++) = granule;
            continue;
        }
        if (++looked % TRIM_ENTRIES == 0) {
            fsn_image_writer_trim(self);
        }
        if (!is_as_base(self, granule)) {
            g_array_index(self->differing, uint64_t, n++) = granule;
        }
    }
    g_array_set_size(self->differing, n);
    for (uint32_t s = 0; s < self->n_segments; s++) {
        if (self->touched[s] == FSN_CLASSIFIED_NOW) {
            self->touched[s] = FSN_CLASSIFIED;
        }
    }
}

typedef struct {
    uint32_t segment;
    uint32_t count; /* differing granules */
} Load;

static int
compare_loads(gconstpointer a, gconstpointer b)
{
    const Load *x = a, *y = b;

    return x->count > y->count ? -1 : x->count < y->count;
}

/* Decides which more segments are written anew, so that at most @limit granules stay on
 * the list; returns whether any are. */
static bool
choose_rewrites(FsnImageWriter *self, size_t limit)
{
    g_autoptr(GArray) loads = g_array_new(FALSE, FALSE, sizeof(Load));
    size_t left = self->differing->len;

    for (guint i = 0; i < self->differing->len; i++) {
        uint32_t s = (uint32_t)(g_array_index(self->differing, uint64_t, i) /
                                FSN_SEGMENT_GRANULES);

        if (loads->len == 0 || g_array_index(loads, Load, loads->len - 1).segment != s) {
            Load load = { .segment = s };

            g_array_append_val(loads, load);
        }
        g_array_index(loads, Load, loads->len - 1).count++;
    }
    g_array_sort(loads, compare_loads);
    for (guint i = 0; i < loads->len; i++) {
        const Load *load = &g_array_index(loads, Load, i);

        if (left > limit ||
            fsn_image_writer_worth_rewriting(self, load->segment, load->count)) {
            self->rewrite[load->segment] = 1;
            left -= load->count;
        }
    }
    return memchr(self->rewrite, 1, self->n_segments + 1) != NULL;
}

/* The bytes of segment @s as it is now; *out_packs (FsnObjectRef) are those it names. */
static GByteArray *
build_segment(FsnImageWriter *self, uint32_t s, GArray **out_packs, GError **error)
{
    uint64_t first = (uint64_t)s * FSN_SEGMENT_GRANULES;
    uint32_t count = fsn_root_segment_count(self->n_granules, s);
    g_autoptr(GArray) refs = g_array_new(FALSE, FALSE, sizeof(FsnObjectRef));
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(FsnId));
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(FsnEntry));
    g_autoptr(GHashTable) numbers = fsn_image_writer_numbers_new();
    GByteArray *bytes;

    for (uint32_t i = 0; i < count; i++) {
        FsnObjectRef ref;
        FsnGranule g;
        FsnEntry entry;

        if (!fsn_image_writer_current(self, first + i, &g, &ref.length, error)) {
            return NULL;
        }
        entry = (FsnEntry){
            .kind = g.kind, .hash = g.hash, .offset = g.offset, .slot = g.slot
        };
        if (g.kind == FSN_GRANULE_DATA) {
            ref.id = g.pack;
            entry.pack = fsn_image_writer_number(numbers, refs, ref);
        }
        g_array_append_val(entries, entry);
    }
    for (guint i = 0; i < refs->len; i++) {
        g_array_append_val(ids, g_array_index(refs, FsnObjectRef, i).id);
    }
    bytes = fsn_segment_build(first, ids, entries);
    *out_packs = g_steal_pointer(&refs);
    return bytes;
}

/* Appends segment @s to the bundle and makes it the base there. */
static bool
write_segment(FsnImageWriter *self,
              uint32_t s,
              FsnBlobWriter *blob,
              FsnObjectRef *bundle,
              GError **error)
{
    FsnBaseSegment *base = &self->base[s];
    FsnBaseSegment own = { .kind = FSN_BASE_OWN, .bundle = *bundle };
    g_autoptr(GByteArray) bytes = build_segment(self, s, &own.packs, error);

    if (!bytes) {
        return false;
    }
    g_clear_pointer(&base->packs, g_array_unref);
    own.ref.offset = bundle->length;
    own.ref.length = bytes->len;
    fsn_sha256(bytes->data, bytes->len, own.ref.sha256);
    *base = own;
    bundle->length += bytes->len;
    return fsn_blob_append(blob, bytes->data, bytes->len, error);
}

/* Writes the chosen segments as one bundle and takes their granules off the list. */
static bool
write_bundle(FsnImageWriter *self, GError **error)
{
    uint8_t *rewrite = self->rewrite;
    FsnObjectRef bundle = { .id = fsn_id_new() };
    g_autofree char *key = fsn_repo_id_key(FSN_DIR_BUNDLES, &bundle.id);
    g_autoptr(FsnBlobWriter) blob =
        fsn_blob_create(fsn_repo_store(self->repo), key, error);
    g_autoptr(GByteArray) header = g_byte_array_new();
    g_autoptr(GArray) left = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    FsnObjectHeader object = { .id = bundle.id, .writer = self->writer };

    fsn_object_header_append(header, FSN_MAGIC_BUNDLE, &object);
    bundle.length = header->len;
    if (!blob || !fsn_blob_append(blob, header->data, header->len, error)) {
        return false;
    }
    for (uint32_t s = 0; s < self->n_segments; s++) {
        if (rewrite[s] && !write_segment(self, s, blob, &bundle, error)) {
            return false;
        }
        if (s % TRIM_SEGMENTS == 0) {
            fsn_image_writer_trim(self);
        }
    }
    if (!fsn_blob_commit(blob, error)) {
        return false;
    }
    self->stats.bytes_index += bundle.length;
    for (uint32_t s = 0; s < self->n_segments; s++) {
        if (rewrite[s]) {
            self->base[s].bundle.length = bundle.length;
        }
    }
    for (guint i = 0; i < self->differing->len; i++) {
        uint64_t granule = g_array_index(self->differing, uint64_t, i);

        if (!rewrite[granule / FSN_SEGMENT_GRANULES]) {
            g_array_append_val(left, granule);
        }
    }
    g_array_unref(self->differing);
    self->differing = g_steal_pointer(&left);
    memset(rewrite, 0, self->n_segments);
    return true;
}

bool
fsn_image_writer_index(FsnImageWriter *self, size_t limit, GError **error)
{
    if (!self->indexed) {
        self->base = g_new0(FsnBaseSegment, self->n_segments);
        self->rewrite = g_new0(uint8_t, self->n_segments + 1);
        self->differing = g_array_new(FALSE, FALSE, sizeof(uint64_t));
        self->indexed = true;
    }
    if (!fsn_image_writer_classify(self, error)) {
        return false;
    }
    merge_changed(self);
    return !choose_rewrites(self, limit) || write_bundle(self, error);
}

void
fsn_image_writer_clear_index(FsnImageWriter *self)
{
    for (uint32_t s = 0; self->base && s < self->n_segments; s++) {
        g_clear_pointer(&self->base[s].packs, g_array_unref);
    }
    g_clear_pointer(&self->base, g_free);
    g_clear_pointer(&self->rewrite, g_free);
    g_clear_pointer(&self->differing, g_array_unref);
    g_clear_pointer(&self->parent_lengths, g_hash_table_unref);
}
