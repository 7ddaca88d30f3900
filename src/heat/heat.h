/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * Where a disk changes, and how: from what bitmaps say of one round after the other, and what
 * QEMU counts of requests. Pure: the same rounds lead to the same map. Rates are smoothed with a
 * time constant, whatever the length of a round, so a longer one counts for more.
 */
#define FSN_HEAT_MAX_REGIONS  128
#define FSN_HEAT_SMOOTH_US    ((int64_t)60 * G_USEC_PER_SEC)
/* Rounds that last longer say nothing about one moment after the other. */
#define FSN_HEAT_MAX_ROUND_US ((int64_t)3600 * G_USEC_PER_SEC)

typedef enum {
    FSN_HEAT_UNKNOWN,    /* too little was written */
    FSN_HEAT_SEQUENTIAL, /* one place after the other */
    FSN_HEAT_RANDOM,     /* here and there */
    FSN_HEAT_MIXED,      /* both */
} FsnHeatPattern;

/* "unknown", "sequential", "random", "mixed"; static. */
const char *fsn_heat_pattern_name(FsnHeatPattern pattern);

/* What was written in a round: of a disk or a part of it. */
typedef struct {
    uint64_t dirty;     /* bytes in the bitmap, whole granules of it */
    uint64_t granule;   /* bytes */
    uint64_t in_long;   /* bytes of those that lie in long runs */
    uint64_t in_single; /* in runs of one or two granules */
    uint64_t written;   /* bytes by QEMU's statistics; 0 = not known */
    uint64_t requests;  /* of these; 0 = not known */
} FsnHeatRuns;

FsnHeatPattern fsn_heat_classify(const FsnHeatRuns *runs);

/* What QEMU has counted of a disk in a round. */
typedef struct {
    uint64_t read_bytes;
    uint64_t read_requests;
    uint64_t write_bytes;
    uint64_t write_requests;
} FsnHeatCounts;

typedef struct {
    double bytes_per_s;   /* that change, smoothed; negative = not known */
    double changes_per_s; /* granules, likewise */
    double
        rewritten; /* of the granules of a round, the share that changed in the one before, too;
                       * negative = not known */
    FsnHeatPattern pattern; /* of the last rounds in which enough changed */
    int64_t updated_us;     /* real time of the last round; 0 = none */
} FsnHeatCell;

typedef struct {
    unsigned number;
    uint64_t offset;
    uint64_t size;
} FsnHeatPart;

typedef struct FsnHeatMap FsnHeatMap;

/* A disk of @size bytes, looked at with a bitmap of @granule bytes a bit, in up to @regions parts
 * of equal size. */
FsnHeatMap *fsn_heat_map_new(const char *target,
                             uint64_t size,
                             uint64_t granule,
                             unsigned regions);
void fsn_heat_map_free(FsnHeatMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnHeatMap, fsn_heat_map_free)

/* The partitions, which may change from round to round; their cells go on by number where place
 * and size are the same. */
void fsn_heat_map_set_parts(FsnHeatMap *map, const FsnHeatPart *parts, guint n);

/* A round: begin, what the bitmap calls dirty in ascending order (@map as the user data), end.
 * With @has_dirty false nothing is known of places, only the counts (which may be NULL). A round
 * of no length, or of too much, begins anew. */
void fsn_heat_map_begin(FsnHeatMap *map);
void fsn_heat_map_add(gpointer map, uint64_t offset, uint64_t length);
void fsn_heat_map_end(FsnHeatMap *map,
                      int64_t length_us,
                      int64_t now_us,
                      bool has_dirty,
                      const FsnHeatCounts *counts);

const char *fsn_heat_map_target(const FsnHeatMap *map);
uint64_t fsn_heat_map_size(const FsnHeatMap *map);
/* The whole disk. */
const FsnHeatCell *fsn_heat_map_disk(const FsnHeatMap *map);
unsigned fsn_heat_map_n_regions(const FsnHeatMap *map);
uint64_t fsn_heat_map_region_size(const FsnHeatMap *map);
const FsnHeatCell *fsn_heat_map_region(const FsnHeatMap *map, unsigned i);
/* Bytes per second of region @i in the last round alone; negative = not known. */
double fsn_heat_map_last(const FsnHeatMap *map, unsigned i);

/* Bytes per second that changed in the last round alone, of the disk and of partition number
 * @i from 0; negative = not known. */
double fsn_heat_map_disk_last(const FsnHeatMap *map);
guint fsn_heat_map_n_parts(const FsnHeatMap *map);
double fsn_heat_map_part_last(const FsnHeatMap *map, guint i, unsigned *out_number);

/* The documented JSON form. */
JsonObject *fsn_heat_map_to_json(const FsnHeatMap *map);

G_END_DECLS
