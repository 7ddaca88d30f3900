/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"
#include "tier/folder.h"
#include "tier/measure.h"

G_BEGIN_DECLS

/* The tiers of a repository, kept in its ref "tiers" as JSON:
 *   {"version": 1, "tiers": [{"name", "folder", "max_bytes", "write_through",
 *    "write_bytes_per_s", "write_latency_us", "read_bytes_per_s", "read_latency_us"}]} */
#define FSN_TIER_MAX_COUNT 16
#define FSN_TIER_MAX_NAME  32

typedef struct {
    char *name;         /* 1 … FSN_TIER_MAX_NAME of [a-z0-9_-] */
    char *folder;       /* absolute */
    uint64_t max_bytes; /* 0: no limit but the disk's */
    bool write_through; /* a suspend makes copies there too */
    FsnTierSpeed speed;
} FsnTier;

void fsn_tier_free(FsnTier *tier);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnTier, fsn_tier_free)

/* All tiers (FsnTier), those that answer a read soonest first; none is an empty array. The
 * caller unrefs. */
bool fsn_tiers_load(FsnRepo *repo, GPtrArray **out_tiers, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Tier @name of @tiers; borrowed. FSN_ERROR_NOT_FOUND. */
FsnTier *fsn_tiers_find(GPtrArray *tiers, const char *name, GError **error);

/* Their folders, in order, NULL-terminated: for fsn_tier_open_repo() and a pager's plan.
 * The caller frees with g_strfreev(). */
char **fsn_tiers_folders(GPtrArray *tiers);
/* The first that is written through; borrowed; null if there is none. */
const FsnTier *fsn_tiers_write_through(GPtrArray *tiers);

/* Makes folder @folder a tier and measures it. It must be there, be writable, and not be
 * within this or another repository. The caller frees *out_tier. */
bool fsn_tiers_add(FsnRepo *repo,
                   const char *name,
                   const char *folder,
                   uint64_t max_bytes,
                   bool write_through,
                   FsnTier **out_tier,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Forgets tier @name; with @purge also removes our copies there, and their bytes go to
 * *out_freed. A folder that is gone has nothing to purge. */
bool fsn_tiers_remove(FsnRepo *repo,
                      const char *name,
                      bool purge,
                      uint64_t *out_freed,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Keeps what a prefetch has seen. */
bool fsn_tiers_set_throughput(FsnRepo *repo,
                              const char *name,
                              uint64_t write_bytes_per_s,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens the repository in folder @location for storing images: with copies to the tier that
 * is written through, if there is one. Tiers that cannot be used stop nothing. */
FsnRepo *fsn_tiers_open_storing(const char *location, FsnRepoFlags flags, GError **error);

/* The copies of @repo in @tier. */
FsnTierFolder *fsn_tier_open(FsnRepo *repo, const FsnTier *tier, GError **error);

G_END_DECLS
