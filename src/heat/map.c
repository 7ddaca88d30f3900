/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map of one disk. What it keeps between rounds is bounded: cells of regions and partitions,
 * and a bit for each granule, or for several where a disk is very large.
 */
#include "config.h"

#include "heat/heat.h"

#include <math.h>
#include <string.h>

/* Bits of one round: 8 MiB. */
#define MAX_BITS  (UINT64_C(1) << 26)
/* A run of so many bytes is a long one. */
#define LONG_RUN  (UINT64_C(1) << 20)
#define MAX_PARTS 256

typedef struct {
    FsnHeatCell cell;
    FsnHeatRuns runs; /* of the round under way */
    FsnHeatRuns kept; /* of rounds that were too little to tell a pattern by */
    uint64_t bits;    /* granules of it, as they are remembered */
    uint64_t again;   /* of these, those of the last round */
    double last;
} Stat;

typedef struct {
    FsnHeatPart is;
    Stat stat;
} Part;

struct FsnHeatMap {
    char *target;
    uint64_t size;
    uint64_t granule;
    uint64_t per_bit; /* bytes */
    uint64_t region;  /* bytes */
    unsigned n_regions;
    Stat disk;
    Stat *regions;
    GArray *parts; /* of Part */
    uint8_t *now;
    uint8_t *before;
    size_t n_bytes;
    bool has_before;
    bool has_counts;
    FsnHeatCounts rates;  /* per second, of the last round */
    double request_bytes; /* mean size, of all requests */
};

static void
stat_reset(Stat *s)
{
    *s = (Stat){ .cell = { .bytes_per_s = -1, .changes_per_s = -1, .rewritten = -1 },
                 .last = -1 };
}

FsnHeatMap *
fsn_heat_map_new(const char *target, uint64_t size, uint64_t granule, unsigned regions)
{
    FsnHeatMap *self = g_new0(FsnHeatMap, 1);
    uint64_t granules = MAX(size / granule + (size % granule != 0), 1);
    uint64_t per_region;

    self->target = g_strdup(target);
    self->size = size;
    self->granule = self->per_bit = granule;
    while (size / self->per_bit >= MAX_BITS) {
        self->per_bit *= 2;
    }
    regions = CLAMP(regions, 1, FSN_HEAT_MAX_REGIONS);
    per_region = (granules + regions - 1) / regions;
    self->region = per_region * granule;
    self->n_regions = (unsigned)((granules + per_region - 1) / per_region);
    self->regions = g_new(Stat, self->n_regions);
    for (unsigned i = 0; i < self->n_regions; i++) {
        stat_reset(&self->regions[i]);
    }
    stat_reset(&self->disk);
    self->parts = g_array_new(FALSE, FALSE, sizeof(Part));
    self->n_bytes = (size_t)(size / self->per_bit / 8 + 1);
    self->now = g_malloc0(self->n_bytes);
    self->before = g_malloc0(self->n_bytes);
    return self;
}

void
fsn_heat_map_free(FsnHeatMap *self)
{
    if (self) {
        g_array_unref(self->parts);
        g_free(self->regions);
        g_free(self->now);
        g_free(self->before);
        g_free(self->target);
        g_free(self);
    }
}

void
fsn_heat_map_set_parts(FsnHeatMap *self, const FsnHeatPart *parts, guint n)
{
    GArray *fresh = g_array_new(FALSE, FALSE, sizeof(Part));

    for (guint i = 0; i < MIN(n, MAX_PARTS); i++) {
        Part part = { .is = parts[i] };

        stat_reset(&part.stat);
        for (guint k = 0; k < self->parts->len; k++) {
            const Part *old = &g_array_index(self->parts, Part, k);

            if (old->is.number == part.is.number && old->is.offset == part.is.offset &&
                old->is.size == part.is.size) {
                part.stat = old->stat;
            }
        }
        g_array_append_val(fresh, part);
    }
    g_array_unref(self->parts);
    self->parts = fresh;
}

static void
stat_begin(Stat *s, uint64_t granule)
{
    s->runs = (FsnHeatRuns){ .granule = granule };
    s->bits = s->again = 0;
}

void
fsn_heat_map_begin(FsnHeatMap *self)
{
    stat_begin(&self->disk, self->granule);
    for (unsigned i = 0; i < self->n_regions; i++) {
        stat_begin(&self->regions[i], self->granule);
    }
    for (guint i = 0; i < self->parts->len; i++) {
        stat_begin(&g_array_index(self->parts, Part, i).stat, self->granule);
    }
    memset(self->now, 0, self->n_bytes);
}

/* @length bytes that belong to a run of @run bytes. */
static void
stat_add(Stat *s, uint64_t length, uint64_t run, uint64_t bits, uint64_t again)
{
    s->runs.dirty += length;
    s->runs.in_long += run >= LONG_RUN ? length : 0;
    s->runs.in_single += run <= 2 * s->runs.granule ? length : 0;
    s->bits += bits;
    s->again += again;
}

