/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/verify.h"

#include "repo/image-private.h"
#include "repo/pack-check.h"
#include "repo/repo-private.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* What the two rounds of verifying share. */

/* A snapshot under examination. */
typedef struct {
    FsnVerifyResult *result; /* owned by the report */
    GPtrArray *roots;        /* char*: of its images */
} FsnVerifySnapshot;

typedef struct {
    FsnId id;
    char *key;
    uint64_t length;
    FsnVerifyResult *first; /* the first snapshot that needs it */
    FsnPackCheck *check;    /* while its batch is under work */
} FsnVerifyPack;

typedef struct {
    FsnRepo *repo;
    bool read_data;
    FsnVerifyProgress progress;
    gpointer user;
    GPtrArray *snapshots; /* FsnVerifySnapshot* */
    FsnVerifySnapshot *current;
    JsonObject *manifest; /* of it */
    GHashTable *verdicts; /* of objects and segments: what is wrong, "" if nothing */
    GHashTable *told;     /* messages that are in report.problems */
    GPtrArray *packs;     /* FsnVerifyPack*, to be read */
    GHashTable
        *batch; /* FsnId -> FsnVerifyPack*: those that have been read and are held */
    FsnVerifyReport report;
    uint64_t total; /* bytes to read */
    GMutex lock;    /* guards what several threads use: report.bytes and granules, done */
    uint64_t done;
} FsnVerify;

/* Adds @message to what is wrong in all, once; @result is that of the snapshot to be named, or
 * null. */
void fsn_verify_tell(FsnVerify *v, const FsnVerifyResult *result, const char *message);
/* Adds @message to what is wrong with a snapshot, once, and in all; "" is nothing. */
void fsn_verify_add_problem(FsnVerify *v, FsnVerifyResult *result, const char *message);

/* Whether segment @s has no bundle: all of its granules are of one kind. */
bool fsn_verify_is_uniform(FsnImage *image, uint32_t s);
/* A name for segment @s that only the same bytes at the same place have. */
char *fsn_verify_segment_key(FsnImage *image, uint32_t s);

/* The second round. */
void fsn_verify_data(FsnVerify *v);

G_END_DECLS
