/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"

G_BEGIN_DECLS

/* Packs of which less than so many percent of the bytes are needed are thinned … */
#define FSN_REPACK_LIVE_PERCENT 40
/* … if that frees at least so many bytes. */
#define FSN_REPACK_MIN_GAIN     65536

/* Taking from packs the frames that nobody needs, in the steps of a garbage collection. A
 * pack keeps its name and length, and its frames their places, so that neither indexes nor
 * manifests change, and a reader that has it open is not disturbed.
 *
 * Sets of keys, as marked by the collector, name what is needed: "roots/…" above all. */
typedef struct FsnRepack FsnRepack;

/* Whether a pack with so many bytes of frames, of which so many are needed, is thinned. */
bool fsn_repack_is_worth(uint64_t bytes, uint64_t live);

/* Finds the packs to thin. Those of @writers (ids of leases, as a set) are left alone. */
FsnRepack *fsn_repack_plan(FsnRepo *repo,
                           GHashTable *keys,
                           GHashTable *writers,
                           GError **error);
void fsn_repack_free(FsnRepack *repack);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnRepack, fsn_repack_free)

/* Packs, and bytes of frames that go. Of a plan; after fsn_repack_settle() those done. */
uint64_t fsn_repack_packs(const FsnRepack *repack);
uint64_t fsn_repack_bytes(const FsnRepack *repack);

/* Tells those who commit which packs to look into. A time of grace must pass after this. */
bool fsn_repack_announce(FsnRepack *repack, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts thin packs in place of those planned, and these aside, whole. @keys is what is needed
 * after the time of grace. */
bool fsn_repack_run(FsnRepack *repack, GHashTable *keys, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Ends it: @keys is what is needed now. Where somebody has committed what needs a frame that
 * went, the whole pack comes back; the others are removed. A whole pack that is left aside
 * because this was not reached comes back in the next collection. */
bool fsn_repack_settle(FsnRepack *repack, GHashTable *keys, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
