/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "repofmt/codec.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Seconds that a prepared suspend is held before it is given up. */
#define FSN_SUSPEND_DEFAULT_HOLD_S 600

typedef struct {
    bool paused; /* stop the guest first, then transfer */
    int64_t
        ahead_s; /* prepare now, stop the guest so many seconds from now; -1: at once */
    FsnCodec codec;
    int level;
    int64_t max_hold_s; /* 0: FSN_SUSPEND_DEFAULT_HOLD_S */
} FsnSuspendOptions;

#define FSN_SUSPEND_OPTIONS_INIT                           \
    {                                                      \
        .ahead_s = -1, .codec = FSN_CODEC_ZSTD, .level = 1 \
    }

typedef struct {
    char snapshot[33];
    char parent[33]; /* "" = none */
    char *domain;
    char *warning;    /* NULL = none */
    bool prepared;    /* a held migration was finished */
    int64_t pause_us; /* from the guest's stop until everything is durable */
    int64_t total_us;
    uint64_t bytes_read;    /* of QEMU's stream */
    uint64_t bytes_changed; /* of RAM, against the parent */
    uint64_t bytes_stored;  /* added to the repository, indexes included */
} FsnSuspendResult;

void fsn_suspend_result_clear(FsnSuspendResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnSuspendResult, fsn_suspend_result_clear)

/* The documented JSON form, and back (a holder sends it over a socket). */
JsonObject *fsn_suspend_result_to_json(const FsnSuspendResult *result);
bool fsn_suspend_result_from_json(JsonObject *object,
                                  FsnSuspendResult *out_result,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Suspends @domain: memory into the repository, QEMU ended, the domain guarded. A prepared
 * one is finished. When it fails the domain runs on. The caller clears @out_result. */
bool fsn_cycle_suspend(FsnCycle *cycle,
                       const char *domain,
                       const FsnSuspendOptions *options,
                       FsnSuspendResult *out_result,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