static uint64_t
mark(FsnHeatMap *self, uint64_t first, uint64_t end, uint64_t *again)
{
    for (uint64_t i = first; i < end; i++) {
        uint8_t bit = (uint8_t)(1u << (i % 8));

        self->now[i / 8] |= bit;
        *again += (self->before[i / 8] & bit) != 0;
    }
    return end - first;
}

/* The part of a run that lies in @begin … @end. */
static void
add_part(const FsnHeatMap *self,
         Stat *s,
         uint64_t begin,
         uint64_t end,
         uint64_t offset,
         uint64_t length)
{
    uint64_t from = MAX(begin, offset);
    uint64_t to = MIN(end, offset + length);
    uint64_t bits = 0;
    uint64_t again = 0;

    if (to <= from) {
        return;
    }
    for (uint64_t i = from / self->per_bit; i <= (to - 1) / self->per_bit; i++) {
        bits++;
        again += (self->before[i / 8] >> (i % 8)) & 1;
    }
    stat_add(s, to - from, length, bits, again);
}

void
fsn_heat_map_add(gpointer map, uint64_t offset, uint64_t length)
{
    FsnHeatMap *self = map;
    uint64_t again = 0;
    uint64_t bits;

    if (offset >= self->size || length == 0) {
        return;
    }
    length = MIN(length, self->size - offset);
    bits = mark(self, offset / self->per_bit, (offset + length - 1) / self->per_bit + 1,
                &again);
    stat_add(&self->disk, length, length, bits, again);
    for (uint64_t i = offset / self->region;
         i < self->n_regions && i * self->region < offset + length; i++) {
        add_part(self, &self->regions[i], i * self->region, (i + 1) * self->region,
                 offset, length);
    }
    for (guint i = 0; i < self->parts->len; i++) {
        Part *part = &g_array_index(self->parts, Part, i);

        add_part(self, &part->stat, part->is.offset, part->is.offset + part->is.size,
                 offset, length);
    }
}

static double
smooth(double old, double value, double weight)
{
    return old < 0 ? value : old + (value - old) * weight;
}

/* Little is added up until it says something. */
static void
find_pattern(Stat *s)
{
    FsnHeatPattern pattern;

    s->kept.granule = s->runs.granule;
    s->kept.dirty += s->runs.dirty;
    s->kept.in_long += s->runs.in_long;
    s->kept.in_single += s->runs.in_single;
    s->kept.written += s->runs.written;
    s->kept.requests += s->runs.requests;
    pattern = fsn_heat_classify(&s->kept);
    if (pattern != FSN_HEAT_UNKNOWN) {
        s->cell.pattern = pattern;
        s->kept = (FsnHeatRuns){ 0 };
    }
}

static void
stat_end(const FsnHeatMap *self, Stat *s, double seconds, int64_t now_us)
{
    double weight = 1 - exp(-seconds * 1e6 / (double)FSN_HEAT_SMOOTH_US);

    s->last = (double)s->runs.dirty / seconds;
    s->cell.bytes_per_s = smooth(s->cell.bytes_per_s, s->last, weight);
    s->cell.changes_per_s =
        smooth(s->cell.changes_per_s, s->last / (double)self->granule, weight);
    if (self->has_before && s->bits > 0) {
        s->cell.rewritten = (double)s->again / (double)s->bits;
    }
    find_pattern(s);
    s->cell.updated_us = now_us;
}

static void
take_counts(FsnHeatMap *self, const FsnHeatCounts *c, double seconds)
{
    uint64_t requests = c->read_requests + c->write_requests;

    self->has_counts = true;
    self->rates = (FsnHeatCounts){
        .read_bytes = (uint64_t)((double)c->read_bytes / seconds),
        .read_requests = (uint64_t)((double)c->read_requests / seconds),
        .write_bytes = (uint64_t)((double)c->write_bytes / seconds),
        .write_requests = (uint64_t)((double)c->write_requests / seconds),
    };
    self->request_bytes =
        requests > 0 ? (double)(c->read_bytes + c->write_bytes) / (double)requests : 0;
    self->disk.runs.written = c->write_bytes;
    self->disk.runs.requests = c->write_requests;
}

static void
forget_last(FsnHeatMap *self)
{
    self->disk.last = -1;
    for (unsigned i = 0; i < self->n_regions; i++) {
        self->regions[i].last = -1;
    }
    for (guint i = 0; i < self->parts->len; i++) {
        g_array_index(self->parts, Part, i).stat.last = -1;
    }
}

