/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/backtest.h"

G_BEGIN_DECLS

/* How members are combined, and how far outcomes lie from the combination: pure functions of
 * a backtest. */

typedef struct {
    double centre[FSN_BANDS][FSN_MODELS_MAX]; /* each band's weights add up to 1 */
    /* Of the quantiles: the part that comes from members' own, the rest from the errors
     * of the centre. */
    double own[FSN_FORECAST_LEVELS];
    double error[FSN_BANDS][FSN_FORECAST_LEVELS]; /* quantiles of (outcome - centre) */
    double shift[FSN_BANDS][FSN_FORECAST_LEVELS]; /* what calibration adds */
    double mean_error;                            /* mean absolute error of the centre */
} FsnWeights;

/* Equal weights for @used members and no idea of errors. */
void fsn_weights_equal(FsnWeights *weights, const bool *used);
void fsn_weights_learn(FsnWeights *weights,
                       const FsnBacktest *backtest,
                       const FsnModelData *data);
/* The combination of the members' @centres ([m], NULL: none) at index @i, in @band. */
double fsn_weights_centre(const FsnWeights *weights,
                          size_t band,
                          double *const *centres,
                          size_t i);
/* The quantile of level @l; @own is the members' own (NAN: none). */
double fsn_weights_quantile(
    const FsnWeights *weights, size_t band, size_t l, double centre, double own);
/* The mean of the members' own quantiles at index @i; NAN: no member has any. */
double fsn_weights_own(double *const (*quantiles)[FSN_FORECAST_LEVELS],
                       size_t l,
                       size_t i);

G_END_DECLS
