/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What is compared of two snapshots, and what of it differs. Sizes and offsets in bytes. */

typedef struct {
    uint64_t offset;
    uint64_t length;
} FsnDiffRange;

typedef struct {
    int64_t number;
    uint64_t offset;
    uint64_t size;
    char *type; /* may be null, like name */
    char *name;
    uint64_t changed; /* bytes */
} FsnDiffPartition;

/* Whether two things can be compared, and if not, why. */
typedef enum {
    FSN_DIFF_BOTH,
    FSN_DIFF_ONLY_A,
    FSN_DIFF_ONLY_B,
    FSN_DIFF_NOT_STORED,   /* at least one snapshot has no contents of it */
    FSN_DIFF_OTHER_LAYOUT, /* of memory: it is arranged differently */
} FsnDiffMatch;

/* "only in the first snapshot" and so on; null for FSN_DIFF_BOTH. */
const char *fsn_diff_match_reason(FsnDiffMatch match);

typedef struct {
    char *target;
    FsnDiffMatch match;
    char *image_a; /* with FSN_DIFF_BOTH, roots of the images */
    char *image_b;
    uint64_t size_a; /* 0 where it is not */
    uint64_t size_b;
    uint64_t changed;      /* bytes, in whole granules but for the end of the disk */
    uint64_t n_ranges;     /* of bytes that follow each other */
    GArray *ranges;        /* FsnDiffRange, ascending; null if they are not wanted */
    GPtrArray *partitions; /* FsnDiffPartition*, as in the later snapshot that has them */
} FsnDiffDisk;

typedef struct {
    FsnDiffMatch match;
    char *image_a;
    char *image_b;
    uint64_t pages; /* of 4096 bytes */
    uint64_t changed;
} FsnDiffMemory;

typedef struct {
    GPtrArray *disks; /* FsnDiffDisk*: those of A in their order, then those only in B */
    FsnDiffMemory *memory; /* null if neither has any */
} FsnDiff;

void fsn_diff_free(FsnDiff *diff);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnDiff, fsn_diff_free)

/* Matches the disks of manifests @a and @b by their targets, and their memory. Nothing is
 * compared yet. FSN_ERROR_FORMAT if a manifest lacks what it should have. */
FsnDiff *fsn_diff_plan(JsonObject *a, JsonObject *b, bool ranges, GError **error);

/* Adds a run of differing granules; they come in ascending order. */
void fsn_diff_disk_add(FsnDiffDisk *disk, uint64_t first, uint64_t count);

G_END_DECLS
