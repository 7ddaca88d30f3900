/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/model.h"

G_BEGIN_DECLS

/* What each member would have forecast from origins in the past, and what came. */

/* Horizons are judged in bands: up to an hour, three, six, twelve, a day, and beyond. */
#define FSN_BANDS 6
size_t fsn_band_of(const FsnModelData *data, size_t step /* from 1 */);

typedef struct {
    size_t n_origins;
    size_t horizon;
    size_t *origins; /* numbers of values before each */
    double *actual;  /* [n_origins × horizon], NAN where it is not known yet */
    double *centre[FSN_MODELS_MAX];                        /* the same; NULL: no member */
    double *quantile[FSN_MODELS_MAX][FSN_FORECAST_LEVELS]; /* NULL: no quantiles */
} FsnBacktest;

/* Members are fitted to the first part of @data (@fit_y, whose outliers were damped by what
 * was known then) and looked at from origins in the rest. @raw (n values) is what came: no
 * holes filled, nothing damped. Only outcomes that are known at the end of @data count:
 * origin + step <= n. @used says which classes take part. NULL if @data is too short. */
FsnBacktest *fsn_backtest_run(const FsnModelData *data,
                              const double *raw,
                              size_t cut,
                              const bool *used);
/* Where the first part ends; 0 if @data is too short for a backtest. */
size_t fsn_backtest_cut(const FsnModelData *data);
void fsn_backtest_free(FsnBacktest *backtest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnBacktest, fsn_backtest_free)

G_END_DECLS
