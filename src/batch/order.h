/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "batch/select.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* In which order a batch works on its domains. Pure. A domain starts after those of a lower
 * order and after those that it names; it is put away before them. Domains that are not in
 * the batch do not count. */

typedef enum {
    FSN_BATCH_WAITING,
    FSN_BATCH_RUNNING,
    FSN_BATCH_DONE,
    FSN_BATCH_FAILED,
    FSN_BATCH_SKIPPED, /* for one that it has to wait for has failed, or at the end */
} FsnBatchState;

typedef struct FsnBatchOrder FsnBatchOrder;

/* For @domains (FsnBatchDomain), which has to outlive it. FSN_ERROR_USAGE names the domains
 * of a circle. */
FsnBatchOrder *fsn_batch_order_new(FsnBatchVerb verb, GPtrArray *domains, GError **error);
void fsn_batch_order_free(FsnBatchOrder *order);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnBatchOrder, fsn_batch_order_free)

/* Takes the next domain that may begin: its index; -1 if all others have to wait, or none is
 * left. Those that wait for a failed one are skipped by this. */
int fsn_batch_order_next(FsnBatchOrder *order);
/* Domain @i, which was taken, has ended. */
void fsn_batch_order_end(FsnBatchOrder *order, guint i, bool done);

FsnBatchState fsn_batch_order_state(const FsnBatchOrder *order, guint i);
/* The domain whose failure @i was skipped for; NULL if it was not. */
const char *fsn_batch_order_blamed(const FsnBatchOrder *order, guint i);

G_END_DECLS
