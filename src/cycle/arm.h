/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "domxml/domain-facts.h"
#include "repo/repo.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * The marks of a suspend state, which is used once (dangers: memory over disks that moved on):
 *   armed     QEMU has ended; the disks' identities and the timings
 *   claim     somebody resumes it; host and boot
 *   ran       the guest may have run since
 *   consumed  it may never be used again
 */

/* Identities of the domain's writable disks: an array of records (disk-identity.h). */
bool fsn_arm_record_disks(const FsnDomainFacts *facts,
                          bool after_end,
                          JsonArray **out_disks,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes the mark "armed"; one that is there is replaced. */
bool fsn_arm(FsnRepo *repo,
             const char *id,
             const FsnDomainFacts *facts,
             int64_t pause_us,
             int64_t total_us,
             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the state can still be used. FSN_ERROR_STATE says why not: consumed, run, claimed
 * by another host, or a disk that differs. @manifest_disks is what the manifest recorded. */
bool fsn_arm_check_usable(FsnRepo *repo,
                          const char *id,
                          JsonArray *manifest_disks,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Compares each recorded disk with what it is now. */
bool fsn_arm_check_disks(JsonArray *disks, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One atomic create names this host and boot; exactly one caller in the world succeeds. */
bool fsn_arm_claim(FsnRepo *repo, const char *id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* On explicit order only: the claim of a host that has gone is removed. Refused if the guest
 * has run since. */
bool fsn_arm_break_claim(FsnRepo *repo, const char *id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

bool fsn_arm_consume(FsnRepo *repo, const char *id, const char *reason, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* True if the mark exists. Errors count as "exists": the safe side for each mark. */
bool fsn_arm_has(FsnRepo *repo, const char *id, const char *mark);

G_END_DECLS
