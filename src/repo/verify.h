/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"

G_BEGIN_DECLS

/* What was found about one snapshot. */
typedef struct {
    char *id;
    GPtrArray
        *problems; /* char*: what is wrong with something it needs, or that is its own */
} FsnVerifyResult;

typedef struct {
    GPtrArray *problems; /* char*: all, each once, naming the object and a snapshot */
    GPtrArray *results;  /* FsnVerifyResult*: of each snapshot */
    uint64_t snapshots;
    uint64_t objects;  /* distinct ones looked at */
    uint64_t granules; /* compared with their hashes */
    uint64_t bytes;    /* of packs, read */
} FsnVerifyReport;

void fsn_verify_report_clear(FsnVerifyReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnVerifyReport, fsn_verify_report_clear)

typedef enum {
    FSN_VERIFY_INDEXES, /* in snapshots */
    FSN_VERIFY_DATA,    /* in bytes */
} FsnVerifyPhase;

/* Called now and then, from any thread but never from two at once: what is done of what is to be
 * done. */
typedef void (*FsnVerifyProgress)(gpointer user,
                                  FsnVerifyPhase phase,
                                  uint64_t done,
                                  uint64_t total);

/* Verifies the snapshots @ids (NULL-terminated), or all and the repository's own small values if
 * that is null: manifests, marks, sequences, objects, roots, index segments, and that every
 * pack is there and as long as it should be. With @read_data also the SHA-256 of every frame
 * of every pack, and every granule against its hash, on all cores; a pack is read once,
 * however many snapshots need it. A damaged frame is a problem of those snapshots only that
 * use a granule in it. Problems do not end it: true means that it ran, and whether all is
 * well says @out_report->problems. */
bool fsn_repo_verify(FsnRepo *repo,
                     const char *const *ids,
                     bool read_data,
                     FsnVerifyProgress progress,
                     gpointer user,
                     FsnVerifyReport *out_report,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
