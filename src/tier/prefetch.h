/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"
#include "tier/parts.h"
#include "tier/plan.h"
#include "tier/registry.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Copying to a tier what the resume of a snapshot needs. */
typedef struct FsnPrefetch FsnPrefetch;

/* Looks at @manifest and at what @tier has, and plans; @weights as in parts.h. Nothing is
 * copied yet. @repo and @manifest are borrowed and must outlive it; @repo is the repository
 * itself. A tier that is not there now is an error. */
FsnPrefetch *fsn_prefetch_new(FsnRepo *repo,
                              JsonObject *manifest,
                              const FsnTier *tier,
                              const FsnTierWeight *weights,
                              size_t n,
                              bool all,
                              GError **error);
void fsn_prefetch_free(FsnPrefetch *prefetch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnPrefetch, fsn_prefetch_free)

/* Borrowed. */
const FsnTierPlan *fsn_prefetch_plan(FsnPrefetch *prefetch);

/* Bytes copied of those to be copied, and how long the rest may take (-1: not known). */
typedef void (*FsnPrefetchProgress)(gpointer user,
                                    uint64_t done,
                                    uint64_t total,
                                    int64_t left_us);

typedef struct {
    uint64_t max_bytes_per_s; /* 0: no limit */
    FsnPrefetchProgress progress;
    gpointer user;
    GCancellable *cancellable; /* may be null */
} FsnPrefetchOptions;

typedef struct {
    uint64_t bytes_copied;
    guint objects_copied;
    uint64_t
        bytes_per_s; /* seen, waiting for the limit left out; 0: too little to tell */
    int64_t duration_us;
    GPtrArray *problems; /* char*: objects of the repository that are not sound */
} FsnPrefetchResult;

void fsn_prefetch_result_clear(FsnPrefetchResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnPrefetchResult, fsn_prefetch_result_clear)

/* Carries the plan out; once. Each object is verified, copied and only then seen in the
 * tier; ended at any moment by anything, what was copied by then is whole and stays, and the
 * next prefetch goes on from there. Objects that are not sound in the repository are left
 * out and told in @out_result->problems. An error is FSN_ERROR_CANCELLED, or the tier's;
 * @out_result is filled in then too. */
bool fsn_prefetch_run(FsnPrefetch *prefetch,
                      const FsnPrefetchOptions *options,
                      FsnPrefetchResult *out_result,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
