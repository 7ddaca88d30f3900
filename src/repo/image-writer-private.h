/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/granule-map.h"
#include "repo/image-private.h"
#include "repo/image-writer.h"
#include "repo/pack-writer.h"
#include "repofmt/root.h"

G_BEGIN_DECLS

/* A granule seen lately, to find others like it. */
typedef struct {
    FsnHash128 hash;
    uint32_t frame;
    uint32_t slot;
} FsnSeen;

/* Whether something other than zero was put into a segment (or inherited), and whether its
 * base is known. */
enum { FSN_UNTOUCHED, FSN_TOUCHED, FSN_CLASSIFIED_NOW, FSN_CLASSIFIED };

/* The index segment on which the image rests at one place: none where all is zero, or a
 * hole; the parent's; or one of its own. */
typedef enum {
    FSN_BASE_ZERO,
    FSN_BASE_HOLE,
    FSN_BASE_PARENT,
    FSN_BASE_OWN,
} FsnBaseKind;

typedef struct {
    FsnBaseKind kind;
    FsnObjectRef bundle; /* of OWN */
    FsnSegmentRef ref;   /* of OWN */
    GArray *packs;       /* of OWN: FsnObjectRef of all packs it names */
} FsnBaseSegment;

struct FsnImageWriter {
    FsnRepo *repo;    /* borrowed */
    FsnImage *parent; /* borrowed, may be null */
    uint64_t n_granules;
    uint32_t n_segments;
    const uint8_t *secret;
    FsnId writer;
    FsnPackWriter *packs;
    FsnGranuleMap *map;
    FsnSeen *seen;
    FsnImageStats stats;
    bool committed;

    /* put */
    uint64_t last_segment;
    unsigned switches; /* segments entered since memory was last given back */
    uint8_t *touched;  /* per segment: one of the next */

    /* index, image-commit.c */
    bool indexed;         /* base and differing are there */
    FsnBaseSegment *base; /* per segment */
    uint8_t *rewrite;     /* per segment: to be written anew, none of it in differing */
    GArray *differing;    /* uint64_t: granules that are not as in base, ascending */
    GArray *changed;      /* uint64_t: granules put since, in any order */
    guint changed_limit;  /* length of changed at which repeats are taken out */
    GHashTable *parent_lengths; /* FsnId of the parent's packs -> length */
};

/* Indexes all that was put; afterwards at most @limit granules differ from the base. */
bool fsn_image_writer_index(FsnImageWriter *self, size_t limit, GError **error);
/* Sets the base of the segments that were touched for the first time, or filled anew, and
 * lists their granules that differ from it, unless the segment is to be written anew. */
bool fsn_image_writer_classify(FsnImageWriter *self, GError **error);
/* Whether @differing granules are so many that segment @s is rather written anew. */
bool fsn_image_writer_worth_rewriting(FsnImageWriter *self, uint32_t s, guint differing);
/* Sorts granule numbers and takes repeats out. */
void fsn_image_writer_sort(GArray *granules);
/* Gives back memory of map and parent. */
void fsn_image_writer_trim(FsnImageWriter *self);
/* Frees what index made. */
void fsn_image_writer_clear_index(FsnImageWriter *self);

/* The value of @granule as it is now, with the length of its pack. */
bool fsn_image_writer_current(FsnImageWriter *self,
                              uint64_t granule,
                              FsnGranule *out_granule,
                              uint64_t *out_pack_length,
                              GError **error);

/* The length of pack @id, which the parent names. */
bool fsn_image_writer_parent_length(FsnImageWriter *self,
                                    const FsnId *id,
                                    uint64_t *out_length,
                                    GError **error);

/* A table of packs or bundles without repeats: the number of @ref in @table. */
uint32_t fsn_image_writer_number(GHashTable *numbers, GArray *table, FsnObjectRef ref);
GHashTable *fsn_image_writer_numbers_new(void);

G_END_DECLS
