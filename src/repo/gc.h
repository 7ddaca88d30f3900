/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"

G_BEGIN_DECLS

/* How long garbage waits aside by default. */
#define FSN_GC_GRACE_US (30 * G_USEC_PER_SEC)

typedef struct {
    uint64_t objects_kept;
    uint64_t bytes_kept;
    uint64_t objects_removed; /* or that would be, in a dry run */
    uint64_t bytes_removed;
    uint64_t put_back;       /* wanted again during the grace time, or left by a crash */
    uint64_t leases;         /* of writers that may be alive */
    uint64_t packs_repacked; /* or that would be */
    uint64_t bytes_repacked; /* freed within these */
} FsnGcReport;

typedef enum {
    FSN_GC_DRY_RUN = 1,
    FSN_GC_NO_REPACK = 2, /* removes whole objects only */
} FsnGcFlags;

/* Removes what no manifest and no living writer needs. Runs beside writers and readers, and
 * other collectors. Garbage is moved aside, @grace_us passes, manifests and leases are read
 * again, and only what still nobody needs is unlinked. Interrupted at any step, it leaves
 * every snapshot readable, and the next run finishes. A manifest or root that cannot be read
 * is an error that names it, and nothing is removed: what it needs cannot be known. A dry
 * run changes nothing and does not wait.
 *
 * Then, unless told not to, it thins packs that are mostly garbage: repack.h. While the index
 * of an image cannot be read whole it does not. */
bool fsn_repo_gc(FsnRepo *repo,
                 FsnGcFlags flags,
                 int64_t grace_us,
                 FsnGcReport *out_report,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
