/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "batch/order.h"
#include "batch/select.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* Works off a batch: a process of its own for each domain, so that one that hangs or dies
 * takes nobody along. */

typedef struct {
    FsnBatchState state;
    bool timed_out;
    char *error;        /* why it failed or was skipped; NULL if it is done */
    JsonObject *result; /* what the command printed; NULL if that was no document */
    int64_t took_us;
} FsnBatchOutcome;

void fsn_batch_outcome_free(FsnBatchOutcome *outcome);

/* The command for @domain, NULL-terminated, which prints one JSON document; to be freed. */
typedef char **(*FsnBatchCommand)(const FsnBatchDomain *domain, gpointer user);
/* Tells that @domain has come to its end, done or not. */
typedef void (*FsnBatchTell)(const FsnBatchDomain *domain,
                             const FsnBatchOutcome *outcome,
                             gpointer user);

typedef struct {
    FsnBatchVerb verb;
    unsigned jobs;    /* at a time, at least 1 */
    unsigned time_s;  /* a domain may take, then it is asked to end; 0: no limit */
    unsigned grace_s; /* … and is killed after so much more; its guard takes over then */
    FsnBatchCommand command;
    FsnBatchTell tell; /* may be NULL */
    gpointer user;
} FsnBatchRun;

/* Returns FsnBatchOutcome, one for each of @domains (FsnBatchDomain, in their order). When
 * @cancellable is cancelled nothing new is begun; what is under way is waited for. FALSE only
 * if the batch cannot begin, for its order is a circle. */
bool fsn_batch_run(const FsnBatchRun *run,
                   GPtrArray *domains,
                   GCancellable *cancellable,
                   GPtrArray **out_outcomes,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
