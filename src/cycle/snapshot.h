/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "repofmt/codec.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* How the guest's file systems are brought to rest before the instant. */
typedef enum {
    FSN_QUIESCE_AUTO,    /* by its agent, if it answers and no memory is taken */
    FSN_QUIESCE_REQUIRE, /* or no snapshot */
    FSN_QUIESCE_NONE,
} FsnQuiesce;

/* How long a guest may be stopped by default, in milliseconds. */
#define FSN_SNAPSHOT_MAX_PAUSE_MS 2000

typedef struct {
    const char *name;           /* as the user calls it; NULL = none */
    const char *profile;        /* in place of the domain's policy; NULL = that */
    const char *const *targets; /* disks to take; NULL = all that can be taken */
    const GPtrArray *parts; /* of FsnDiskPart: of their disks these only; NULL = all */
    bool whole;             /* no policy leaves anything out */
    bool no_memory;
    bool allow_stop; /* where the memory cannot be read beside a running guest */
    bool plain_text; /* take encrypted disks, which leave QEMU as plain text */
    FsnQuiesce quiesce;
    FsnCodec codec;
    int level;
    uint64_t bandwidth;      /* bytes per second read of each disk; 0: no limit */
    const char *scratch_dir; /* NULL: the repository's folder */
    unsigned max_pause_ms;
} FsnSnapshotOptions;

#define FSN_SNAPSHOT_OPTIONS_INIT                                                      \
    {                                                                                  \
        .codec = FSN_CODEC_ZSTD, .level = 1, .max_pause_ms = FSN_SNAPSHOT_MAX_PAUSE_MS \
    }

typedef struct {
    char snapshot[33]; /* "" = only planned */
    char parent[33];   /* "" = none */
    char *domain;
    char *consistency; /* "crash", "filesystem" or "application" */
    char *memory;      /* how it was taken: "background", "stopped", "none" */
    int64_t pause_us;  /* from the guest's stop until it ran again */
    int64_t total_us;
    uint64_t bytes_read;
    uint64_t bytes_changed;
    uint64_t bytes_stored;
    JsonArray *disks;        /* as in the manifest; of a plan with "estimate" */
    JsonArray *resources;    /* with the reasons */
    JsonArray *databases;    /* as in the manifest; NULL = none are declared */
    JsonObject *granularity; /* the policy's decisions; NULL = there was none */
    char *warning;           /* what the user should know; NULL = nothing */
} FsnSnapshotResult;

void fsn_snapshot_result_clear(FsnSnapshotResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnSnapshotResult, fsn_snapshot_result_clear)

/* The documented JSON form, without the warning. */
JsonObject *fsn_snapshot_result_to_json(const FsnSnapshotResult *result);

/* Takes a snapshot of @domain: disks, and memory of one that runs, of one instant. When it
 * fails the domain runs on as if nothing had been. The caller clears @out_result. */
bool fsn_cycle_snapshot(FsnCycle *cycle,
                        const char *domain,
                        const FsnSnapshotOptions *options,
                        FsnSnapshotResult *out_result,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Only says what would be done, and why; touches nothing. */
bool fsn_cycle_snapshot_plan(FsnCycle *cycle,
                             const char *domain,
                             const FsnSnapshotOptions *options,
                             FsnSnapshotResult *out_result,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
