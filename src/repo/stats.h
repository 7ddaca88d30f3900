/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"

G_BEGIN_DECLS

typedef struct {
    char *id;
    char *domain;     /* name */
    char *uuid;       /* of the domain */
    uint64_t logical; /* bytes of its images, uncompressed, zero pages included */
    uint64_t needed;  /* bytes of all it needs */
    uint64_t own; /* of these, bytes that no other snapshot needs: what deleting only this
                       * one frees */
} FsnSnapshotStats;

/* Of all snapshots of one domain together. */
typedef struct {
    char *name; /* of its newest snapshot */
    char *uuid;
    uint64_t snapshots;
    uint64_t logical;   /* sum over its snapshots */
    uint64_t needed;    /* bytes of all they need, each object once */
    uint64_t exclusive; /* of these, what no other domain's snapshot needs */
    uint64_t own;       /* sum of the snapshots' own */
} FsnDomainStats;

typedef struct {
    GPtrArray *snapshots; /* FsnSnapshotStats*, newest first */
    GPtrArray *domains;   /* FsnDomainStats*, in the order of their newest snapshots */
    uint64_t logical;     /* sum over the snapshots */
    uint64_t stored;      /* bytes of all objects */
    uint64_t needed;      /* of these, bytes that some snapshot needs */
    uint64_t packs;       /* of stored: packs … */
    uint64_t index;       /* … and indexes and roots */
    uint64_t damaged;     /* manifests or roots that cannot be read: not counted */
} FsnRepoStats;

void fsn_repo_stats_clear(FsnRepoStats *stats);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnRepoStats, fsn_repo_stats_clear)

/* Counts. What several snapshots share is in none's @own. */
bool fsn_repo_stats(FsnRepo *repo, FsnRepoStats *out_stats, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
