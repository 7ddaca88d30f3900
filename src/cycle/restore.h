/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "virt/domain.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
    const char *as;             /* name of a new domain; NULL: in place */
    const char *folder;         /* of the new domain's disks */
    const char *pool;           /* or the storage pool that they go to */
    const char *const *targets; /* disks to restore; NULL: all */
    bool disks_only;            /* leave the memory out */
    bool start;                 /* boot it, where there is no memory */
    bool paused;                /* with memory: leave the guest stopped */
    bool links_up; /* a new domain with memory: its network cards are connected at once */
    bool clone_tpm;     /* a new domain gets a copy of the TPM's state, secrets and all */
    bool lazy;          /* the disks are filled while the guest runs */
    uint64_t bandwidth; /* lazy: bytes a second that are filled of each; 0: no limit */
    bool no_keep;       /* in place: do not keep what is there now as a snapshot */
    bool with_config; /* first make again what is missing around the domain, and itself */
    /* Without memory: called once @domain is defined, before it may start, with the UUID of
     * the domain that the snapshot is of; NULL: nobody */
    void (*defined)(FsnVirtDomain *domain, const char *source_uuid, gpointer user);
    gpointer user;
} FsnRestoreOptions;

typedef struct {
    char snapshot[33];
    char *domain;
    char *uuid;
    char *kept;          /* snapshot of the state from before; NULL: none */
    JsonArray *disks;    /* {"target", "path", "format", "size", "bytes_written"} each */
    JsonArray *config;   /* {"kind", "name", "action"} each; NULL: it was not asked for */
    GPtrArray *warnings; /* char *: what the user should know */
    bool memory;         /* the guest goes on from the instant */
    bool lazy;           /* the disks are being filled */
    bool started;
    int64_t running_us; /* from the call until the guest ran; 0: it does not */
    int64_t total_us;
} FsnRestoreResult;

void fsn_restore_result_clear(FsnRestoreResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnRestoreResult, fsn_restore_result_clear)

/* The documented JSON form, without the warnings. */
JsonObject *fsn_restore_result_to_json(const FsnRestoreResult *result);

/*
 * Puts @snapshot (an id, or the beginning of one) back: its disks over those of its domain,
 * which must be off, or as a new domain; and its memory, so that the guest goes on from the
 * instant. All files are written and durable before the first one takes its place; until
 * then an error, or @cancellable, leaves everything as it was. After that recovery completes
 * it. The caller clears @out_result.
 */
bool fsn_cycle_restore(FsnCycle *cycle,
                       const char *snapshot,
                       const FsnRestoreOptions *options,
                       GCancellable *cancellable,
                       FsnRestoreResult *out_result,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
