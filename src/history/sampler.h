/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "history/store.h"
#include "metrics/reading.h"

G_BEGIN_DECLS

/* From readings to the history: it remembers the last reading of every domain, also from one
 * run of the program to the next, and lets only one sampler at a time write. */
typedef struct FsnSampler FsnSampler;

/* Locks the history at @path for sampling; FSN_ERROR_BUSY if another sampler has it.
 * @history is borrowed. */
FsnSampler *fsn_sampler_new(FsnHistory *history, const char *path, GError **error);
void fsn_sampler_free(FsnSampler *sampler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnSampler, fsn_sampler_free)

/* Values of a domain that do not come from its reading, for the next feed. */
void fsn_sampler_add(FsnSampler *sampler, const char *uuid, const FsnMetricValue *value);

/* Puts what @readings (FsnReading; the elements are taken over) say into the history, in one
 * transaction. *@out_values (may be NULL) is how many values that were. */
bool fsn_sampler_feed(FsnSampler *sampler,
                      GPtrArray *readings,
                      size_t *out_values,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes down the last readings for the next run; otherwise done every five minutes. */
bool fsn_sampler_save(FsnSampler *sampler, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
