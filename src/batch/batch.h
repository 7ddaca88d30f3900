/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "batch/run.h"
#include "batch/select.h"
#include "cycle/context.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* One verb for many domains: chosen, put in order, worked off, and recorded. */

typedef struct {
    char *name;
    char *uuid;
    FsnBatchState state; /* DONE, FAILED or SKIPPED; WAITING: it would be done */
    bool left_alone;     /* skipped for a reason of its own, which is no failure */
    char *reason;        /* NULL: it is done */
    JsonObject *result;  /* of the command; NULL: none */
    int64_t took_us;
} FsnBatchItem;

typedef void (*FsnBatchItemFunc)(const FsnBatchItem *item, gpointer user);

typedef struct {
    FsnBatchVerb verb;
    FsnBatchSelector selector;
    const char *set;              /* whose record; NULL: "default" */
    const char *program;          /* foresnap itself */
    const char *const *arguments; /* for the command, before the domain; NULL: none */
    unsigned jobs;
    unsigned time_s; /* 0: no limit */
    bool dry_run;
    FsnBatchItemFunc tell; /* as they end; may be NULL */
    gpointer user;
} FsnBatchOptions;

/* Items in the order of their domains' names (FsnBatchItem), of all that were chosen. FALSE if
 * the batch could not begin: FSN_ERROR_BUSY if another one of the set is under way. The
 * caller unrefs. */
bool fsn_batch(FsnCycle *cycle,
               const FsnBatchOptions *options,
               GCancellable *cancellable,
               GPtrArray **out_items,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
