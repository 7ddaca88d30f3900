/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"

G_BEGIN_DECLS

typedef struct {
    GPtrArray *problems; /* char*: what is wrong, each naming object and snapshot */
    uint64_t snapshots;
    uint64_t objects;  /* distinct ones looked at */
    uint64_t granules; /* read and compared with their hashes */
    uint64_t bytes;    /* read */
} FsnVerifyReport;

void fsn_verify_report_clear(FsnVerifyReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnVerifyReport, fsn_verify_report_clear)

/* Called now and then, from any thread but never from two at once: bytes verified of the
 * bytes to verify. */
typedef void (*FsnVerifyProgress)(gpointer user, uint64_t done, uint64_t total);

/* Verifies snapshot @id, or all if null: manifest, objects, roots, index segments, and that
 * every pack is there and as long as it should be. With @read_data also the SHA-256 of every
 * frame of every pack, and every granule against its hash, on all cores. Problems do not
 * end it: true means that it ran, and whether all is well says @out_report->problems. */
bool fsn_repo_verify(FsnRepo *repo,
                     const char *id,
                     bool read_data,
                     FsnVerifyProgress progress,
                     gpointer user,
                     FsnVerifyReport *out_report,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
