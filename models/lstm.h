/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/data.h"
#include "models/lstm-net.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* A network that many series share: what happens on the next day, hour by hour, after the
 * last days, relative to what is usual. Trained once on all of them, then used as the model
 * "lstm" of each. Immutable, counted by references. */
typedef struct FsnLstm FsnLstm;

typedef struct {
    uint64_t seed;    /* the same seed and series, the same network */
    size_t samples;   /* origins to learn from, 0: a default */
    int64_t until_us; /* the series say nothing of later times; for series of clocks that
                       * do not belong together G_MININT64 */
} FsnLstmOptions;

/* From the @series (FsnSeries), of any steps up to an hour. NULL if none of them has a week.
 * A model "lstm" is only fitted to data that goes on after @until_us, so that its
 * backtest never looks at what the network has seen. Takes seconds. */
FsnLstm *fsn_lstm_train(const GPtrArray *series,
                        const FsnLstmOptions *options,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
FsnLstm *fsn_lstm_ref(const FsnLstm *lstm);
void fsn_lstm_unref(FsnLstm *lstm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnLstm, fsn_lstm_unref)
int64_t fsn_lstm_until_us(const FsnLstm *lstm);
/* Mean loss on what it was trained with, and on the part of it that was kept back. */
void fsn_lstm_losses(const FsnLstm *lstm, double *out_trained, double *out_kept);

void fsn_lstm_to_json(const FsnLstm *lstm, JsonObject *object);
/* @object is hostile. */
FsnLstm *fsn_lstm_from_json(JsonObject *object, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
