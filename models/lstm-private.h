/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/forecast.h"
#include "models/lstm.h"

G_BEGIN_DECLS

#define FSN_LSTM_INPUTS  8
#define FSN_LSTM_HIDDEN  12
#define FSN_LSTM_CONTEXT 96 /* hours that it looks back */

struct FsnLstm {
    gint references;
    FsnLstmNet *net;
    int64_t until_us;
    double trained, kept; /* losses */
};

/* A series by the hour. Hours are counted from the end, so that the last one is whole. */
typedef struct {
    const FsnModelData *data; /* with a day */
    size_t day;               /* hours in it */
    size_t n;                 /* hours */
    double *value;            /* [n] means */
    double *usual;            /* [n + day] medians of the days before at that time */
    double *highest;          /* [n + day] the highest of the same */
    double *off;              /* [n + 1] sums of the distances from usual */
} FsnLstmHours;

/* @data is borrowed. */
FsnLstmHours *fsn_lstm_hours_new(const FsnModelData *data);
void fsn_lstm_hours_free(FsnLstmHours *hours);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnLstmHours, fsn_lstm_hours_free)

/* The first origin that has enough before it. */
size_t fsn_lstm_first_origin(const FsnLstmHours *hours);
/* What is a large difference from usual in the week before hour @origin; > 0. */
double fsn_lstm_scale(const FsnLstmHours *hours, size_t origin);
/* The rows for hours @origin - @context to @origin + day; what comes from @origin on is not
 * looked at. */
void fsn_lstm_rows(
    const FsnLstmHours *hours, size_t origin, size_t context, double scale, double *x);

G_END_DECLS
