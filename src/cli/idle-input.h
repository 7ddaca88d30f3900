/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/idle.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Where the series come from by which a domain's activity is foretold. */

typedef struct {
    const char *domain;  /* name or UUID in the history, or NULL */
    const char *history; /* file, or NULL: the usual one */
    const char *csv;     /* file with the CPU use instead, or NULL */
    const char *prometheus,
        *query;       /* server and PromQL of the CPU use instead, or NULL */
    char **with;      /* metrics of the history beside it, NULL-terminated, or NULL */
    double threshold; /* NAN: learned */
    bool no_events;
    int64_t now_us;
    GCancellable *cancellable;
} FsnIdleRequest;

/* Owns what @input refers to. */
typedef struct {
    FsnIdleInput input;
    FsnIdleTrack *track;
    FsnEvents *events;
    FsnSeries *extras[FSN_IDLE_EXTRAS_MAX];
    double *means[FSN_IDLE_EXTRAS_MAX];
    char *name;          /* to show */
    char *uuid;          /* in the history; NULL: it is not from there */
    GPtrArray *warnings; /* char* */
} FsnIdleData;

void fsn_idle_data_clear(FsnIdleData *data);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnIdleData, fsn_idle_data_clear)

/* The last 60 days; a domain without a value of its CPU use is FSN_ERROR_NOT_FOUND. */
bool fsn_idle_data_load(const FsnIdleRequest *request,
                        FsnIdleData *out_data,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
