/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Which snapshots of one domain stay and which may go. Pure: clock and time zone are
 * parameters, and each decision carries its reasons. */

/* How many to keep: the newest @last, and the newest of each of the @hourly latest hours in
 * which there is one, and so on. Weeks are those of ISO 8601. */
typedef struct {
    unsigned last;
    unsigned hourly;
    unsigned daily;
    unsigned weekly;
    unsigned monthly;
    unsigned yearly;
} FsnRetentionRules;

typedef enum {
    FSN_RETENTION_SUSPENDED =
        1,                  /* memory of a domain that has not run since: never goes */
    FSN_RETENTION_BASE = 2, /* what the next one is compared with; without it the next one
                             * would store everything anew */
    FSN_RETENTION_READ = 4, /* disks of a domain are filled from it */
} FsnRetentionFlags;

typedef struct {
    const char *id;
    const char
        *kind; /* each kind is counted for itself: what cannot stand for another must
                       * not push it out */
    int64_t created_us;
    FsnRetentionFlags flags;
} FsnRetentionSnapshot;

typedef struct {
    bool keep;
    GPtrArray *reasons; /* char*, at least one */
} FsnRetentionDecision;

/* Decides on each of the @n elements of @snapshots, which may be in any order; of equal times
 * the one whose id sorts first counts as newer, as in lists. The semantics are those of
 * restic's forget: the newest of each period is kept, and while a rule has not found as many
 * as it asks for, also the oldest of all, so that history gets as long as it may. One that is
 * newer than @now_us (UTC, as all times) is kept and not counted: a clock that was wrong must
 * not push the others out. Returns FsnRetentionDecision, in the order of @snapshots; the caller
 * unrefs. Rules that keep nothing are FSN_ERROR_USAGE. */
GArray *fsn_retention_decide(const FsnRetentionRules *rules,
                             const FsnRetentionSnapshot *snapshots,
                             size_t n,
                             GTimeZone *zone,
                             int64_t now_us,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