void
fsn_heat_map_end(FsnHeatMap *self,
                 int64_t length_us,
                 int64_t now_us,
                 bool has_dirty,
                 const FsnHeatCounts *counts)
{
    double seconds = (double)length_us / 1e6;
    uint8_t *swap = self->before;

    if (length_us <= 0 || length_us > FSN_HEAT_MAX_ROUND_US) {
        self->has_before = false;
        return;
    }
    if (counts) {
        take_counts(self, counts, seconds);
    }
    self->disk.cell.updated_us = now_us;
    if (!has_dirty) {
        self->has_before = false;
        forget_last(self);
        return;
    }
    stat_end(self, &self->disk, seconds, now_us);
    for (unsigned i = 0; i < self->n_regions; i++) {
        stat_end(self, &self->regions[i], seconds, now_us);
    }
    for (guint i = 0; i < self->parts->len; i++) {
        stat_end(self, &g_array_index(self->parts, Part, i).stat, seconds, now_us);
    }
    self->before = self->now;
    self->now = swap;
    self->has_before = true;
}

const char *
fsn_heat_map_target(const FsnHeatMap *self)
{
    return self->target;
}

uint64_t
fsn_heat_map_size(const FsnHeatMap *self)
{
    return self->size;
}

const FsnHeatCell *
fsn_heat_map_disk(const FsnHeatMap *self)
{
    return &self->disk.cell;
}

unsigned
fsn_heat_map_n_regions(const FsnHeatMap *self)
{
    return self->n_regions;
}

uint64_t
fsn_heat_map_region_size(const FsnHeatMap *self)
{
    return self->region;
}

const FsnHeatCell *
fsn_heat_map_region(const FsnHeatMap *self, unsigned i)
{
    return &self->regions[i].cell;
}

double
fsn_heat_map_last(const FsnHeatMap *self, unsigned i)
{
    return self->regions[i].last;
}

double
fsn_heat_map_disk_last(const FsnHeatMap *self)
{
    return self->disk.last;
}

guint
fsn_heat_map_n_parts(const FsnHeatMap *self)
{
    return self->parts->len;
}

double
fsn_heat_map_part_last(const FsnHeatMap *self, guint i, unsigned *out_number)
{
    const Part *part = &g_array_index(self->parts, Part, i);

    *out_number = part->is.number;
    return part->stat.last;
}

static void
set_cell(JsonObject *o, const FsnHeatCell *cell)
{
    if (cell->bytes_per_s >= 0) {
        json_object_set_int_member(o, "bytes_per_s", llround(cell->bytes_per_s));
        json_object_set_double_member(o, "changes_per_s", cell->changes_per_s);
        json_object_set_string_member(o, "pattern", fsn_heat_pattern_name(cell->pattern));
    }
    if (cell->rewritten >= 0) {
        json_object_set_double_member(o, "rewritten", cell->rewritten);
    }
    json_object_set_int_member(o, "updated_us", cell->updated_us);
}

static void
set_counts(JsonObject *o, const FsnHeatMap *self)
{
    const FsnHeatCounts *r = &self->rates;

    json_object_set_int_member(o, "read_bytes_per_s", (int64_t)r->read_bytes);
    json_object_set_int_member(o, "read_requests_per_s", (int64_t)r->read_requests);
    json_object_set_int_member(o, "write_bytes_per_s", (int64_t)r->write_bytes);
    json_object_set_int_member(o, "write_requests_per_s", (int64_t)r->write_requests);
    json_object_set_int_member(o, "request_bytes", llround(self->request_bytes));
    if (r->read_bytes + r->write_bytes > 0) {
        json_object_set_double_member(o, "read_share",
                                      (double)r->read_bytes /
                                          (double)(r->read_bytes + r->write_bytes));
    }
}

/* Regions in which something changes; the others are not listed. */
static JsonArray *
regions_json(const FsnHeatMap *self)
{
    JsonArray *array = json_array_new();

    for (unsigned i = 0; i < self->n_regions; i++) {
        JsonObject *o;

        if (self->regions[i].cell.bytes_per_s < 1) {
            continue;
        }
        o = json_object_new();
        json_object_set_int_member(o, "region", i);
        set_cell(o, &self->regions[i].cell);
        json_array_add_object_element(array, o);
    }
    return array;
}

static JsonArray *
parts_json(const FsnHeatMap *self)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < self->parts->len; i++) {
        const Part *part = &g_array_index(self->parts, Part, i);
        JsonObject *o = json_object_new();

        json_object_set_int_member(o, "number", part->is.number);
        json_object_set_int_member(o, "offset", (int64_t)part->is.offset);
        json_object_set_int_member(o, "size", (int64_t)part->is.size);
        set_cell(o, &part->stat.cell);
        json_array_add_object_element(array, o);
    }
    return array;
}

JsonObject *
fsn_heat_map_to_json(const FsnHeatMap *self)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "target", self->target);
    json_object_set_int_member(o, "size", (int64_t)self->size);
    set_cell(o, &self->disk.cell);
    if (self->has_counts) {
        set_counts(o, self);
    }
    if (self->disk.cell.bytes_per_s >= 0) {
        json_object_set_int_member(o, "granule", (int64_t)self->granule);
        json_object_set_int_member(o, "n_regions", self->n_regions);
        json_object_set_int_member(o, "region_size", (int64_t)self->region);
        json_object_set_array_member(o, "regions", regions_json(self));
        json_object_set_array_member(o, "partitions", parts_json(self));
    }
    return o;
}
