/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* What a batch has put away, so that the next one brings back that and nothing else: the file
 * batch/SET in the state folder. One batch of a set at a time: whoever has the lock. */
typedef struct FsnBatchRecord FsnBatchRecord;

/* Takes the lock and reads the file; a missing one is empty. @set is a name of letters,
 * digits, '-', '_' and '.'. FSN_ERROR_BUSY if another batch of the set is under way;
 * FSN_ERROR_FORMAT for a damaged file. */
FsnBatchRecord *fsn_batch_record_open(const char *state_dir,
                                      const char *set,
                                      GError **error);
void fsn_batch_record_free(FsnBatchRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnBatchRecord, fsn_batch_record_free)

/* Id of the state of domain @uuid that the batch made, NULL if there is none; borrowed. */
const char *fsn_batch_record_get(const FsnBatchRecord *record, const char *uuid);
/* Notes or forgets one, and is durable when it returns. */
bool fsn_batch_record_set(FsnBatchRecord *record,
                          const char *uuid,
                          const char *snapshot,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_batch_record_forget(FsnBatchRecord *record, const char *uuid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
